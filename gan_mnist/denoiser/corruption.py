"""Ways to corrupt a picture, for the denoising autoencoder to undo.

Each is a pure function of clean images, (N, H, W, C) float32 in [0, 1], a noise tensor of the same
shape and a strength. The noise is drawn outside, as a function of (seed, step). The result is in
[0, 1] again, as are the generated pictures that the denoiser is made for.

Source: Vincent et al. 2010, JMLR 11:3371-3408, which compares these three kinds.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from training_run.step.batches import draw_normal, draw_uniform


class Corruption(NamedTuple):
    """One way to corrupt a picture.

    Attributes:
        draw: (seed, stream, step, shape) to noise; a draw of `training_run.step.batches`.
        apply: (images, noise, strength) to corrupted images in [0, 1].
    """

    draw: Callable
    apply: Callable


def add_gaussian_noise(images, noise, stddev):
    """Add standard normal noise times `stddev`, in units of black to white; clip to [0, 1]."""
    return tf.clip_by_value(images + stddev * noise, 0.0, 1.0)


def mask_pixels(images, noise, fraction):
    """Set pixels to black, each with probability `fraction`; the noise is uniform on [0, 1)."""
    return tf.where(noise < fraction, 0.0, images)


def add_salt_and_pepper(images, noise, fraction):
    """Set pixels to black or white, each with probability `fraction / 2`; noise as above."""
    grains = tf.cast(noise < 0.5 * fraction, images.dtype)
    return tf.where(noise < fraction, grains, images)


CORRUPTIONS = {
    "gaussian": Corruption(draw_normal, add_gaussian_noise),
    "masking": Corruption(draw_uniform, mask_pixels),
    "salt_and_pepper": Corruption(draw_uniform, add_salt_and_pepper),
}
