"""The denoising autoencoder of source 000, which cleans generated digits.

In come real images, from which it learns to undo a corruption, and later the samples of a GAN or a
VAE; out come the same images cleaned. Start with `train`, the family in one class; `denoise` is the
command that shows raw, clipped and cleaned samples side by side.
"""
