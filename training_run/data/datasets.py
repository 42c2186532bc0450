"""Datasets by name."""

import dataclasses
from functools import partial

from training_run.data import mnist, orl_faces
from training_run.data.image_data import Dataset
from training_run.data.image_folder import find as image_folder
from training_run.data.stacking import stacked
from training_run.errors import UserError

DATASETS = {
    "mnist": partial(mnist.find, mnist.MNIST, "MNIST digits", "digits"),
    "fashion_mnist": partial(mnist.find, mnist.FASHION_MNIST, "Fashion-MNIST", "images"),
    "orl_faces": orl_faces.find,
    "image_folder": image_folder.find,
}
"""Name in `data.dataset` to a function of the `data` section that gives a `Dataset`."""


def find_dataset(data_config):
    """Find a dataset, without downloading, writing or decoding anything.

    Args:
        data_config: a `DataConfig`.

    Returns:
        A `Dataset`.

    Raises:
        UserError: a local path cannot be used, the images have another size than `image_size`
            and `num_channels` ask for, or there are no such labels.
    """
    dataset = DATASETS[data_config.dataset](data_config)
    if getattr(data_config, "stacked", False):  # a key of some families
        dataset = stacked(dataset)
    _check_size(data_config, dataset.spec.image_shape)
    _check_labels(data_config)
    if data_config.labels == "none":
        dataset = _without_labels(dataset)
    most = data_config.max_images
    if most is None or data_config.dataset == "image_folder" or dataset.spec.num_train <= most:
        return dataset
    return _sample(dataset, most)


def _check_labels(data_config):
    if data_config.dataset != "image_folder" and data_config.labels not in ("auto", "none"):
        raise UserError(
            f"data.labels: expected auto or none with {data_config.path or data_config.dataset}, "
            f"whose labels are its own, received {data_config.labels!r}."
        )


def _without_labels(dataset):
    spec = dataclasses.replace(dataset.spec, num_classes=None, class_names=None)
    return dataset._replace(spec=spec, read=lambda report: dataset.read(report).without_labels())


def _sample(dataset, num_images):
    """The dataset with a random sample of its training images, in their own order."""
    note = f"{num_images:,} of {dataset.spec.num_train:,} training images (data.max_images)"
    spec = dataclasses.replace(
        dataset.spec, num_train=num_images, notes=(*dataset.spec.notes, note)
    )
    return Dataset(spec, lambda report: dataset.read(report).sample(num_images))


def load_dataset(data_config, report=print):
    """Read a dataset into memory, fetching it first where needed.

    Args:
        data_config: as for `find_dataset`.
        report: a function that receives progress lines.

    Returns:
        `ImageData`.

    Raises:
        UserError: as for `find_dataset`; or no source has the images; or files are damaged.
    """
    return find_dataset(data_config).read(report)


def _check_size(data_config, image_shape):
    height, width, num_channels = image_shape
    for key, wanted, sizes in (
        ("image_size", data_config.image_size, {height, width}),
        ("num_channels", data_config.num_channels, {num_channels}),
    ):
        if wanted is not None and {wanted} != sizes:
            raise UserError(
                f"data.{key}: {data_config.path or data_config.dataset} has images of "
                f"{height}x{width}x{num_channels}, which are not resized: "
                f"expected no {key} or the same, received {wanted}."
            )
