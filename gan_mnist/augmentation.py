"""Random changes of all images that the discriminator sees, so that it cannot learn few by heart.

Real and generated images are changed in the same ways, and gradients reach the generator through
the changes. So the generator learns the images as they are, not their changed versions: changes
that leave a visible trace (grey edges, grey squares) can be told from what the images show.

Source: Zhao et al. 2020, arXiv:2006.10738 (DiffAugment), equations 4 to 6; sizes as in its code.
"""

import tensorflow as tf

MAX_SHIFT = 1 / 8
"""Largest shift in each direction, as a share of the side."""

CUTOUT_SIDE = 1 / 2
"""Side of the grey square, as a share of the image's."""

NUM_NUMBERS = 6
"""Random numbers for an image; each policy has its own, whichever others are on."""


def translation(images, numbers, value_range):
    """Shift each image by up to `MAX_SHIFT` in each direction; the middle grey fills the rest.

    A shift is a product with a matrix of zeros and ones, whose gradient is a product too.
    """
    height, width = images.shape[1:3]
    rows = _shift_matrices(numbers[:, 0], height)
    columns = _shift_matrices(numbers[:, 1], width)
    grey = sum(value_range) / 2
    shifted = tf.einsum("nij,njwc->niwc", rows, images - grey)
    return tf.einsum("nij,nhjc->nhic", columns, shifted) + grey


def cutout(images, numbers, value_range):
    """Make a square of `CUTOUT_SIDE` grey, its centre anywhere; the edges may cut it off."""
    rows, columns = (
        _is_cut(numbers[:, index], side)
        for index, side in zip((2, 3), images.shape[1:3], strict=True)
    )
    is_cut = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
    return tf.where(is_cut, sum(value_range) / 2, images)


def brightness(images, numbers, value_range):
    """Add up to a quarter of the range, or take it away: a uniform number for each image."""
    low, high = value_range
    return images + (_per_image(numbers[:, 4]) - 0.5) * ((high - low) / 2)


def contrast(images, numbers, value_range):
    """Multiply the distance from each image's own mean by 0.5 to 1.5."""
    means = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return means + (images - means) * (_per_image(numbers[:, 5]) + 0.5)


POLICIES = {
    "brightness": brightness,
    "contrast": contrast,
    "translation": translation,
    "cutout": cutout,
}
"""Each policy by its name in the configuration, in the order in which they are applied.

A policy takes images (N, H, W, C) float, numbers (N, NUM_NUMBERS) uniform on [0, 1), and the
(low, high) of black and white. It gives images of the same shape.
"""


def augment(images, numbers, names, value_range):
    """Apply the policies of these `names`, whatever their order."""
    for name, policy in POLICIES.items():
        if name in names:
            images = policy(images, numbers, value_range)
    return images


def _shift_matrices(uniform, side):
    """(N, side, side) float32: a product with matrix n shifts by its number of pixels."""
    largest = int(side * MAX_SHIFT + 0.5)
    shifts = tf.cast(tf.floor(uniform * (2 * largest + 1)), tf.int32) - largest
    positions = tf.range(side)
    sources = positions[tf.newaxis, :, tf.newaxis] - shifts[:, tf.newaxis, tf.newaxis]
    return tf.cast(tf.equal(sources, positions), tf.float32)


def _is_cut(uniform, side):
    """(N, side) bool: True for the rows, or columns, that a square covers."""
    length = int(side * CUTOUT_SIDE + 0.5)
    num_centres = side + 1 - length % 2
    first = tf.cast(tf.floor(uniform * num_centres), tf.int32)[:, tf.newaxis] - length // 2
    positions = tf.range(side)
    return (positions >= first) & (positions < first + length)


def _per_image(numbers):
    return numbers[:, tf.newaxis, tf.newaxis, tf.newaxis]
