"""Contrast: how far the darkest and the brightest pixel of an image are apart."""

import numpy as np

BATCH = 1000
"""Images at once."""


def contrasts(images):
    """Brightest minus darkest pixel of each image, black 0 and white 1.

    Args:
        images: (N, H, W, C) uint8. Colours are averaged to grey.

    Returns:
        (N,) float64 in [0, 1].
    """
    ranges = [np.ptp(grey, axis=(1, 2)) for grey in grey_batches(images)]
    return np.concatenate(ranges)


def grey_batches(images):
    """Yield (N, H, W, C) uint8 images as (up to `BATCH`, H, W) float64 in [0, 1]."""
    for start in range(0, len(images), BATCH):
        yield images[start : start + BATCH].mean(axis=-1, dtype=np.float64) / 255
