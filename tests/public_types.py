"""The public names in use. mypy reads this file (see test_python_names.py); nothing runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

import keras
import numpy as np

import gan_mnist
import gan_vs_vae
import latent_explorer
import sample_quality
import vae_mnist
from gan_mnist.run import GANRun
from sample_quality.scoring import Scores
from training_run import Run, UserError
from training_run.python.picture import Picture
from vae_mnist.run import VAERun


def use_gan(network: keras.Model, images: np.ndarray) -> GANRun:
    run = gan_mnist.train("gan_fast", {"training.steps": 2000}, seed=1)
    assert_type(run, GANRun)
    assert_type(run.log["g_loss"], np.ndarray)
    assert_type(run.samples, list[Picture])
    assert_type(run.gif, Picture)
    assert_type(run.sample(64, seed=0, label=None), np.ndarray)
    assert_type(run.outcome, str | None)
    assert_type(gan_mnist.presets(), dict[str, str])
    gan_mnist.train(generator=network, discriminator=network, images=images, class_names=["a"])
    return gan_mnist.resume(run, {"training": {"steps": 9}}, allow_change=["training.steps"])


def use_vae(images: np.ndarray) -> VAERun:
    run = vae_mnist.load("bundled:vae_fast")
    assert_type(run.decode(run.encode(images)), np.ndarray)
    run.fit_prior("mixture", components=100)
    assert_type(run.export("onnx"), Path)
    return run


def use_runs(runs: Sequence[Run], images: np.ndarray) -> Path:
    try:
        scores = sample_quality.score(runs[0], num=10_000)
    except UserError:
        scores = sample_quality.score_arrays(images, images, digits=False)
    assert_type(scores, Scores)
    assert_type(scores["frechet_distance"].value, float)
    latent_explorer.explore(runs, "page.html")
    return gan_vs_vae.report([*runs, "latest", 3])
