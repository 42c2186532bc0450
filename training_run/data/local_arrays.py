"""Arrays of images from a user's own files: a `.npz` as Keras's, or a folder of IDX files.

A configuration is checked against the headers alone, before images are read. Nothing is
unpickled. Every fault is a `UserError` that names the file.
"""

import gzip
import math
import os
import struct
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_run.data.image_data import (
    Dataset,
    DataSpec,
    check_memory,
    make_image_data,
    num_held_out,
)
from training_run.errors import UserError

IDX_FILES = {
    "x_train": ("train-images-idx3-ubyte", "train-images.idx3-ubyte"),
    "y_train": ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
    "x_test": ("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"),
    "y_test": ("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"),
}
"""Array name to the names of its IDX file; each may end in `.gz`."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
"""Of files that show that a folder is one of images."""

CLASS_NAMES = "class_names"
"""Name of the array of texts that a `.npz` may have beside the labels."""


@dataclass(frozen=True)
class LocalArrays:
    """Arrays in files, not read yet.

    Attributes:
        path: the `.npz` file or the IDX folder.
        headers: array name to (shape, dtype), for those of the four arrays that are there.
        read: a function from an array's name to the array.
        has_class_names: True if there is an array of that name, too.
    """

    path: Path
    headers: dict[str, tuple[tuple[int, ...], np.dtype]]
    read: Callable[[str], np.ndarray]
    has_class_names: bool = False

    def read_all(self):
        """dict of all arrays.

        Raises:
            UserError: a file is truncated or otherwise damaged.
        """
        return {name: self.read(name) for name in self.headers}


def find_local(path, title, noun):
    """The `Dataset` of local arrays; without a test split the last tenth is held out.

    Only the headers and the labels are read.

    Args:
        path: a `.npz` file or a folder of IDX files.
        title, noun: as in `DataSpec`.

    Raises:
        UserError: the path holds no such arrays, or they cannot be used.
    """
    local = _open_local(Path(os.path.expanduser(path)))
    _check_images(local)
    num_train, height, width, *channels = local.headers["x_train"][0]
    if "x_test" not in local.headers:
        num_train -= num_held_out(num_train)
    shape = (height, width, *(channels or [1]))
    num_classes = _count_classes(local)
    class_names = _class_names(local, num_classes)
    spec = DataSpec(num_train, shape, num_classes, title, noun, class_names)
    source = f"Local files at {local.path}."

    def read(report):
        return make_image_data(local.read_all(), num_classes, source, class_names)

    return Dataset(spec, read)


def read_if_there(path):
    """dict of the arrays at `path`, a `.npz` file or an IDX folder; None if it does not exist.

    Raises:
        UserError: it holds no such arrays, or a file is damaged.
    """
    return _open_local(path).read_all() if os.path.exists(path) else None


def _open_local(path):
    """Find the arrays at `path` and read their headers."""
    if os.path.isdir(path):
        return _open_idx_folder(path)
    if os.path.isfile(path):
        return _open_npz(path)
    raise UserError(
        f"data.path: expected a .npz file or a folder of IDX files, received {path}, "
        f"which {'is neither' if os.path.exists(path) else 'does not exist'}."
    )


def _check_images(local):
    """Refuse images of a wrong shape or dtype, or more than the memory holds."""
    if "x_train" not in local.headers:
        raise UserError(f"{local.path}: expected an array x_train, received none of that name.")
    shapes = {
        name: local.headers[name][0] for name in ("x_train", "x_test") if name in local.headers
    }
    for name, shape in shapes.items():
        dtype, least = local.headers[name][1], 1 if "x_test" in shapes else 2
        fits = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
        if dtype != np.uint8 or not fits or 0 in shape or shape[0] < least:
            raise UserError(
                f"{local.path}: expected {name} of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3), "
                f"N at least {least}, dtype uint8, received shape {shape}, dtype {dtype}."
            )
        if shape[1:] != shapes["x_train"][1:]:
            raise UserError(
                f"{local.path}: expected images of one size, received x_train of shape "
                f"{shapes['x_train']} and {name} of shape {shape}."
            )
    check_memory(local.path, sum(map(math.prod, shapes.values())))


def _count_classes(local):
    """Number of classes, None without labels; refuses labels that do not fit the images."""
    if "y_train" not in local.headers:
        return None
    highest = -1
    for split in ("train", "test"):
        if f"y_{split}" not in local.headers or f"x_{split}" not in local.headers:
            continue
        num_images = local.headers[f"x_{split}"][0][0]
        shape, dtype = local.headers[f"y_{split}"]
        if shape not in ((num_images,), (num_images, 1)) or dtype.kind not in "iu":
            raise UserError(
                f"{local.path}: expected y_{split} of shape ({num_images},), as many as there are "
                f"images, of an integer dtype, received shape {shape}, dtype {dtype}."
            )
        labels = local.read(f"y_{split}")
        highest = max(highest, int(labels.max()))
        if labels.min() < 0 or highest >= local.headers["x_train"][0][0]:
            raise UserError(
                f"{local.path}: expected y_{split} to number the classes from 0, received labels "
                f"from {labels.min()} to {labels.max()}."
            )
    return highest + 1


def _class_names(local, num_classes):
    """Names of the classes, None where there are none; refuses names that are not one a class."""
    if num_classes is None or not local.has_class_names:
        return None
    names = local.read(CLASS_NAMES)
    if names.dtype.kind != "U" or names.shape != (num_classes,) or len(set(names)) < num_classes:
        raise UserError(
            f"{local.path}: expected class_names with a different text for each of the "
            f"{num_classes} classes, received shape {names.shape}, dtype {names.dtype}."
        )
    return tuple(name if name.isprintable() else ascii(name) for name in names.tolist())


@contextmanager
def _readable(path, expected):
    """Turn every fault of a file into one sentence."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # zipfile, gzip and numpy raise nearly anything at broken files
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UserError(
            f"{path}: expected {expected}, received a damaged one: {reason}."
        ) from error


def _open_npz(path):
    headers = {}
    with _readable(path, "a .npz file"), zipfile.ZipFile(path) as archive:
        for name in IDX_FILES:
            if f"{name}.npy" in archive.namelist():
                with archive.open(f"{name}.npy") as file:
                    headers[name] = _npy_header(file)
        has_class_names = f"{CLASS_NAMES}.npy" in archive.namelist()
    return LocalArrays(path, headers, lambda name: _read_npz_array(path, name), has_class_names)


def _npy_header(file):
    if np.lib.format.read_magic(file) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    return shape, dtype


def _read_npz_array(path, name):
    with _readable(path, "a .npz file"), np.load(path, allow_pickle=False) as arrays:
        return arrays[name]


def _open_idx_folder(folder):
    files = {name: _find_idx_file(folder, names) for name, names in IDX_FILES.items()}
    files = {name: file for name, file in files.items() if file}
    if "x_train" not in files:
        expected = IDX_FILES["x_train"][0]
        hint = (
            "; for a folder of images, add data.dataset=image_folder" if any_image(folder) else ""
        )
        raise UserError(
            f"{folder}: expected {expected} or {expected}.gz in it, received neither{hint}."
        )
    headers = {}
    for name, file in files.items():
        with _readable(file, "an IDX file"), _open_idx(file) as stream:
            headers[name] = (shape := _idx_shape(stream), np.dtype(np.uint8))
            _check_idx_size(file, shape, stream.tell())
    return LocalArrays(folder, headers, lambda name: _read_idx(files[name]))


def any_image(folder):
    """True if a folder, or one of the folders in it, has a picture in it."""
    names = (path.suffix.lower() for pattern in ("*.*", "*/*.*") for path in folder.glob(pattern))
    return any(suffix in PICTURE_SUFFIXES for suffix in names)


def _find_idx_file(folder, names):
    candidates = [folder / f"{name}{suffix}" for name in names for suffix in ("", ".gz")]
    return next(filter(os.path.isfile, candidates), None)


def _open_idx(file):
    return gzip.open(file) if file.suffix == ".gz" else open(file, "rb")


def _idx_shape(stream):
    zero, type_code, num_dimensions = struct.unpack(">HBB", stream.read(4))
    if zero != 0 or type_code != 0x08 or not 1 <= num_dimensions <= 4:
        raise ValueError(
            f"its first bytes are {zero:04x} {type_code:02x} {num_dimensions:02x}, but unsigned "
            f"bytes start with 0000 08 and a number of dimensions from 1 to 4"
        )
    return struct.unpack(f">{num_dimensions}I", stream.read(4 * num_dimensions))


def _check_idx_size(file, shape, header_size):
    """Refuse a file of another size than its header says, without reading it.

    A gzip file ends with the size of what is in it, modulo 2^32.
    """
    size, there = math.prod(shape), os.path.getsize(file) - header_size
    if file.suffix != ".gz":
        if size != there:
            raise ValueError(f"shape {shape} needs {size} bytes, there are {there}")
        return
    with open(file, "rb") as stream:
        stream.seek(-4, os.SEEK_END)
        (told,) = struct.unpack("<I", stream.read(4))
    if (size + header_size - told) % 2**32:
        raise ValueError(f"shape {shape} needs {size} bytes, and the file's end tells of others")


def _read_idx(file):
    with _readable(file, "an IDX file"), _open_idx(file) as stream:
        shape = _idx_shape(stream)
        size = math.prod(shape)
        values = stream.read(size + 1)
        if len(values) != size:
            there = "more" if len(values) > size else len(values)
            raise ValueError(f"shape {shape} needs {size} bytes, there are {there}")
        return np.frombuffer(values, np.uint8).reshape(shape)
