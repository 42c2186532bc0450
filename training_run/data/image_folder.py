"""A user's own images: nested folders, any size, grey or colour, cut to equal squares.

One bad file among thousands is a line on the screen, not the end: whatever cannot be read
is named, counted and left out.
"""

import hashlib
import math
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import numpy as np
from PIL import Image

from training_run.data.image_data import (
    Dataset,
    DataSpec,
    check_memory,
    make_image_data,
    num_held_out,
    user_path,
)
from training_run.errors import UserError

DEFAULT_IMAGE_SIZE = 64


FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""What files may hold, whatever their names say; others run external programs or are no images."""


SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
)


MAX_PIXELS = 50_000_000
"""Larger images (a JPEG counts as reduced) are not decoded: a few could fill the memory."""


_FILES_PER_TASK = 32


_REPORT_SECONDS = 5


_MAX_NAMED = 10


_EXIF_ORIENTATION = 0x0112


_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def find(data_config):
    """The `Dataset` of a folder of images; a tenth of them is held out for testing.

    The folder is listed once, here; files are read when the dataset is.

    Raises:
        UserError: `data.path` is not a folder with at least two images in it.
    """
    folder = _folder(data_config)
    names, problems = find_images(folder)
    size = data_config.image_size or DEFAULT_IMAGE_SIZE
    shape = (size, size, data_config.num_channels or 3)
    title = f"Images of {folder.resolve().name}"
    spec = DataSpec(len(names) - num_held_out(len(names)), shape, None, title)
    return Dataset(spec, partial(_read, folder, names, problems, shape))


def _read(folder, names, problems, image_shape, report):
    report(f"image_folder: reading {len(names):,} images from {folder}")
    images, unreadable = _read_images(folder, names, image_shape, report)
    problems = problems + unreadable
    _report_problems(problems, report)
    if len(images) < 2:
        raise UserError(
            f"data.path: expected at least 2 readable images in {folder}, received {len(images)} "
            f"({'; '.join(problems[:3])})."
        )
    left_out = f", {len(problems)} unreadable ones left out" if problems else ""
    source = f"image_folder, {len(images)} images from {folder}{left_out}."
    return make_image_data({"x_train": images}, None, source)


def find_images(folder):
    """Names of all files below a folder that call themselves images, in a fixed mixed order.

    The order is that of the hashes of the names, the same on every machine: so the tenth
    held out for testing is a fair sample even where each class has a folder of its own.
    Links are followed, each folder is entered once. Hidden files are passed over.

    Args:
        folder: `Path`.

    Returns:
        (names relative to the folder, with forward slashes; sentences on folders that
        cannot be entered).

    Raises:
        UserError: there are fewer than two.
    """
    names, problems, entered, pending = [], [], set(), [""]
    while pending:
        parent = pending.pop()
        try:
            status = os.stat(folder / parent)
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder / parent), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(f"{_printable(parent)}: {error.strerror or error}")
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            name = f"{parent}/{entry.name}" if parent else entry.name
            if _is_folder(entry):
                pending.append(name)
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                names.append(name)
    if len(names) < 2:
        raise UserError(
            f"data.path: expected a folder with at least 2 images ({', '.join(sorted(SUFFIXES))}), "
            f"received {folder} with {len(names)}."
        )
    return sorted(names, key=lambda name: hashlib.sha256(os.fsencode(name)).digest()), problems


def square_pixels(image, image_size, num_channels):
    """The largest centred square of a picture, resized.

    16-bit grey becomes 8-bit; what is transparent is laid on white.

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


def _folder(data_config):
    if data_config.path is None:
        raise UserError("data.path: expected a folder of images for image_folder, received none.")
    folder = user_path(data_config.path)
    if not folder.is_dir():
        raise UserError(
            f"data.path: expected a folder of images, received {folder}, which is none."
        )
    return folder


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _printable(name):
    """A file's name, safe to print: some hold line ends, control codes or no characters at all."""
    return name if name.isprintable() else ascii(name)


def _read_images(folder, names, image_shape, report):
    """Read files in parallel; Pillow decodes and resizes outside Python's lock.

    Returns:
        (images (N, H, W, C) uint8 in the order of `names`, sentences on unreadable files).
    """
    check_memory(folder, len(names) * math.prod(image_shape))
    images = np.empty((len(names), *image_shape), np.uint8)
    Image.init()  # all formats now, not in several threads at once
    read = partial(_read_some, folder, names, images)
    starts = range(0, len(names), _FILES_PER_TASK)
    problems, last_report = {}, time.monotonic()
    # Warnings on odd files would come in a flood; `closing` drops waiting tasks on Ctrl-C.
    with warnings.catch_warnings(), ThreadPoolExecutor(_num_cores()) as pool:
        warnings.simplefilter("ignore")
        with closing(pool.map(read, starts)) as results:
            for start, found in zip(starts, results, strict=True):
                problems |= found
                if time.monotonic() - last_report > _REPORT_SECONDS:
                    last_report = time.monotonic()
                    report(f"image_folder: {start:,} of {len(names):,} read")
    good = [index for index in range(len(names)) if index not in problems]
    sentences = [f"{_printable(names[index])}: {why}" for index, why in problems.items()]
    for place, index in enumerate(good):  # in place: the images may fill half the memory
        images[place] = images[index]
    return images[: len(good)], sentences


def _read_some(folder, names, images, start):
    """Fill in the images from `start` on; returns index -> why it cannot be read."""
    problems = {}
    for index in range(start, min(start + _FILES_PER_TASK, len(names))):
        try:
            images[index] = _read_image(folder / names[index], *images.shape[2:])
        except Exception as error:  # decoders raise nearly anything at broken files
            problems[index] = _reason(error)
    return problems


def _read_image(path, image_size, num_channels):
    if not path.is_file():
        raise ValueError("not a regular file")
    with Image.open(path, formats=FORMATS) as image:
        # A large JPEG is decoded at a half, a quarter or an eighth of its size.
        image.draft("L" if num_channels == 1 else "RGB", (image_size, image_size))
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"too large to decode: {image.width}x{image.height}")
        orientation = _orientation(image)
        pixels = square_pixels(image, image_size, num_channels)
    if orientation not in _UPRIGHT:
        return pixels
    # Turning a centred square after the fact is the same, and cheaper.
    upright = Image.fromarray(pixels.squeeze()).transpose(_UPRIGHT[orientation])
    return np.asarray(upright).reshape(pixels.shape)


def _orientation(image):
    """How the camera was held; a broken EXIF block does not make an image unreadable."""
    try:
        return image.getexif().get(_EXIF_ORIENTATION)
    except Exception:
        return None


def _plain_mode(image):
    """Convert to L, RGB or RGBA, which can be resized and keep what is in the file."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is unknown")
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGB")


def _from_16_bits(image):
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("32-bit pixels, whose range is unknown")
    return Image.fromarray((values // 257).astype(np.uint8))


def _num_cores():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reason(error):
    """Why a file cannot be read, without the path that Pillow repeats."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "no image in any known format"
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if len(text) < 15 else text


def _report_problems(problems, report):
    if problems:
        report(f"image_folder: {len(problems)} could not be read and are left out:")
    for problem in problems[:_MAX_NAMED]:
        report(f"  {problem}")
    if len(problems) > _MAX_NAMED:
        report(f"  and {len(problems) - _MAX_NAMED} more")
