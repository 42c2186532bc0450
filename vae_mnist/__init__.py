"""Variational autoencoders of handwritten digits and small faces."""
