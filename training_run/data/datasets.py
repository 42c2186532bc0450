"""Datasets by name.

Nothing here imports TensorFlow, so that a configuration is checked against its data before that
wait.
"""

from functools import partial

from training_run.data import image_folder, mnist, orl_faces
from training_run.errors import UserError

DATASETS = {
    "mnist": partial(mnist.find, mnist.MNIST),
    "fashion_mnist": partial(mnist.find, mnist.FASHION_MNIST),
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
        UserError: an unknown dataset, a local path that cannot be used, or images of
            another size than `image_size` and `num_channels` ask for.
    """
    if data_config.dataset not in DATASETS:
        raise UserError(
            f"data.dataset: expected one of {', '.join(DATASETS)}, received {data_config.dataset}."
        )
    dataset = DATASETS[data_config.dataset](data_config)
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
                f"data.{key}: the images of {data_config.path or data_config.dataset} are "
                f"{height}x{width}x{num_channels} as they are: expected no {key} or that of these, "
                f"received {wanted}."
            )
