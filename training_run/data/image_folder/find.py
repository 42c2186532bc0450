"""A folder of images becomes a `Dataset`: its files are listed, labelled and, later, read."""

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training_run.data.image_data import (
    Dataset,
    DataSpec,
    ImageFile,
    make_image_data,
    num_held_out,
)
from training_run.data.image_folder.cache import has_cache, load_images
from training_run.data.image_folder.classes import Classes, count_images, find_classes
from training_run.data.image_folder.listing import list_images, printable, some_of
from training_run.data.image_folder.measure import NUM_MEASURED, measure_images
from training_run.data.image_folder.pixels import DEFAULT_IMAGE_SIZE, try_to_read
from training_run.data.image_folder.reading import report_oddities
from training_run.errors import UserError

UNBALANCED = 3
"""Ratio of the largest class to the smallest from which on the run speaks of it."""

NUM_COMPARED = 1000
"""Images that are looked at to find out whether all are equal."""

_MAX_TRIED = 100


def find(data_config):
    """The `Dataset` of a folder of images; a tenth of them is held out for testing.

    The folder is listed here; `Dataset.read` uses the same list.

    Raises:
        UserError: `data.path` is not a folder with at least two images in it, or the classes that
            `data.labels` names are not there.
    """
    folder = _folder_of(data_config)
    files, problems, notes = list_images(folder)
    found = _choose(data_config, folder, files, notes)
    _check_readable(folder, [file.name for file in found.files], found.spec.image_shape)
    read = partial(_read, data_config, folder, found, problems)
    return Dataset(found.spec, read, files)


def find_cached(data_config, files):
    """The `Dataset` of a folder as it once was; None if there is no whole cache of it.

    Args:
        data_config: as it was then.
        files: list of `ImageFile`, all that the folder had.
    """
    folder = _folder_of(data_config)
    found = _choose(data_config, folder, files)
    if data_config.cache is False or not has_cache(
        data_config.cache, found.files, found.spec.image_shape
    ):
        return None
    return Dataset(found.spec, partial(_read, data_config, folder, found, []), files)


def measure(data_config):
    """The `Measured` of a folder's images.

    Raises:
        UserError: `data.path` is not a folder of readable images.
    """
    folder = _folder_of(data_config)
    files = list_images(folder).files
    measured = measure_images(folder, files)
    if measured is None:
        _check_readable(folder, [file.name for file in files], (8, 8, 3))
        raise UserError(
            f"data.path: expected readable images in {folder}, received none among the first "
            f"{NUM_MEASURED}"
        )
    return measured


class Chosen(NamedTuple):
    """The images of a folder that are learned from.

    Attributes:
        files: list of `ImageFile`, in order.
        classes: their `Classes`.
        spec: their `DataSpec`.
        all_files: of the folder.
    """

    files: list[ImageFile]
    classes: Classes
    spec: DataSpec
    all_files: list[ImageFile]


def _folder_of(data_config):
    if data_config.path is None:
        raise UserError(
            "data.path: expected a folder of images for image_folder, such as "
            "data.path=~/pictures, received none."
        )
    folder = Path(os.path.expanduser(data_config.path))
    if not os.path.isdir(folder):
        raise UserError(
            f"data.path: expected a folder of images, received {folder}, which is not a folder."
        )
    return folder


def _choose(data_config, folder, all_files, notes=()):
    """The `Chosen` images of a folder, labelled, and as many as `data.max_images` allows."""
    names = [file.name for file in all_files]
    classes = find_classes(data_config.labels, folder, names)
    files = [file for file in all_files if classes.names is None or file.name in classes.number_of]
    notes = (*notes, *classes.notes)
    if data_config.max_images and data_config.max_images < len(files):
        notes += (f"{data_config.max_images:,} of {len(files):,} images (data.max_images)",)
        files = files[: data_config.max_images]
    if classes.names:
        files = train_every_class(files, classes)
    size = data_config.image_size or DEFAULT_IMAGE_SIZE
    spec = DataSpec(
        num_train=len(files) - num_held_out(len(files)),
        image_shape=(size, size, data_config.num_channels or 3),
        num_classes=classes.names and len(classes.names),
        title=f"Images of {folder.resolve().name}",
        class_names=classes.names,
        notes=(*notes, *_notes_on_counts(classes, data_config.balance)),
    )
    return Chosen(files, classes, spec, all_files)


def train_every_class(files, classes):
    """The files in an order whose first nine tenths, the training images, have every class.

    They stay in place but for the images of a class that would only be tested: its first image
    takes the place of the last training image of a class with several.
    """
    files, labels = list(files), [classes.number_of[file.name] for file in files]
    num_train = len(files) - num_held_out(len(files))
    counts = count_images(labels[:num_train], len(classes.names))
    for number in {label for label in labels[num_train:] if counts[label] == 0}:
        taken = labels.index(number)
        spared = next((i for i in range(num_train - 1, -1, -1) if counts[labels[i]] > 1), None)
        if spared is None:  # fewer training images than classes
            break
        counts[labels[spared]] -= 1
        counts[number] += 1
        for each in (files, labels):
            each[taken], each[spared] = each[spared], each[taken]
    return files


def _notes_on_counts(classes, is_balanced):
    if classes.names is None:
        return
    counts = count_images(classes.number_of.values(), len(classes.names))
    least, most = np.argmin(counts), np.argmax(counts)
    if counts[most] >= UNBALANCED * counts[least] and not is_balanced:
        yield (
            f"unbalanced: {classes.names[most]} has {counts[most] / counts[least]:.1f} times as "
            f"many images as {classes.names[least]}; data.balance=true draws all classes equally "
            "often"
        )
    if counts[least] == 1:
        yield f"{classes.names[least]} has 1 image: a model can only copy it"


def _check_readable(folder, names, image_shape):
    """Refuse a folder of unreadable files before anything else is waited for.

    Only the first files are looked at, until two are good; of a larger folder nothing is known.
    """
    num_read, problems = 0, []
    for name in names[:_MAX_TRIED]:
        problem = try_to_read(folder, image_shape, name).problem
        num_read += problem is None
        problems += [f"{printable(name)}: {problem}"] if problem else []
        if num_read == 2:
            return
    if len(names) <= _MAX_TRIED:
        raise _too_few(folder, num_read, problems)


def _too_few(folder, num_read, problems):
    return UserError(
        f"data.path: expected at least 2 readable images in {folder}, received {num_read} "
        f"({'; '.join(problems[:3])})."
    )


def _read(data_config, folder, chosen, problems, report):
    files, classes, spec, all_files = chosen
    for note in spec.notes:
        report(f"image_folder: {note}")
    decoded = load_images(data_config.cache, folder, files, spec.image_shape, report)
    decoded = decoded._replace(problems=problems + decoded.problems)
    report_oddities(decoded, spec.image_shape, report)
    images, problems = decoded.images, decoded.problems
    if len(images) < 2:
        raise _too_few(folder, len(images), problems)
    some = images[:: max(1, len(images) // NUM_COMPARED)]
    if (some == some[0]).all():
        report("image_folder: all images are equal: there is only this one to learn")
    left_out = f", {len(problems)} unreadable ones left out" if problems else ""
    source = f"image_folder, {len(images)} images from {folder}{left_out}."
    arrays = {"x_train": images}
    if classes.names:
        labels = np.array([classes.number_of[file.name] for file in files])
        arrays["y_train"] = np.delete(labels, decoded.unread)
        _report_empty_classes(arrays["y_train"], classes.names, report)
    data = make_image_data(arrays, spec.num_classes, source, classes.names, decoded.checksum)
    return dataclasses.replace(data, files=all_files)


def _report_empty_classes(labels, class_names, report):
    num_train = len(labels) - num_held_out(len(labels))
    counts = count_images(labels[:num_train], len(class_names))
    if not counts.all():
        empty = [class_names[number] for number in np.flatnonzero(counts == 0)]
        report(
            f"image_folder: no readable training image of {some_of(empty)}, so a conditional "
            "model cannot learn it"
        )
