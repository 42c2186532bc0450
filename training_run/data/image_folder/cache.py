"""Decoded images in a file that is mapped into memory, so that they are decoded once.

A cache has a name made of what it was decoded from: the names, sizes and times of the files, and
the shape of the images. So a folder that has changed gets another cache, and the older one still
serves a run that began with it. An `.npy` file holds the images and a JSON file the rest. While a
cache is being built, a journal says how far it is: after a kill, decoding goes on from there.
"""

import hashlib
import io
import json
import math
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from training_run.config.records import Record, read_record, write_record
from training_run.data.image_data import num_held_out, sha256_of_array
from training_run.data.image_folder.reading import (
    Decoded,
    Tally,
    decode_blocks,
    decode_to_memory,
)
from training_run.data.pinned_arrays import cache_folder
from training_run.errors import UserError
from training_run.files import write_text

VERSION = 1
"""Of the way from a file to pixels and of the cache's files; another one makes another name."""

HEADER_BYTES = 128
"""Of the header of an `.npy` file of images, however many."""

NUM_PROBES = 1000
"""Images whose checksum is compared when a cache is opened: all of them would take seconds."""

_LOCK_SECONDS = 5


class CacheRecord(Record):
    """The JSON file beside a cache.

    Attributes:
        num_images: in the `.npy` file.
        tally: what there is to tell beside the images.
        sha256_x_train: of the training images' bytes.
        sha256_probes: of some evenly spread images' bytes.
    """

    num_images: int
    tally: Tally
    sha256_x_train: str
    sha256_probes: str


class CachePlace(NamedTuple):
    """Paths of one cache."""

    images: Path

    @property
    def record(self):
        return self.images.with_suffix(".json")

    @property
    def part(self):
        """The images so far, while the cache is being built."""
        return self.images.with_suffix(".part")

    @property
    def journal(self):
        """A line of JSON for each block in `part`."""
        return self.images.with_suffix(".journal")

    @property
    def lock(self):
        return self.images.with_suffix(".lock")


def load_images(setting, folder, files, image_shape, report):
    """The images of files: from their cache, or decoded into it.

    Where a cache cannot be written, they are decoded into memory, and the reason is said.

    Args:
        setting: `data.cache`: False for no cache, True for the user's cache folder, or a folder.
        folder: `Path` of the images.
        files: list of `ImageFile`.
        image_shape: (H, W, C) of each image.
        report: receives progress lines.

    Returns:
        `Decoded`; cached images are mapped, not in memory.
    """
    names = [file.name for file in files]
    if setting is not False:
        try:
            place = find_place(setting, files, image_shape)
            return open_cache(place, image_shape, report) or _build_alone(
                place, folder, names, image_shape, report
            )
        except OSError as error:
            reason = f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")
            report(f"image_folder: the decoded images are not cached: {reason}")
    report(f"image_folder: reading {len(names):,} images from {folder}")
    return decode_to_memory(folder, names, image_shape, report)


def find_place(setting, files, image_shape):
    """The `CachePlace` of files at a size; arguments as for `load_images`.

    Raises:
        OSError: the user has no cache folder.
    """
    lines = [f"{VERSION} {image_shape}"]
    lines += [f"{file.num_bytes} {file.modified} {file.name}" for file in files]
    digest = hashlib.sha256(os.fsencode("\0".join(lines)))
    place = cache_folder() / "images" if setting is True else Path(os.path.expanduser(setting))
    return CachePlace(place / f"images-{digest.hexdigest()[:24]}.npy")


def open_cache(place, image_shape, report):
    """The `Decoded` of a whole cache; None if there is none, or it is damaged."""
    try:
        record = read_record(place.record, CacheRecord)
        images = np.load(
            place.images, mmap_mode="c", allow_pickle=False
        )  # no write reaches the file
    except (UserError, OSError, ValueError, EOFError):
        return None
    if images.shape != (record.num_images, *image_shape) or images.dtype != np.uint8:
        return None
    if _probe(images) != record.sha256_probes:
        report(f"image_folder: {place.images} is damaged and is made again")
        return None
    report(f"image_folder: {len(images):,} images from the cache {_with_size(place.images)}")
    return Decoded(images, **vars(record.tally), checksum=record.sha256_x_train)


def has_cache(setting, files, image_shape):
    """True if there is a whole cache; arguments as for `load_images`."""
    try:
        place = find_place(setting, files, image_shape)
    except OSError:
        return False
    return open_cache(place, image_shape, lambda line: None) is not None


def _probe(images):
    places = np.linspace(0, len(images) - 1, min(NUM_PROBES, len(images))).astype(np.int64)
    return sha256_of_array(images[places])


def _with_size(path):
    return f"{path} ({path.stat().st_size / 1e6:,.1f} MB)"


def _build_alone(place, folder, names, image_shape, report):
    """Build a cache; if another process is about it, wait and take its own."""
    place.images.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.lock)
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        report("image_folder: another run is reading these images; waiting for its cache")
        lock.acquire()
    try:
        found = open_cache(place, image_shape, report)
        return found or _build(place, folder, names, image_shape, report)
    finally:
        lock.release()


def _build(place, folder, names, image_shape, report):
    _check_disk(place, len(names) * math.prod(image_shape))
    end, tally = _recover(place, image_shape)
    going_on = f", going on after {end:,}" if end else ""
    report(f"image_folder: reading {len(names):,} images from {folder}{going_on}")
    try:
        with open(place.part, "r+b") as images, open(place.journal, "a") as journal:
            images.seek(0, os.SEEK_END)
            for block in decode_blocks(folder, names, image_shape, report, end):
                images.write(block.images.tobytes())
                images.flush()
                line = {name: value for name, value in block._asdict().items() if name != "images"}
                journal.write(json.dumps(line) + "\n")
                journal.flush()
                tally.add(block)
    except OSError:  # such as a full disk
        _remove(place)
        raise
    num_images = len(names) - len(tally.unread)
    if num_images < 2:  # the folder is about to be refused
        _remove(place)
        return decode_to_memory(folder, names, image_shape, report)
    _finish(place, num_images, image_shape, tally)
    decoded = open_cache(place, image_shape, lambda line: None)
    report(f"image_folder: cached in {_with_size(place.images)}")
    return decoded


def _check_disk(place, num_bytes):
    free = shutil.disk_usage(place.images.parent).free
    if free < num_bytes:
        reason = f"{num_bytes / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free"
        raise OSError(None, reason, str(place.images.parent))


def _recover(place, image_shape):
    """How far an interrupted build came: (names looked at, their `Tally`).

    What was written after the journal's last whole line is cut off. Without it, or with fewer
    images than it tells of, the build starts anew.
    """
    blocks, end, tally = _read_journal(place), 0, Tally()
    for block in blocks:
        tally.add(block)
        end = block.end
    num_bytes = HEADER_BYTES + (end - len(tally.unread)) * math.prod(image_shape)
    if not place.part.exists() or place.part.stat().st_size < num_bytes:
        blocks, end, tally = [], 0, Tally()
        place.part.write_bytes(bytes(HEADER_BYTES))
    else:
        os.truncate(place.part, num_bytes)
    write_text(place.journal, "".join(json.dumps(vars(block)) + "\n" for block in blocks))
    return end, tally


def _read_journal(place):
    """The whole lines of a journal, objects like blocks; an empty list without one."""
    if not place.journal.exists():
        return []
    *lines, _ = place.journal.read_text(encoding="utf-8", errors="replace").split("\n")
    try:
        return [SimpleNamespace(**json.loads(line)) for line in lines]
    except ValueError:
        return []


def _finish(place, num_images, image_shape, tally):
    """Make a whole cache of a finished part: its header, its record, its name."""
    with open(place.part, "r+b") as file:
        file.write(_header((num_images, *image_shape)))
        file.flush()
        os.fsync(file.fileno())
    os.replace(place.part, place.images)
    images = np.load(place.images, mmap_mode="r", allow_pickle=False)
    num_train = num_images - num_held_out(num_images)
    record = CacheRecord(
        num_images=num_images,
        tally=tally,
        sha256_x_train=sha256_of_array(images[:num_train]),
        sha256_probes=_probe(images),
    )
    write_record(place.record, record)
    place.journal.unlink(missing_ok=True)


def _header(shape):
    """The header of an `.npy` file, of `HEADER_BYTES`."""
    content = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, description)
    return content.getvalue()


def _remove(place):
    for path in (place.part, place.journal):
        path.unlink(missing_ok=True)
