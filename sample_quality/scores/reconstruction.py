"""Reconstruction error: how much of an image a VAE keeps."""

import numpy as np
import tensorflow as tf

from training_run.step.batches import scale_images

BATCH = 1000


def reconstruction_errors(encoder, decoder, images, value_range, labels=None):
    """Squared error of reconstructions from the posterior's mean, summed over pixels.

    Args:
        encoder: images, or [images, labels], to [z_mean, z_log_var].
        decoder: z, or [z, labels], to images in `value_range`.
        images: (N, H, W, C) uint8.
        value_range: (low, high) of the networks' images.
        labels: (N,) int32 for conditional networks.

    Returns:
        (N,) float64, for pixels scaled to [0, 1] whatever the range.
    """
    low, high = value_range
    errors = []
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        x = scale_images(images[part], value_range)
        y = [] if labels is None else [tf.constant(labels[part], tf.int32)]
        z_mean, _ = encoder([x, *y] if y else x, training=False)
        reconstructed = decoder([z_mean, *y] if y else z_mean, training=False)
        squares = tf.square((reconstructed - x) / (high - low))
        errors.append(tf.reduce_sum(squares, axis=range(1, len(squares.shape))))
    return np.concatenate(errors).astype(np.float64)
