"""All files of a folder are decoded in parallel; those that cannot be read are named."""

import math
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from training_run.data.image_data import check_memory
from training_run.data.image_folder.listing import printable
from training_run.data.image_folder.pixels import try_to_read

FILES_PER_BLOCK = 1024

_REPORT_SECONDS = 5
_MAX_NAMED = 10


class Decoded(NamedTuple):
    """What decoding gave.

    Attributes:
        images: (N, H, W, C) uint8, in the order of the names.
        unread: places among the names of those that could not be read, in order.
        problems: sentences on them.
        num_animated: images of several frames, of which the first was taken.
        num_enlarged: images that were less than half as large.
        checksum: hexadecimal SHA-256 of the training images among them; None if it is not known.
    """

    images: np.ndarray
    unread: list[int]
    problems: list[str]
    num_animated: int = 0
    num_enlarged: int = 0
    checksum: str | None = None


class Block(NamedTuple):
    """What decoding a part of the names gave.

    Attributes:
        end: how many names have been looked at so far.
        images: (n, H, W, C) uint8, of those of this part that could be read.
        unread, problems, num_animated, num_enlarged: as in `Decoded`, of this part.
    """

    end: int
    images: np.ndarray
    unread: list[int]
    problems: list[str]
    num_animated: int
    num_enlarged: int


def decode_to_memory(folder, names, image_shape, report):
    """Decode files into an array in memory.

    Args:
        folder: `Path`.
        names: of the files in it.
        image_shape: (H, W, C) of each image.
        report: receives a line every few seconds.

    Returns:
        `Decoded`.

    Raises:
        UserError: there are more images than the memory holds.
    """
    check_memory(folder, len(names) * math.prod(image_shape))
    images = np.empty((len(names), *image_shape), np.uint8)
    num_read, tally = 0, Tally()
    for block in decode_blocks(folder, names, image_shape, report):
        images[num_read : num_read + len(block.images)] = block.images
        num_read += len(block.images)
        tally.add(block)
    return Decoded(images[:num_read], **vars(tally))


@dataclass
class Tally:
    """What blocks have to tell beside their images, added up; as in `Decoded`."""

    unread: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    num_animated: int = 0
    num_enlarged: int = 0

    def add(self, block):
        """Add a `Block`."""
        for name, value in vars(self).items():
            setattr(self, name, value + getattr(block, name))


def decode_blocks(folder, names, image_shape, report, start=0):
    """Decode files in parallel; Pillow decodes and resizes outside Python's lock.

    Args:
        folder, names, image_shape, report: as for `decode_to_memory`.
        start: place of the first name to look at.

    Yields:
        A `Block` for each `FILES_PER_BLOCK` names.
    """
    began = last_report = time.monotonic()
    Image.init()  # here, since threads must not load the formats at the same time
    read = partial(try_to_read, folder, image_shape)
    with warnings.catch_warnings(), ThreadPoolExecutor(_num_cores()) as pool:
        warnings.simplefilter("ignore")  # Pillow warns of each odd file
        for first in range(start, len(names), FILES_PER_BLOCK):
            block = names[first : first + FILES_PER_BLOCK]
            yield _make_block(first, block, list(pool.map(read, block)), image_shape)
            now, end = time.monotonic(), first + len(block)
            if now - last_report > _REPORT_SECONDS and end < len(names):
                last_report = now
                left = (now - began) / (end - start) * (len(names) - end)
                report(f"image_folder: {end:,} of {len(names):,} read, {_minutes(left)} left")


def _make_block(first, names, pictures, image_shape):
    read = [picture for picture in pictures if picture.problem is None]
    bad = [place for place, picture in enumerate(pictures) if picture.problem]
    images = [picture.pixels for picture in read]
    return Block(
        end=first + len(names),
        images=np.stack(images) if images else np.empty((0, *image_shape), np.uint8),
        unread=[first + place for place in bad],
        problems=[f"{printable(names[place])}: {pictures[place].problem}" for place in bad],
        num_animated=sum(picture.is_animated for picture in read),
        num_enlarged=sum(2 * picture.side < image_shape[0] for picture in read),
    )


def _minutes(seconds):
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def _num_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def report_oddities(decoded, image_shape, report):
    """Say which files could not be read, and why, and what is unusual about others."""
    problems = decoded.problems
    if problems:
        report(f"image_folder: {len(problems)} could not be read and are left out:")
    for problem in problems[:_MAX_NAMED]:
        report(f"  {problem}")
    if len(problems) > _MAX_NAMED:
        report(f"  and {len(problems) - _MAX_NAMED} more")
    if decoded.num_animated:
        report(
            f"image_folder: of {decoded.num_animated:,} animated images the first frame is taken"
        )
    if decoded.num_enlarged:
        report(
            f"image_folder: {decoded.num_enlarged:,} images are smaller than "
            f"{image_shape[0] // 2} pixels and are enlarged, so they are blurred"
        )
