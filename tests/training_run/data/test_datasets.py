import subprocess
import sys
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from training_run.config.sections import DataConfig
from training_run.data.datasets import DATASETS, find_dataset, load_dataset
from training_run.errors import UserError


def config(dataset="mnist", path=None, image_size=None, num_channels=None):
    return DataConfig(
        dataset=dataset,
        path=None if path is None else str(path),
        image_size=image_size,
        num_channels=num_channels,
    )


@pytest.mark.parametrize(
    ("dataset", "num_train", "image_shape", "num_classes"),
    [
        ("mnist", 60000, (28, 28, 1), 10),
        ("fashion_mnist", 60000, (28, 28, 1), 10),
        ("orl_faces", 360, (64, 64, 1), 40),
    ],
)
def test_known_datasets_are_described_without_a_download(
    monkeypatch, tmp_path, dataset, num_train, image_shape, num_classes
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "cache"))
    spec = find_dataset(config(dataset)).spec
    assert (spec.num_train, spec.image_shape) == (num_train, image_shape)
    assert spec.num_classes == num_classes
    assert not list(tmp_path.iterdir())


def test_the_report_is_told_what_the_images_are():
    for dataset, title, noun in (
        ("mnist", "MNIST digits", "digits"),
        ("fashion_mnist", "Fashion-MNIST", "images"),
        ("orl_faces", "ORL faces", "faces"),
    ):
        spec = find_dataset(config(dataset)).spec
        assert (spec.title, spec.noun) == (title, noun)


def test_faces_may_have_any_size_and_colour():
    spec = find_dataset(config("orl_faces", image_size=32, num_channels=3)).spec
    assert spec.image_shape == (32, 32, 3)


def test_a_local_npz_stands_in_for_any_of_the_mnists(tiny_data):
    for dataset in ("mnist", "fashion_mnist"):
        data = load_dataset(config(dataset, tiny_data), report=pytest.fail)
        spec = find_dataset(config(dataset, tiny_data)).spec
        assert data.x_train.shape == (spec.num_train, *spec.image_shape) == (50, 8, 8, 1)
        assert data.x_test.shape == (10, 8, 8, 1)
        assert data.num_classes == spec.num_classes == 10
        assert data.x_train.dtype == np.uint8
        assert data.spec == replace(spec, title="Images", noun="images")


def test_image_data_is_frozen(tiny_data):
    data = load_dataset(config(path=tiny_data))
    with pytest.raises(AttributeError):
        data.x_train = None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"image_size": 32}, "data.image_size: .* 28x28x1, .* received 32"),
        ({"num_channels": 3}, "data.num_channels: .* 28x28x1, .* received 3"),
        ({"path": "/no/such.npz"}, r"data.path: .*/no/such\.npz, which does not exist"),
        ({"dataset": "image_folder"}, "data.path: expected a folder of images"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_read(changes, sentence):
    for function in (find_dataset, load_dataset):
        with pytest.raises(UserError, match=sentence):
            function(config(**changes))


def test_sizes_that_are_those_of_the_images_are_no_fault():
    assert find_dataset(config(image_size=28, num_channels=1)).spec.num_train == 60000


def test_the_configuration_allows_just_these_datasets():
    assert set(DATASETS) == set(get_args(DataConfig.model_fields["dataset"].annotation))


def test_importing_brings_no_tensorflow():
    code = (
        "import sys, training_run.data.datasets\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
