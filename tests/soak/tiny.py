"""Small images, their classifier and small runs: what soak tests and other tests start from."""

import os
from pathlib import Path
from unittest import mock

import numpy as np

ARGUMENTS = [
    "training.batch_size=10", "training.steps=30", "training.jit_compile=false", "log.every=10",
    "samples.every=10", "checkpoints.every=10", "checkpoints.keep=9", "samples.num_rows=2",
    "samples.num_columns=2", "quality.every=10", "quality.num_images=1000", "model.latent_dim=4",
]  # fmt: skip


def write_images(path):
    """Write a local `.npz` of 60 labelled 8x8 images, bars at ten heights; 50 to train with."""
    random = np.random.default_rng(0)
    labels = np.arange(60, dtype=np.uint8) % 10
    images = random.integers(0, 40, (60, 8, 8), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label % 8, : 4 + label // 3] = 255
    np.savez(path, x_train=images[:50], y_train=labels[:50], x_test=images[50:], y_test=labels[50:])
    return path


def write_classifier(cache, images):
    """Train a classifier of such images into a cache folder, for `GAN_VAE_MNIST_CACHE`."""
    from sample_quality.features import training
    from sample_quality.train_classifier import main

    cached = {"GAN_VAE_MNIST_CACHE": str(cache)}
    quick = mock.patch.multiple(training, MIN_STEPS=40, accuracy_floor=lambda labels: 0.0)
    with mock.patch.dict(os.environ, cached), quick:
        assert main(["--data", str(images)]) == 0
    return cache


def gan_arguments(images, output_dir):
    """Arguments of a training of some seconds."""
    widths = ["model.generator_widths=[8]", "model.discriminator_widths=[8]"]
    return [*_common("gan_mlp_smoke", images, output_dir), *widths]


def vae_arguments(images, output_dir):
    """Arguments of a training of some seconds."""
    widths = ["model.encoder_widths=[8]", "model.decoder_widths=[8]", "validation.every=10"]
    return [*_common("vae_mlp_smoke", images, output_dir), *widths]


def _common(preset, images, output_dir):
    path = f"data.path={Path(images)}"
    return ["--config", preset, path, f"output_dir={output_dir}", *ARGUMENTS]
