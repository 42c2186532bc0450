"""Generative adversarial networks of handwritten digits and small faces."""
