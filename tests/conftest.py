"""What tests of several packages share."""

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory):
    """A local `.npz` of 60 labelled 8x8 images, bars at ten heights: a path for `data.path`."""
    random = np.random.default_rng(0)
    labels = np.arange(60, dtype=np.uint8) % 10
    images = random.integers(0, 40, (60, 8, 8), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label % 8, : 4 + label // 3] = 255
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, x_train=images[:50], y_train=labels[:50], x_test=images[50:], y_test=labels[50:])
    return path


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory, tiny_data):
    """A cache folder with a classifier of the tiny images, for `GAN_VAE_MNIST_CACHE`."""
    from sample_quality.features import training
    from sample_quality.train_classifier import main

    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAN_VAE_MNIST_CACHE", str(folder))
        patch.setattr(training, "MIN_STEPS", 40)
        assert main(["--path", str(tiny_data)]) == 0
    return folder
