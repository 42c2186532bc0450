"""Well-known arrays: trusted by their checksums alone, cached in a file of our own.

A source is asked only if those before it had nothing. Whatever it yields is compared with
pinned SHA-256 sums, so a wrong mirror, a truncated file and a tampered cache are all the
same case: named, and passed over.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_run.data.image_data import sha256_of_array
from training_run.data.local_arrays import open_local, read_arrays
from training_run.errors import UserError
from training_run.files import atomic_path

CACHE_VARIABLE = "GAN_VAE_MNIST_CACHE"
"""Environment variable: the cache folder to use instead of the usual place."""


@dataclass(frozen=True)
class PinnedArrays:
    """uint8 arrays known to the last byte.

    Attributes:
        name: name of the dataset, and of its cache file.
        shapes: array name -> shape.
        sha256: array name -> hexadecimal SHA-256 of its bytes in C order.
    """

    name: str
    shapes: Mapping[str, tuple[int, ...]]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """One place that may have the arrays.

    Attributes:
        description: completes the sentence "MNIST, from ...".
        read: a function of `report` giving a dict of arrays, or None where there is nothing;
            raises `UserError` where there is something that cannot be used.
    """

    description: str
    read: Callable[[Callable[[str], None]], dict[str, np.ndarray] | None]


def load_pinned(pinned, sources, ways_out, report):
    """The arrays, from our cache or else from the first source that yields the right bytes.

    Args:
        pinned: what the arrays must be.
        sources: `Source`s in order of preference.
        ways_out: a sentence for the user to whom no source can give them.
        report: receives progress lines.

    Returns:
        (arrays by name, where they came from).

    Raises:
        UserError: no source had them.
    """
    arrays = read_cache(pinned, report)
    if arrays is not None:
        return arrays, f"our cache {cache_file(pinned)}"
    reasons = []
    for source in sources:
        try:
            arrays = source.read(report)
            if arrays is None:
                continue
            check_pinned(pinned, arrays, source.description)
        except UserError as error:
            reasons.append(str(error).rstrip("."))
            report(f"{pinned.name}: {reasons[-1]}")
            continue
        write_cache(pinned, arrays, report)
        return arrays, source.description
    raise UserError(f"{pinned.name} could not be had ({'; '.join(reasons)}): {ways_out}")


def check_pinned(pinned, arrays, where):
    """Raise `UserError` unless `arrays` are exactly the pinned ones.

    Args:
        pinned: what they must be.
        arrays: dict of arrays.
        where: where they came from, for the sentence.
    """
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


def cache_folder():
    """Our folder in the user's cache; it may not exist yet.

    Raises:
        OSError: the user has no home folder and no variable names another place.
    """
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser()
    try:
        return _user_cache_folder() / "gan-vae-mnist"
    except RuntimeError as error:
        raise OSError(f"no home folder ({CACHE_VARIABLE} can name one for the cache)") from error


def _user_cache_folder():
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    # The XDG specification ignores relative paths.
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache"


def cache_file(pinned):
    """Where these arrays are cached."""
    return cache_folder() / f"{pinned.name}.npz"


def read_cache(pinned, report):
    """The cached arrays, or None; a damaged file is named and set aside."""
    try:
        path = cache_file(pinned)
        before = path.stat()
    except OSError:
        return None
    try:
        arrays = read_arrays(open_local(path))
        check_pinned(pinned, arrays, path)
    except UserError as error:
        report(f"{pinned.name}: our cache is damaged: {error}")
        _set_aside(path, before, pinned.name, report)
        return None
    return arrays


def write_cache(pinned, arrays, report):
    """Cache the arrays, uncompressed, whole or not at all; failing is no error."""
    try:
        path = cache_file(pinned)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            np.savez(temporary, **{name: arrays[name] for name in pinned.shapes})
    except OSError as error:
        report(f"{pinned.name}: not cached, going on without: {error}")


def _set_aside(path, before, name, report):
    """Rename a damaged file, unless another process has put a fresh one in its place."""
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.damaged-{number}")):
        number += 1
    try:
        now = path.stat()
        if (now.st_ino, now.st_mtime_ns) == (before.st_ino, before.st_mtime_ns):
            os.replace(path, aside)
            report(f"{name}: set aside as {aside}")
    except OSError as error:
        report(f"{name}: could not be set aside: {error}")
