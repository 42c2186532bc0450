"""Which files a run's folder of images had when it began, and what has changed since.

`images.csv` in the run folder has a row for each. Nothing here imports TensorFlow.
"""

import csv
import os
from typing import NamedTuple

from training_run.data.image_data import ImageFile
from training_run.errors import UserError
from training_run.files import atomic_path

MAX_NAMED = 3
"""Files of each kind that a sentence names."""


class FolderChange(NamedTuple):
    """What has happened to a folder: lists of names.

    Attributes:
        added, removed: files.
        changed: files of another size.
        touched: files of another time alone, whose pixels may be the same.
    """

    added: list[str]
    removed: list[str]
    changed: list[str]
    touched: list[str]

    def __str__(self):
        kinds = ((kind, names) for kind, names in zip(self._fields, self, strict=True) if names)
        return "; ".join(f"{len(names):,} {kind} ({_some_of(names)})" for kind, names in kinds)


def _some_of(names):
    shown = [name if name.isprintable() else ascii(name) for name in names[:MAX_NAMED]]
    return ", ".join(shown + (["..."] if len(names) > MAX_NAMED else []))


def image_files_path(run):
    """Where a run keeps the list."""
    return run.path / "images.csv"


def write_image_files(run, files):
    """Write the list, whole or not at all.

    Args:
        run: the `RunDir`.
        files: `ImageFile`s.
    """
    with (
        atomic_path(image_files_path(run)) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as table,
    ):
        writer = csv.writer(table)
        writer.writerow(ImageFile._fields)
        writer.writerows(files)


def read_image_files(run):
    """The list of `ImageFile`; None of a run without one.

    Raises:
        UserError: it is damaged.
    """
    path = image_files_path(run)
    if not path.is_file():
        return None
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as table:
            reader = csv.reader(table)
            if tuple(next(reader)) != ImageFile._fields:
                raise ValueError("it has other columns")
            return [ImageFile(name, int(size), int(time)) for name, size, time in reader]
    except (OSError, ValueError, StopIteration, csv.Error) as error:
        raise UserError(
            f"{path}: expected the files that the run began with, received a damaged list "
            f"({error}); without the file, --resume goes on unchecked"
        ) from None


def compare_files(before, after):
    """The `FolderChange` from one list of `ImageFile` to another; None if nothing has changed."""
    before, after = ({file.name: file for file in files} for files in (before, after))
    both = [name for name in after if name in before]
    change = FolderChange(
        added=sorted(after.keys() - before.keys(), key=os.fsencode),
        removed=sorted(before.keys() - after.keys(), key=os.fsencode),
        changed=sorted(n for n in both if before[n].num_bytes != after[n].num_bytes),
        touched=sorted(
            name
            for name in both
            if before[name].num_bytes == after[name].num_bytes
            and before[name].modified != after[name].modified
        ),
    )
    return change if any(change) else None
