"""The denoising autoencoder of source 000, which cleans generated digits.

In: real images, from which it learns to undo a corruption; later the samples of a GAN or a VAE.
Out: the same images cleaned. Start with `train`, the family in one class. `denoise` is the command
that shows raw, clipped and cleaned samples side by side.
"""
