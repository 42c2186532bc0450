"""Arrays of images from a user's own files: a `.npz` as Keras's, or a folder of IDX files.

Headers can be read without the images, so a configuration is checked before anything is
loaded. Nothing is unpickled. Every fault is a `UserError` that names the file.
"""

import gzip
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
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
    user_path,
)
from training_run.errors import UserError

IDX_FILES = {
    "x_train": ("train-images-idx3-ubyte", "train-images.idx3-ubyte"),
    "y_train": ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
    "x_test": ("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"),
    "y_test": ("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"),
}
"""Names of the IDX files, plain or with `.gz`, for each array."""


_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    # numpy reads headers as Python literals; it does not catch all that comes of it.
    SyntaxError,
    tokenize.TokenError,
)


@dataclass(frozen=True)
class LocalArrays:
    """Arrays in files, not read yet.

    Attributes:
        path: the `.npz` file or the IDX folder.
        headers: array name -> (shape, dtype), for those of the four names that are there.
        read: a function from an array's name to the array.
    """

    path: Path
    headers: dict[str, tuple[tuple[int, ...], np.dtype]]
    read: Callable[[str], np.ndarray]


def find_local(path, title, noun):
    """The `Dataset` of local arrays; without a test split the last tenth is held out.

    Only the headers and the labels are read.

    Args:
        path: a `.npz` file or a folder of IDX files.
        title, noun: as in `DataSpec`.

    Raises:
        UserError: the path holds no such arrays, or they cannot be used.
    """
    local = open_local(path)
    spec = _describe(local, title, noun)
    source = f"Local files at {local.path}."
    return Dataset(
        spec, lambda report: make_image_data(read_arrays(local), spec.num_classes, source)
    )


def open_local(path):
    """Find the arrays at `path` and read their headers.

    Raises:
        UserError: there is no file, or no array, or the file is damaged.
    """
    path = user_path(path)
    if path.is_dir():
        local = _open_idx_folder(path)
    elif path.is_file():
        local = _open_npz(path)
    else:
        raise UserError(
            f"data.path: expected a .npz file or a folder of IDX files, received {path}, "
            f"which {'is neither' if path.exists() else 'does not exist'}."
        )
    return local


def read_arrays(local):
    """All arrays of a `LocalArrays`, by name.

    Raises:
        UserError: a file is truncated or otherwise damaged.
    """
    return {name: local.read(name) for name in local.headers}


def _describe(local, title, noun):
    _check_images(local)
    num_train, height, width, *channels = local.headers["x_train"][0]
    if "x_test" not in local.headers:
        num_train -= num_held_out(num_train)
    shape = (height, width, *(channels or [1]))
    return DataSpec(num_train, shape, _count_classes(local), title, noun)


def _check_images(local):
    """Refuse images that are not (N, H, W) or (N, H, W, 1 or 3) bytes, not alike, or too many."""
    if "x_train" not in local.headers:
        raise UserError(f"{local.path}: expected an array x_train, received none of that name.")
    least = 1 if "x_test" in local.headers else 2
    for name in ("x_train", "x_test"):
        if name not in local.headers:
            continue
        shape, dtype = local.headers[name]
        fits = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
        if dtype != np.uint8 or not fits or 0 in shape or shape[0] < least:
            raise UserError(
                f"{local.path}: expected {name} of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3), "
                f"N at least {least}, dtype uint8, received shape {shape}, dtype {dtype}."
            )
    train, test = (local.headers.get(name, [None])[0] for name in ("x_train", "x_test"))
    if test and test[1:] != train[1:]:
        raise UserError(
            f"{local.path}: expected x_test of the shape of x_train, (M, {str(train[1:])[1:]}, "
            f"received shape {test}."
        )
    shapes = [shape for name, (shape, _) in local.headers.items() if name.startswith("x_")]
    check_memory(local.path, sum(math.prod(shape) for shape in shapes))


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


@contextmanager
def _readable(path, expected):
    """Turn every way in which a file can be broken into one sentence."""
    try:
        yield
    except UserError:
        raise
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise UserError(
            f"{path}: expected {expected}, received a damaged one: {reason}."
        ) from error


def _open_npz(path):
    headers = {}
    with _readable(path, "a .npz file"), zipfile.ZipFile(path) as archive:
        for name in IDX_FILES:
            if f"{name}.npy" in archive.namelist():
                headers[name] = _npy_header(archive, f"{name}.npy", path)
    return LocalArrays(path, headers, lambda name: _read_npz_array(path, name))


def _npy_header(archive, member, path):
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise ValueError(f"{member} is of npy version {version}")
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise UserError(
                f"{path}: expected {member[:-4]} of dtype uint8 (images) or integer (labels), "
                f"received Python objects, which are not loaded."
            )
        size = file.tell() + dtype.itemsize * int(np.prod(shape, dtype=object))
        if size != archive.getinfo(member).file_size:
            raise ValueError(f"{member} does not hold the {shape} {dtype} that its header promises")
    return shape, dtype


def _read_npz_array(path, name):
    with _readable(path, "a .npz file"), np.load(path, allow_pickle=False) as arrays:
        return arrays[name]


def _open_idx_folder(folder):
    files = {name: _find_idx_file(folder, names) for name, names in IDX_FILES.items()}
    files = {name: file for name, file in files.items() if file}
    if "x_train" not in files:
        expected = IDX_FILES["x_train"][0]
        raise UserError(f"{folder}: expected {expected} or {expected}.gz in it, received neither.")
    headers = {}
    for name, file in files.items():
        with _readable(file, "an IDX file"), _open_idx(file) as stream:
            headers[name] = (_idx_shape(stream), np.dtype(np.uint8))
    return LocalArrays(folder, headers, lambda name: _read_idx(files[name]))


def _find_idx_file(folder, names):
    candidates = [folder / f"{name}{suffix}" for name in names for suffix in ("", ".gz")]
    return next((file for file in candidates if file.is_file()), None)


def _open_idx(file):
    return gzip.open(file) if file.suffix == ".gz" else open(file, "rb")


def _idx_shape(stream):
    zero, type_code, num_dimensions = struct.unpack(">HBB", stream.read(4))
    if zero != 0 or type_code != 0x08 or not 1 <= num_dimensions <= 4:
        raise ValueError(
            f"its first bytes are {zero:04x} {type_code:02x} {num_dimensions:02x}, where unsigned "
            f"bytes start with 0000 08 and a number of dimensions from 1 to 4"
        )
    return struct.unpack(f">{num_dimensions}I", stream.read(4 * num_dimensions))


def _read_idx(file):
    with _readable(file, "an IDX file"), _open_idx(file) as stream:
        shape = _idx_shape(stream)
        size = int(np.prod(shape, dtype=object))
        values = stream.read(size + 1)
        if len(values) != size:
            there = "more" if len(values) > size else len(values)
            raise ValueError(f"shape {shape} needs {size} bytes, there are {there}")
        return np.frombuffer(values, np.uint8).reshape(shape)
