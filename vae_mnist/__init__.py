"""Variational autoencoders of handwritten digits and small faces.

In: a preset of `configs/` with `family: vae`. Out: a run folder (encoder, decoder, pictures, log)
and, from the commands on that folder, samples, reconstructions, interpolations and the latent
plane. Open `train.py` first: it names all that a VAE adds to the common training loop.
`losses.py` and `networks.py` hold the method, `model.py` puts it together.
"""
