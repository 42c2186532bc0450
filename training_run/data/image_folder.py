"""A user's own images: nested folders, any size, grey or colour, cut to equal squares.

Files that cannot be read are named, counted and left out.
"""

import hashlib
import math
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from training_run.data.image_data import (
    Dataset,
    DataSpec,
    check_memory,
    make_image_data,
    num_held_out,
)
from training_run.errors import UserError

DEFAULT_IMAGE_SIZE = 64

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""Formats that are decoded, whatever the suffix; some other decoders run external programs."""

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
)

MAX_PIXELS = 50_000_000
"""Larger images are not decoded, to save memory. A JPEG's size counts after reduction."""

_FILES_PER_BLOCK = 1024
_REPORT_SECONDS = 5
_MAX_NAMED = 10
_MAX_TRIED = 100


def find(data_config):
    """The `Dataset` of a folder of images; a tenth of them is held out for testing.

    The folder is listed here; `Dataset.read` uses the same list.

    Raises:
        UserError: `data.path` is not a folder with at least two images in it.
    """
    if data_config.path is None:
        raise UserError("data.path: expected a folder of images for image_folder, received none.")
    folder = Path(os.path.expanduser(data_config.path))
    if not os.path.isdir(folder):
        raise UserError(
            f"data.path: expected a folder of images, received {folder}, which is not a folder."
        )
    names, problems = find_images(folder)
    size = data_config.image_size or DEFAULT_IMAGE_SIZE
    shape = (size, size, data_config.num_channels or 3)
    _check_readable(folder, names, shape)
    title = f"Images of {folder.resolve().name}"
    spec = DataSpec(len(names) - num_held_out(len(names)), shape, None, title)
    return Dataset(spec, partial(_read, folder, names, problems, shape))


def _check_readable(folder, names, image_shape):
    """Refuse a folder of unreadable files before anything else is waited for.

    Only the first files are looked at, until two are good; of a larger folder nothing is known.
    """
    num_read, problems = 0, []
    for name in names[:_MAX_TRIED]:
        _, problem = _try_to_read(folder, image_shape, name)
        num_read += problem is None
        problems += [f"{_printable(name)}: {problem}"] if problem else []
        if num_read == 2:
            return
    if len(names) <= _MAX_TRIED:
        raise _too_few(folder, num_read, problems)


def _too_few(folder, num_read, problems):
    return UserError(
        f"data.path: expected at least 2 readable images in {folder}, received {num_read} "
        f"({'; '.join(problems[:3])})."
    )


def _read(folder, names, problems, image_shape, report):
    report(f"image_folder: reading {len(names):,} images from {folder}")
    images, unreadable = _read_images(folder, names, image_shape, report)
    problems = problems + unreadable
    _report_problems(problems, report)
    if len(images) < 2:
        raise _too_few(folder, len(images), problems)
    left_out = f", {len(problems)} unreadable ones left out" if problems else ""
    source = f"image_folder, {len(images)} images from {folder}{left_out}."
    return make_image_data({"x_train": images}, None, source)


def find_images(folder):
    """Names of all files below a folder that have the suffix of an image, in a fixed mixed order.

    The order is that of the hashes of the names, the same on every machine. So the tenth held
    out for testing is a fair sample, even if each class has a folder of its own. Links are
    followed, and each folder is entered once. Hidden files are left out.

    Args:
        folder: `Path`.

    Returns:
        (names relative to the folder, with forward slashes; sentences on folders that
        cannot be entered, and on links and devices that are no files).

    Raises:
        UserError: there are fewer than two.
    """
    names, problems, entered = [], [], set()

    def note(error):
        name = os.path.relpath(error.filename, folder)
        problems.append(f"{_printable(name)}: {error.strerror}")

    for parent, subfolders, files in os.walk(folder, onerror=note, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in entered:
            subfolders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        # This order decides which name is kept if links lead to a folder in several ways.
        subfolders[:] = sorted(filter(_is_visible, subfolders), reverse=True)
        prefix = Path(parent).relative_to(folder)
        for file in filter(_is_image_name, files):
            name = (prefix / file).as_posix()
            if os.path.isfile(os.path.join(parent, file)):
                names.append(name)
            else:
                problems.append(f"{_printable(name)}: not a regular file")
    if len(names) < 2:
        raise UserError(
            f"data.path: expected a folder with at least 2 images ({', '.join(sorted(SUFFIXES))}), "
            f"received {folder} with {len(names)}."
        )
    return sorted(names, key=lambda name: hashlib.sha256(os.fsencode(name)).digest()), problems


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


def _is_visible(name):
    return not name.startswith(".") and name != "__MACOSX"


def _is_image_name(name):
    return _is_visible(name) and os.path.splitext(name)[1].lower() in SUFFIXES


def _printable(name):
    """A file's name, safe to print: line ends, control codes and invalid bytes are escaped."""
    return name if name.isprintable() else ascii(name)


def _read_images(folder, names, image_shape, report):
    """Read files in parallel; Pillow decodes and resizes outside Python's lock.

    Returns:
        (images (N, H, W, C) uint8 in the order of `names`, sentences on unreadable files).
    """
    check_memory(folder, len(names) * math.prod(image_shape))
    images = np.empty((len(names), *image_shape), np.uint8)
    num_read, problems, last_report = 0, [], time.monotonic()
    Image.init()  # here, since threads must not load the formats at the same time
    read = partial(_try_to_read, folder, image_shape)
    with warnings.catch_warnings(), ThreadPoolExecutor(_num_cores()) as pool:
        warnings.simplefilter("ignore")  # Pillow warns of each odd file
        for start in range(0, len(names), _FILES_PER_BLOCK):
            block = names[start : start + _FILES_PER_BLOCK]
            for name, (pixels, problem) in zip(block, pool.map(read, block), strict=True):
                if problem:
                    problems.append(f"{_printable(name)}: {problem}")
                else:
                    images[num_read] = pixels
                    num_read += 1
            if time.monotonic() - last_report > _REPORT_SECONDS:
                last_report = time.monotonic()
                report(f"image_folder: {start + len(block):,} of {len(names):,} read")
    return images[:num_read], problems


def _try_to_read(folder, image_shape, name):
    """(pixels, None) of a file, or (None, why it cannot be read)."""
    try:
        return _read_image(folder / name, *image_shape[1:]), None
    except Image.UnidentifiedImageError:
        return None, "no image in any known format"
    except Exception as error:  # decoders raise nearly anything at broken files
        text = " ".join(str(error).split()).rstrip(".")
        return None, f"{type(error).__name__}: {text}" if len(text) < 15 else text


def _read_image(path, image_size, num_channels):
    if not path.is_file():
        raise ValueError("not a regular file")
    with Image.open(path, formats=FORMATS) as image:
        # A large JPEG is decoded at a half, a quarter or an eighth of its size.
        image.draft("L" if num_channels == 1 else "RGB", (image_size, image_size))
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"too large to decode: {image.width}x{image.height}")
        square = Image.fromarray(square_pixels(image, image_size, num_channels).squeeze())
        square.info = image.info
    with suppress(Exception):  # a broken EXIF block does not make an image unreadable
        ImageOps.exif_transpose(square, in_place=True)
    return np.asarray(square).reshape(image_size, image_size, num_channels)


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


def _num_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _report_problems(problems, report):
    if problems:
        report(f"image_folder: {len(problems)} could not be read and are left out:")
    for problem in problems[:_MAX_NAMED]:
        report(f"  {problem}")
    if len(problems) > _MAX_NAMED:
        report(f"  and {len(problems) - _MAX_NAMED} more")
