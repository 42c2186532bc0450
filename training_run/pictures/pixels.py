"""Pixels: from floats to uint8, enlargement, and the PNG file.

Enlargement is by whole numbers and without interpolation: each pixel becomes a square.
"""

import numpy as np
from PIL import Image

from training_run.files import atomic_path

MIN_IMAGE_WIDTH = 56


class NotFinite(ValueError):
    """Numbers that should become pixels are NaN or infinite."""


def to_uint8(images, value_range):
    """Convert numbers in `value_range` to pixels: low becomes 0, high 255; the rest is clipped.

    Args:
        images: array of any shape. uint8 arrays are pixels already and are returned unchanged.
        value_range: (low, high), the numbers that mean black and white.

    Returns:
        uint8 array of the same shape, rounded to the nearest level (halves to the even one).

    Raises:
        NotFinite: a number is NaN or infinite.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    low, high = value_range
    images = images.astype(np.float32)
    num_bad = images.size - np.count_nonzero(np.isfinite(images))
    if num_bad:
        raise NotFinite(
            f"images are not finite: {num_bad:,} of {images.size:,} numbers are NaN or infinite"
        )
    levels = (images - low) * (255.0 / (high - low))
    return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)


def display_scale(width, min_width=MIN_IMAGE_WIDTH):
    """The smallest whole number that enlarges `width` pixels to `min_width` or more."""
    return max(1, -(-min_width // width))


def enlarge(images, scale):
    """Every pixel of (..., H, W, C) images as a `scale` x `scale` square."""
    return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def to_pillow(pixels):
    """Pillow image, mode L or RGB, of (H, W), (H, W, 1) or (H, W, 3) uint8 pixels."""
    pixels = np.asarray(pixels)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def save_png(path, pixels):
    """Write (H, W), (H, W, 1) or (H, W, 3) uint8 pixels as PNG, whole or not at all."""
    with atomic_path(path) as temporary:
        to_pillow(pixels).save(temporary, format="PNG")
