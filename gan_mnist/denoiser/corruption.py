"""Ways to spoil a picture, for the denoising autoencoder to undo.

Every kind is a pure function of clean images in [0, 1], a noise tensor of the same shape and a
strength; the noise is drawn outside, as a function of (seed, step). What comes out is a picture
again, in [0, 1], as the generated ones are that the denoiser is made for.

Source: Vincent et al. 2010, JMLR 11:3371-3408, which compares these three kinds.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from training_run.step.batches import draw_normal, draw_uniform


class Corruption(NamedTuple):
    """One way to spoil a picture.

    Attributes:
        draw: (seed, stream, step, shape) -> noise; a draw of `training_run.batches`.
        apply: (images, noise, strength) -> corrupted images in [0, 1].
    """

    draw: Callable
    apply: Callable


def add_gaussian_noise(images, noise, stddev):
    """Add normal noise of a standard deviation to every pixel; clipped to [0, 1].

    Args:
        images: (N, H, W, C) float32 in [0, 1].
        noise: (N, H, W, C) float32, standard normal.
        stddev: in units of the range, black to white.

    Returns:
        (N, H, W, C) float32 in [0, 1].
    """
    return tf.clip_by_value(images + stddev * noise, 0.0, 1.0)


def mask_pixels(images, noise, fraction):
    """Set a fraction of the pixels to black, each by its own chance.

    Args:
        images: (N, H, W, C) float32 in [0, 1].
        noise: (N, H, W, C) float32, uniform on [0, 1).
        fraction: expected share of the pixels, in [0, 1].

    Returns:
        (N, H, W, C) float32 in [0, 1].
    """
    return tf.where(noise < fraction, 0.0, images)


def add_salt_and_pepper(images, noise, fraction):
    """Set a fraction of the pixels to black or white, with equal chances.

    Args:
        images: (N, H, W, C) float32 in [0, 1].
        noise: (N, H, W, C) float32, uniform on [0, 1).
        fraction: expected share of the pixels, in [0, 1].

    Returns:
        (N, H, W, C) float32 in [0, 1].
    """
    grains = tf.cast(noise < 0.5 * fraction, images.dtype)
    return tf.where(noise < fraction, grains, images)


CORRUPTIONS = {
    "gaussian": Corruption(draw_normal, add_gaussian_noise),
    "masking": Corruption(draw_uniform, mask_pixels),
    "salt_and_pepper": Corruption(draw_uniform, add_salt_and_pepper),
}
