"""The image files below a folder, in a fixed mixed order."""

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from training_run.data.image_data import ImageFile
from training_run.errors import UserError

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pnm")
)


class OtherKind(NamedTuple):
    """Pictures that are not read: what several are called, their suffixes, and what to do."""

    noun: str
    suffixes: tuple[str, ...]
    advice: str


OTHER_KINDS = (
    OtherKind("HEIC or AVIF photographs", (".heic", ".heif", ".avif"), "convert to JPEG, say with "
              "heif-convert"),
    OtherKind("RAW photographs", (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"),
              "export as JPEG"),
    OtherKind("vector drawings", (".svg", ".svgz", ".eps", ".ai", ".pdf"), "render to PNG, say "
              "with rsvg-convert"),
    OtherKind("videos", (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"), "take frames, say with "
              "ffmpeg -i FILE frame%05d.png"),
)  # fmt: skip


class Listing(NamedTuple):
    """What is below a folder.

    Attributes:
        files: list of `ImageFile`.
        problems: sentences on folders that cannot be entered, and on links and devices that are no
            files.
        notes: sentences on pictures of kinds that are not read, and on hidden ones.
    """

    files: list[ImageFile]
    problems: list[str]
    notes: tuple[str, ...] = ()


def list_images(folder):
    """The `Listing` of all files below a folder that have the suffix of an image.

    The order is that of the hashes of the names, the same on every machine. So the tenth held
    out for testing is a fair sample, even if each class has a folder of its own. Links are
    followed, and each folder is entered once. Hidden files are left out.

    Args:
        folder: `Path`.

    Raises:
        UserError: there are fewer than two images.
    """
    found, problems, others, entered = [], [], [], set()

    def note(error):
        name = os.path.relpath(error.filename, folder)
        problems.append(f"{printable(name)}: {error.strerror}")

    for parent, subfolders, files in os.walk(folder, onerror=note, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in entered:
            subfolders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        # This order decides which name is kept if links lead to a folder in several ways.
        subfolders[:] = sorted(filter(_is_visible, subfolders), reverse=True)
        place = Path(parent).relative_to(folder).as_posix()
        prefix = "" if place == "." else f"{place}/"
        for file in files:
            name = prefix + file
            if not _is_image_name(file):
                others.append(name)
                continue
            status = _status(os.path.join(parent, file))
            if status is not None and stat.S_ISREG(status.st_mode):
                found.append(ImageFile(name, status.st_size, status.st_mtime_ns))
            else:
                problems.append(f"{printable(name)}: not a regular file")
    notes = tuple(_notes_on(others))
    if len(found) < 2:
        left_out = "".join(f"; {note}" for note in notes)
        raise UserError(
            f"data.path: expected a folder with at least 2 images ({', '.join(sorted(SUFFIXES))}), "
            f"received {folder} with {len(found)}{left_out}."
        )
    found.sort(key=lambda file: hashlib.sha256(os.fsencode(file.name)).digest())
    return Listing(found, problems, notes)


def _notes_on(names):
    """Sentences on files that are not read: pictures of other kinds, and hidden ones."""
    for kind in OTHER_KINDS:
        if of_kind := [name for name in names if _suffix(name) in kind.suffixes]:
            shown = some_of(sorted(of_kind))
            yield f"{_left_out(len(of_kind), kind.noun)} ({shown}): {kind.advice}"
    hidden = sum(not _is_visible(os.path.basename(name)) for name in names)
    if hidden:
        yield _left_out(hidden, "hidden files")


def _left_out(num, plural):
    return (
        f"{num:,} {plural} are left out" if num > 1 else f"1 {plural.removesuffix('s')} is left out"
    )


def _status(path):
    """What the system knows of a file; None of a link to nowhere."""
    try:
        return os.stat(path)
    except OSError:
        return None


def _is_visible(name):
    return not name.startswith(".") and name != "__MACOSX"


def _is_image_name(name):
    return _is_visible(name) and _suffix(name) in SUFFIXES


def _suffix(name):
    return os.path.splitext(name)[1].lower()


def printable(name):
    """A file's name, safe to print: line ends, control codes and invalid bytes are escaped."""
    return name if name.isprintable() else ascii(name)


def some_of(names, most=3):
    """The first of some names, safe to print, as a text: "a.png, b.png, c.png, ..."."""
    shown = [printable(name) for name in names[:most]]
    return ", ".join(shown + (["..."] if len(names) > most else []))
