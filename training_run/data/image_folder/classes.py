"""The classes of a user's images: the folders that they lie in, or a CSV file of labels."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training_run.data.image_folder.listing import printable, some_of
from training_run.errors import UserError

MAX_CLASSES = 1000

SPLITS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation"))
"""Names of folders that are parts of one data set, and no classes."""

FILE_COLUMNS = ("file", "filename", "file_name", "image", "path")
LABEL_COLUMNS = ("label", "class", "category")


class Classes(NamedTuple):
    """What is known of the images' classes.

    Attributes:
        names: of the classes, in the order of their numbers; None without labels.
        number_of: dict of an image's name to the number of its class, for images that have one.
        notes: sentences on what was taken, and what was left out.
    """

    names: tuple[str, ...] | None
    number_of: dict[str, int]
    notes: tuple[str, ...] = ()


def find_classes(setting, folder, names):
    """The `Classes` of images.

    Args:
        setting: `data.labels`: "auto", "none", "folders", or the path of a CSV file.
        folder: `Path` of the images.
        names: of the images in it.

    Raises:
        UserError: there are no such classes, or the file cannot be used.
    """
    if setting == "none":
        return Classes(None, {})
    if setting not in ("auto", "folders"):
        return _classes_of_file(setting, folder, names)
    problem = _problem_of_folders(names)
    if problem is None and setting == "auto" and {_top(name).lower() for name in names} <= SPLITS:
        problem = "these folders look like parts of one data set: point data.path at one of them"
    if problem is None:
        label_of = {name: _top(name) for name in names}
        return _number(label_of, "the folders", ())
    if setting == "folders":
        raise UserError(
            f"data.labels: expected each image of {folder} in one of 2 to {MAX_CLASSES:,} folders "
            f"below it, received {problem}"
        )
    return Classes(None, {}, (f"no labels: {problem}",))


def _top(name):
    return name.partition("/")[0]


def _problem_of_folders(names):
    """Why the folders one level down are no classes; None if they are."""
    outside = [name for name in names if "/" not in name]
    if len(outside) == len(names):
        return "all images lie in the folder itself"
    if outside:
        return f"{len(outside):,} of {len(names):,} images outside of any ({some_of(outside)})"
    folders = {_top(name) for name in names}
    if len(folders) < 2:
        return f"one folder, {printable(folders.pop())}"
    return f"{len(folders):,} folders" if len(folders) > MAX_CLASSES else None


def _number(label_of, source, notes):
    """`Classes` of a dict of image to label. Labels that are numbers are put in their order."""
    labels = set(label_of.values())
    try:
        ordered = sorted(labels, key=int)
    except ValueError:
        ordered = sorted(labels)
    number = {label: index for index, label in enumerate(ordered)}
    number_of = {name: number[label] for name, label in label_of.items()}
    counts = count_images(number_of.values(), len(ordered))
    class_names = tuple(map(printable, ordered))
    counted = f"{len(ordered):,} classes, from {source}: {describe_counts(class_names, counts)}"
    return Classes(class_names, number_of, (counted, *notes))


def count_images(numbers, num_classes):
    """Images of each class, (num_classes,) int64, from the classes' numbers."""
    return np.bincount(np.fromiter(numbers, np.int64), minlength=num_classes)


def describe_counts(class_names, counts, most_named=12):
    """How many images each class has: "cat 120, dog 80"; of many classes, the extremes."""
    if len(class_names) <= most_named:
        return ", ".join(
            f"{name} {count:,}" for name, count in zip(class_names, counts, strict=True)
        )
    least, most = np.argmin(counts), np.argmax(counts)
    if counts[least] == counts[most]:
        return f"{counts[least]:,} images each"
    return (
        f"{counts[least]:,} images ({class_names[least]}) to {counts[most]:,} ({class_names[most]})"
    )


def _classes_of_file(setting, folder, names):
    path = Path(os.path.expanduser(setting))
    if not path.is_file() and (folder / setting).is_file():
        path = folder / setting
    label_of = read_label_file(path)
    known = set(names)
    unknown = [name for name in label_of if name not in known]
    found = {name: label_of[name] for name in names if name in label_of}
    if len(set(found.values())) < 2 or len(set(found.values())) > MAX_CLASSES:
        raise UserError(
            f"data.labels: expected {path} to give images of {folder} 2 to {MAX_CLASSES:,} "
            f"different labels, received {len(set(found.values())):,} in {len(found):,} rows whose "
            f"file is there{_of_which(unknown, 'rows of files that are not')}"
        )
    notes = []
    if unknown:
        notes.append(f"{path}: {len(unknown):,} rows name no image here ({some_of(unknown)})")
    if missing := [name for name in names if name not in label_of]:
        notes.append(f"{len(missing):,} images have no row and are left out ({some_of(missing)})")
    return _number(found, path, notes)


def _of_which(names, what):
    return f", and {len(names):,} {what} ({some_of(names)})" if names else ""


def read_label_file(path):
    """Dict of file to label, from a CSV file of rows `file,label` with or without a header.

    Args:
        path: the CSV file, in UTF-8. A header may name further columns, which are not read.

    Raises:
        UserError: it cannot be read, a row has no label, or a file has two.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if row]
    except OSError as error:
        raise UserError(f"data.labels: {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"data.labels: expected {path} to be CSV in UTF-8: {error}") from None
    file_column, label_column = 0, 1
    header = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    if columns := _columns_of_header(header):
        file_column, label_column = columns
        rows = rows[1:]
    label_of = {}
    for number, row in rows:
        cells = [cell.strip() for cell in row]
        if len(cells) <= max(file_column, label_column) or not cells[label_column]:
            raise UserError(f"{path}:{number}: expected a file and its label, received {row}")
        name = os.path.normpath(cells[file_column].replace("\\", "/")).lstrip("/")
        if label_of.setdefault(name, cells[label_column]) != cells[label_column]:
            raise UserError(
                f"{path}:{number}: expected one label for {printable(name)}, received "
                f"{label_of[name]!r} and {cells[label_column]!r}"
            )
    return label_of


def _columns_of_header(header):
    """Places of the columns of files and labels; None if the first row is no header."""
    file_column = next((i for i, cell in enumerate(header) if cell in FILE_COLUMNS), None)
    label_column = next((i for i, cell in enumerate(header) if cell in LABEL_COLUMNS), None)
    return None if None in (file_column, label_column) else (file_column, label_column)
