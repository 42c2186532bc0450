from pathlib import Path

import numpy as np
import pytest

from gan_mnist.networks import build_mlp_generator
from training_run.export.networks import ExportedNetwork
from training_run.export.prior import Prior, PriorRecord
from training_run.export.usage import (
    USAGES,
    draw_lines,
    pixels_expression,
    prior_lines,
    usage_code,
)
from training_run.pictures.pixels import to_uint8


def small_generator(num_classes):
    network = build_mlp_generator(
        latent_dim=4, image_shape=(8, 8, 1), widths=[4], num_classes=num_classes, seed=0
    )
    return ExportedNetwork("generator", network)


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0), (0.5, 2.5)])
def test_pixels_are_those_of_our_own_pictures(value_range):
    low, high = value_range
    images = np.linspace(low - 0.5, high + 0.5, 1001, dtype=np.float32)
    pixels = eval(pixels_expression(value_range), {"np": np, "images": images})
    np.testing.assert_array_equal(pixels, to_uint8(images, value_range))


def test_latents_of_a_mixture_have_its_weights_means_and_covariances(tmp_path, monkeypatch):
    cholesky = np.array([[[1, 0], [2, 1]], [[3, 0], [0, 1]]], np.float32)
    means = np.array([[-100, 0], [100, 0]], np.float32)
    weights = np.array([0.25, 0.75], np.float32)
    np.savez(tmp_path / "prior.npz", weights=weights, means=means, cholesky=cholesky)
    record = PriorRecord(encoder_sha256="", decoder_sha256="", prior_sha256="")
    lines = prior_lines(Prior(Path(), record, by_class=False), "noise_of(20000)", 0)
    random = np.random.default_rng(0)
    values = {"np": np, "random": random, "noise_of": lambda num: random.standard_normal((num, 2))}
    monkeypatch.chdir(tmp_path)
    exec("\n".join(lines).replace(" 16,", " 20000,"), values)
    z = values["z"]
    left = z[:, 0] < 0
    assert left.mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(np.cov(z[left].T), [[1, 2], [2, 5]], atol=0.3)
    np.testing.assert_allclose(np.cov(z[~left].T), [[9, 0], [0, 1]], atol=0.3)


@pytest.mark.parametrize(("num_classes", "label"), [(2, 1), (4, 3), (10, 3)])
def test_the_class_that_is_drawn_is_one_of_the_network(num_classes, label):
    lines = draw_lines(USAGES["onnx"], small_generator(num_classes), None)
    assert f"labels = np.full(16, {label}, np.int32)" in lines


def test_a_generator_without_labels_is_asked_for_none():
    code = usage_code("tflite", {"generator": small_generator(None)}, (-1.0, 1.0), None)
    assert 'images = generator(z=z)["images"]' in code
    assert "labels" not in code
