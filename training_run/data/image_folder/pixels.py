"""One image file of any size and kind becomes the pixels of a square."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

DEFAULT_IMAGE_SIZE = 64

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""Formats that are decoded, whatever the suffix; some other decoders run external programs."""

MAX_PIXELS = 50_000_000
"""Larger images are not decoded, to save memory. A JPEG's size counts after reduction."""


def square_pixels(image, image_size, num_channels):
    """The largest centred square of a picture, resized.

    16-bit grey becomes 8-bit. Transparent pixels become white.

    Args:
        image: `PIL.Image.Image` of any mode but floating point.
        image_size: side of the result in pixels.
        num_channels: 1 for grey, 3 for colour.

    Returns:
        (image_size, image_size, num_channels) uint8 array.

    Raises:
        ValueError: the mode has no known range of values.
    """
    image = _plain_mode(image)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.resize(
        (image_size, image_size),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=3.0,
    )
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    image = image.convert("L" if num_channels == 1 else "RGB")
    return np.asarray(image).reshape(image_size, image_size, num_channels)


class Picture(NamedTuple):
    """What reading one file gave.

    Attributes:
        pixels: (H, W, C) uint8; None of a file that cannot be read.
        problem: why it cannot be read; None if it can.
        side: its shorter side before it was resized, in pixels.
        is_animated: True if it has several frames, of which the first was taken.
    """

    pixels: np.ndarray | None
    problem: str | None = None
    side: int = 0
    is_animated: bool = False


def try_to_read(folder, image_shape, name):
    """The `Picture` in a file, as a square of `image_shape`."""
    try:
        return _read_image(folder / name, *image_shape[1:])
    except Image.UnidentifiedImageError:
        return Picture(None, "no image in any known format")
    except Exception as error:  # decoders raise nearly anything at broken files
        text = " ".join(str(error).split()).rstrip(".")
        return Picture(None, f"{type(error).__name__}: {text}" if len(text) < 15 else text)


def _read_image(path, image_size, num_channels):
    if not path.is_file():
        raise ValueError("not a regular file")
    with Image.open(path, formats=FORMATS) as image:
        side, is_animated = min(image.size), getattr(image, "is_animated", False)
        # A large JPEG is decoded at a half, a quarter or an eighth of its size.
        image.draft("L" if num_channels == 1 else "RGB", (image_size, image_size))
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"too large to decode: {image.width}x{image.height}")
        square = Image.fromarray(square_pixels(image, image_size, num_channels).squeeze())
        square.info = image.info
    with suppress(Exception):  # a broken EXIF block does not make an image unreadable
        ImageOps.exif_transpose(square, in_place=True)
    pixels = np.asarray(square).reshape(image_size, image_size, num_channels)
    return Picture(pixels, None, side, is_animated)


def _plain_mode(image):
    """Convert to L, RGB or RGBA, the modes that can be resized."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels of unknown range")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _from_16_bits(image):
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels of unknown range")
    return Image.fromarray((values // 257).astype(np.uint8))
