"""Arrays of images as pictures on disk: grids, captions, one PNG writer for all of them.

Everything is drawn on white paper with dark grey letters in Pillow's own scalable font, so
the pictures look the same in every part of the project. Enlargement is by whole numbers and
without interpolation: a pixel of a digit stays a crisp square. The same input gives the
same bytes.
"""

import numpy as np
from PIL import Image

from training_run.files import atomic_path

PAPER = 255


MIN_IMAGE_WIDTH = 56


CHANNELS = ((), (1,), (3,))  # what may follow (H, W) in the shape of a picture


def to_uint8(images, value_range):
    """Pixels from numbers in `value_range`: low becomes 0, high 255, what lies outside is clipped.

    Args:
        images: array of any shape. uint8 arrays are pixels already and come back unchanged.
        value_range: (low, high), the numbers that mean black and white.

    Returns:
        uint8 array of the same shape, rounded to the nearest level (halves to the even one).

    Raises:
        ValueError: a number is NaN or infinite, or the range is empty.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    low, high = value_range
    if not low < high:
        raise ValueError(
            f"value_range must be (low, high) with low < high. Received: {value_range}"
        )
    images = images.astype(np.float32)
    num_bad = images.size - np.count_nonzero(np.isfinite(images))
    if num_bad:
        raise ValueError(
            f"Pixels must be finite numbers. Received: {num_bad} NaN or infinite of {images.size}"
        )
    levels = (images - low) * (255.0 / (high - low))
    return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)


def display_scale(width, min_width=MIN_IMAGE_WIDTH):
    """The smallest whole number that enlarges `width` pixels to `min_width` or more."""
    return max(1, -(-min_width // width))


def enlarge(images, scale):
    """Every pixel of (N, H, W, C) images as a `scale` x `scale` square."""
    return images.repeat(scale, axis=1).repeat(scale, axis=2)


def save_png(path, pixels):
    """Write (H, W), (H, W, 1) or (H, W, 3) uint8 pixels as PNG, whole or not at all."""
    with atomic_path(path) as temporary:
        to_pillow(pixels).save(temporary, format="PNG")


def to_pillow(pixels):
    """Pillow's image, mode L or RGB, of (H, W), (H, W, 1) or (H, W, 3) uint8 pixels."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in CHANNELS:
        raise ValueError(
            "A picture must be uint8 of shape (H, W), (H, W, 1) or (H, W, 3). "
            f"Received: {pixels.dtype} of shape {pixels.shape}"
        )
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def _check_images(images):
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Images must be (N, H, W, C) with 1 or 3 channels. "
            f"Received: an array of shape {images.shape}"
        )
    if 0 in images.shape:
        raise ValueError(f"There must be an image to show. Received: shape {images.shape}")
    if images.dtype != np.uint8:
        raise ValueError(f"Images must be uint8 (see to_uint8). Received: {images.dtype}")
