"""All files of a folder are decoded in parallel; those that cannot be read are named."""

import math
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from training_run.data.image_data import check_memory
from training_run.data.image_folder.listing import printable
from training_run.data.image_folder.pixels import try_to_read

_FILES_PER_BLOCK = 1024
_REPORT_SECONDS = 5
_MAX_NAMED = 10


class Decoded(NamedTuple):
    """What decoding gave.

    Attributes:
        images: (N, H, W, C) uint8, in the order of the names.
        indices: (N,) int64, the places of these images among the names.
        problems: sentences on unreadable files.
    """

    images: np.ndarray
    indices: np.ndarray
    problems: list[str]


def decode_files(folder, names, image_shape, report):
    """Decode files in parallel; Pillow decodes and resizes outside Python's lock.

    Args:
        folder: `Path`.
        names: of the files in it.
        image_shape: (H, W, C) of each image.
        report: receives a line every few seconds.

    Returns:
        `Decoded`.
    """
    check_memory(folder, len(names) * math.prod(image_shape))
    images = np.empty((len(names), *image_shape), np.uint8)
    indices, problems, last_report = [], [], time.monotonic()
    Image.init()  # here, since threads must not load the formats at the same time
    read = partial(try_to_read, folder, image_shape)
    with warnings.catch_warnings(), ThreadPoolExecutor(_num_cores()) as pool:
        warnings.simplefilter("ignore")  # Pillow warns of each odd file
        for start in range(0, len(names), _FILES_PER_BLOCK):
            block = names[start : start + _FILES_PER_BLOCK]
            for index, (pixels, problem) in enumerate(pool.map(read, block), start):
                if problem:
                    problems.append(f"{printable(names[index])}: {problem}")
                else:
                    images[len(indices)] = pixels
                    indices.append(index)
            if time.monotonic() - last_report > _REPORT_SECONDS:
                last_report = time.monotonic()
                report(f"image_folder: {start + len(block):,} of {len(names):,} read")
    return Decoded(images[: len(indices)], np.array(indices, np.int64), problems)


def _num_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def report_problems(problems, report):
    """Say how many files could not be read, and why the first of them could not."""
    if problems:
        report(f"image_folder: {len(problems)} could not be read and are left out:")
    for problem in problems[:_MAX_NAMED]:
        report(f"  {problem}")
    if len(problems) > _MAX_NAMED:
        report(f"  and {len(problems) - _MAX_NAMED} more")
