"""A folder of images becomes a `Dataset`: its files are listed, labelled and, later, read."""

import os
from functools import partial
from pathlib import Path

import numpy as np

from training_run.data.image_data import Dataset, DataSpec, make_image_data, num_held_out
from training_run.data.image_folder.classes import count_images, find_classes
from training_run.data.image_folder.listing import list_images, printable, some_of
from training_run.data.image_folder.pixels import DEFAULT_IMAGE_SIZE, try_to_read
from training_run.data.image_folder.reading import decode_files, report_problems
from training_run.errors import UserError

UNBALANCED = 3
"""Ratio of the largest class to the smallest from which on the run speaks of it."""

_MAX_TRIED = 100


def find(data_config):
    """The `Dataset` of a folder of images; a tenth of them is held out for testing.

    The folder is listed here; `Dataset.read` uses the same list.

    Raises:
        UserError: `data.path` is not a folder with at least two images in it, or the classes that
            `data.labels` names are not there.
    """
    if data_config.path is None:
        raise UserError("data.path: expected a folder of images for image_folder, received none.")
    folder = Path(os.path.expanduser(data_config.path))
    if not os.path.isdir(folder):
        raise UserError(
            f"data.path: expected a folder of images, received {folder}, which is not a folder."
        )
    names, problems = list_images(folder)
    size = data_config.image_size or DEFAULT_IMAGE_SIZE
    shape = (size, size, data_config.num_channels or 3)
    classes = find_classes(data_config.labels, folder, names)
    if classes.names:
        names = train_every_class([name for name in names if name in classes.number_of], classes)
    _check_readable(folder, names, shape)
    spec = DataSpec(
        num_train=len(names) - num_held_out(len(names)),
        image_shape=shape,
        num_classes=classes.names and len(classes.names),
        title=f"Images of {folder.resolve().name}",
        class_names=classes.names,
        notes=(*classes.notes, *_notes_on_counts(classes, data_config.balance)),
    )
    return Dataset(spec, partial(_read, folder, names, problems, classes, spec))


def train_every_class(names, classes):
    """The names in an order whose first nine tenths, the training images, have every class.

    They stay in place but for the images of a class that would only be tested: its first image
    takes the place of the last training image of a class with several.
    """
    names, number_of = list(names), classes.number_of
    num_train = len(names) - num_held_out(len(names))
    counts = count_images((number_of[name] for name in names[:num_train]), len(classes.names))
    for number in np.flatnonzero(counts == 0):
        taken = next(i for i, name in enumerate(names) if number_of[name] == number)
        spared = next(
            (i for i in range(num_train - 1, -1, -1) if counts[number_of[names[i]]] > 1), None
        )
        if spared is None:  # fewer training images than classes
            break
        counts[number_of[names[spared]]] -= 1
        counts[number] += 1
        names[taken], names[spared] = names[spared], names[taken]
    return names


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
        _, problem = try_to_read(folder, image_shape, name)
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


def _read(folder, names, problems, classes, spec, report):
    report(f"image_folder: reading {len(names):,} images from {folder}")
    for note in spec.notes:
        report(f"image_folder: {note}")
    images, indices, unreadable = decode_files(folder, names, spec.image_shape, report)
    problems = problems + unreadable
    report_problems(problems, report)
    if len(images) < 2:
        raise _too_few(folder, len(images), problems)
    left_out = f", {len(problems)} unreadable ones left out" if problems else ""
    source = f"image_folder, {len(images)} images from {folder}{left_out}."
    arrays = {"x_train": images}
    if classes.names:
        arrays["y_train"] = np.array([classes.number_of[names[index]] for index in indices])
        _report_empty_classes(arrays["y_train"], classes.names, report)
    return make_image_data(arrays, spec.num_classes, source, classes.names)


def _report_empty_classes(labels, class_names, report):
    num_train = len(labels) - num_held_out(len(labels))
    counts = count_images(labels[:num_train], len(class_names))
    if not counts.all():
        empty = [class_names[number] for number in np.flatnonzero(counts == 0)]
        report(
            f"image_folder: no readable training image of {some_of(empty)}, so a conditional "
            "model cannot learn it"
        )
