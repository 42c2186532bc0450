"""Datasets by name."""

from functools import partial

from training_run.data import image_folder, mnist, orl_faces
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
        data_config: has `dataset`, `path`, `image_size` and `num_channels`; the last three
            may be None.

    Returns:
        A `Dataset`.

    Raises:
        UserError: a local path cannot be used, or the images have another size than
            `image_size` and `num_channels` ask for.
    """
    dataset = DATASETS[data_config.dataset](data_config)
    if getattr(data_config, "stacked", False):  # a key of some families
        dataset = stacked(dataset)
    _check_size(data_config, dataset.spec.image_shape)
    return dataset


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
