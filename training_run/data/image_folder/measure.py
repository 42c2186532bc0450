"""What a folder's images are like, from a sample of them: how large, and whether in colour."""

import statistics
import warnings
from typing import NamedTuple

import numpy as np

from training_run.data.image_folder.pixels import try_to_read

NUM_MEASURED = 100

COLOUR_DIFFERENCE = 12
"""Between the channels of a pixel in [0, 255], from which on it has a colour."""

COLOUR_PIXELS, COLOUR_IMAGES = 0.02, 0.05
"""Share of an image's pixels, and of the images, from which on they are in colour."""

_SIDE = 32


class Measured(NamedTuple):
    """Attributes:
    side: median of the images' shorter sides, in pixels.
    num_channels: 3 if some of the images are in colour, else 1.
    """

    side: float
    num_channels: int


def measure_images(folder, files):
    """The `Measured` of the first readable images; None if none can be read.

    Args:
        folder: `Path`.
        files: list of `ImageFile`, in their mixed order.
    """
    sides, has_colour = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of each odd file
        for file in files[:NUM_MEASURED]:
            picture = try_to_read(folder, (_SIDE, _SIDE, 3), file.name)
            if picture.problem is None:
                sides.append(picture.side)
                has_colour.append(_has_colour(picture.pixels))
    if not sides:
        return None
    is_colour = np.mean(has_colour) >= COLOUR_IMAGES
    return Measured(statistics.median(sides), 3 if is_colour else 1)


def _has_colour(pixels):
    spread = np.ptp(pixels.astype(np.int16), axis=-1)
    return (spread > COLOUR_DIFFERENCE).mean() >= COLOUR_PIXELS
