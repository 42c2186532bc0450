"""Datasets by name: what they hold, and the images themselves.

Nothing here imports TensorFlow, so that a configuration can be checked against its data
before that wait.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from training_run.data import image_folder, mnist
from training_run.data import orl_faces as faces
from training_run.data.image_data import DataSpec, ImageData
from training_run.errors import UserError

__all__ = ["DATASETS", "DataSpec", "Dataset", "ImageData", "describe_dataset", "load_dataset"]


@dataclass(frozen=True)
class Dataset:
    """One entry of the registry.

    Attributes:
        describe: a function of the `data` section giving a `DataSpec`.
        load: a function of the `data` section and of `report` giving `ImageData`.
    """

    describe: Callable[..., DataSpec]
    load: Callable[..., ImageData]


DATASETS = {
    "mnist": Dataset(partial(mnist.describe, mnist.MNIST), partial(mnist.load, mnist.MNIST)),
    "fashion_mnist": Dataset(
        partial(mnist.describe, mnist.FASHION_MNIST), partial(mnist.load, mnist.FASHION_MNIST)
    ),
    "orl_faces": Dataset(faces.describe, faces.load),
    "image_folder": Dataset(image_folder.describe, image_folder.load),
}
"""Name in `data.dataset` -> `Dataset`."""


def describe_dataset(data_config):
    """What a dataset holds, without downloading, writing or decoding anything.

    Args:
        data_config: has `dataset`, `path`, `image_size` and `num_channels`; the last three
            may be None.

    Returns:
        A `DataSpec`.

    Raises:
        UserError: an unknown dataset, a local path that cannot be used, or images of
            another size than `image_size` and `num_channels` ask for.
    """
    spec = _find(data_config).describe(data_config)
    height, width, num_channels = spec.image_shape
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
    return spec


def load_dataset(data_config, report=print):
    """Read a dataset into memory, fetching it first where needed.

    Args:
        data_config: as for `describe_dataset`.
        report: a function that receives progress lines.

    Returns:
        `ImageData`.

    Raises:
        UserError: as for `describe_dataset`; or no source has the images; or the files are
            damaged.
    """
    describe_dataset(data_config)
    return _find(data_config).load(data_config, report)


def _find(data_config):
    if data_config.dataset not in DATASETS:
        raise UserError(
            f"data.dataset: expected one of {', '.join(DATASETS)}, received {data_config.dataset}."
        )
    return DATASETS[data_config.dataset]
