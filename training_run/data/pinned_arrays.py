"""Well-known arrays: trusted by their checksums alone, and cached in a file of our own.

Sources are asked in order until one gives the right bytes. What a source gives is compared
with pinned SHA-256 sums. So a wrong mirror, a truncated file and a tampered cache are found
in the same way: the fault is reported, and the next source is asked.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from training_run.data.image_data import sha256_of_array
from training_run.data.local_arrays import read_if_there
from training_run.errors import UserError
from training_run.files import atomic_path

CACHE_VARIABLE = "GAN_VAE_MNIST_CACHE"
"""Environment variable: the cache folder to use instead of the usual place."""


@dataclass(frozen=True)
class Source:
    """One place that may have the arrays.

    Attributes:
        description: completes the sentence "MNIST, from ...".
        read: a function of `report`. It gives a dict of arrays, or None where there is nothing,
            and raises `UserError` where there is something that cannot be used.
    """

    description: str
    read: Callable[[Callable[[str], None]], dict[str, np.ndarray] | None]


@dataclass(frozen=True)
class PinnedArrays:
    """uint8 arrays with known checksums.

    Attributes:
        name: name of the dataset, and of its cache file.
        shapes: array name to shape.
        sha256: array name to hexadecimal SHA-256 of its bytes in C order.
        sources: where the arrays may be found besides our cache, in order of preference.
        ways_out: what the user can do if no source has them.
    """

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    sha256: Mapping[str, str]
    sources: tuple[Source, ...]
    ways_out: str


def load_pinned(pinned, report):
    """The arrays, from our cache or else from the first source that gives the right bytes.

    Args:
        pinned: `PinnedArrays`.
        report: receives progress lines.

    Returns:
        (arrays by name, where they came from).

    Raises:
        UserError: no source had them.
    """
    cache, reasons = _cache_source(pinned), []
    for source in (cache, *pinned.sources):
        try:
            arrays = source.read(report)
            if arrays is None:
                continue
            _check_pinned(pinned, arrays, source.description)
        except UserError as error:
            reasons.append(str(error).rstrip("."))
            report(f"{pinned.name}: {reasons[-1]}")
            continue
        if source is not cache:
            _write_cache(pinned, arrays, report)
        return arrays, source.description
    raise UserError(f"{pinned.name} could not be loaded ({'; '.join(reasons)}): {pinned.ways_out}")


def cache_folder():
    """Our folder in the user's cache; it may not exist yet.

    Raises:
        OSError: the user has no home folder, and no variable names another place.
    """
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(os.path.expanduser(own))
    with suppress(RuntimeError):
        folder = user_cache_path("gan-vae-mnist", appauthor=False, opinion=False)
        if folder.is_absolute():  # older versions return "~/.cache" without a home
            return folder
    raise OSError(f"no home folder ({CACHE_VARIABLE} can name one for the cache)")


def _cache_source(pinned):
    try:
        path = cache_folder() / f"{pinned.name}.npz"
    except OSError:
        return Source("our cache", lambda report: None)
    return Source(f"our cache {path}", lambda report: read_if_there(path))


def _write_cache(pinned, arrays, report):
    """Cache the arrays, uncompressed. A cache that cannot be written is reported, no error."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / f"{pinned.name}.npz") as temporary:
            np.savez(temporary, **{name: arrays[name] for name in pinned.shapes})
    except OSError as error:
        report(f"{pinned.name}: not cached: {error}")


def _check_pinned(pinned, arrays, where):
    """Raise `UserError` unless `arrays` are exactly the pinned ones."""
    for name, shape in pinned.shapes.items():
        if name not in arrays:
            raise UserError(f"{where}: expected an array {name}, received none of that name.")
        array = arrays[name]
        if array.shape != shape or array.dtype != np.uint8:
            raise UserError(
                f"{where}: expected {name} of shape {shape}, dtype uint8, "
                f"received shape {array.shape}, dtype {array.dtype}."
            )
        digest = sha256_of_array(array)
        if digest != pinned.sha256[name]:
            raise UserError(
                f"{where}: expected {name} with sha256 {pinned.sha256[name][:12]}..., "
                f"received {digest[:12]}...."
            )
