"""Stacked digits from training to score, on tiny images."""

import shutil

import numpy as np
import pytest
from PIL import Image

from gan_mnist.train import main as train
from gan_vs_vae.command import main as report
from sample_quality.command import main as score
from sample_quality.protocol import read_quality
from tests.soak import tiny

NAME = "00001-gan_mlp_smoke"


def arguments(images, folder, *more):
    return [*tiny.gan_arguments(images, folder), "data.stacked=true", "quality.every=null", *more]


@pytest.fixture(scope="module")
def finished(tiny_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    assert train(arguments(tiny_data, folder)) == 0
    return folder / NAME


def test_grids_have_colours(finished):
    for name in ("reals.png", "samples/step_000030.png"):
        with Image.open(finished / name) as image:
            pixels = np.array(image.convert("RGB")).reshape(-1, 3).astype(int)
        assert np.ptp(pixels, axis=1).max() > 50, name


def test_it_resumes_to_the_same_bytes(finished, tmp_path):
    again = shutil.copytree(finished, tmp_path / NAME)
    for step in (20, 30):
        shutil.rmtree(again / f"checkpoints/step_{step:06d}")
    assert train(["--resume", str(again)]) == 0
    states = [dict(np.load(run / "checkpoints/step_000030/state.npz")) for run in (finished, again)]
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])


def test_its_modes_are_counted(finished, tiny_cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    out = tmp_path / "quality.json"
    assert score([str(finished), "--num", "500", "--out", str(out)]) == 0
    scores = read_quality(out).scores
    assert set(scores) == {"modes", "mode_divergence"}
    assert 1 <= scores["modes"].value <= 500
    assert scores["mode_divergence"].protocol.num_generated == 500
    assert "KL of modes" in capsys.readouterr().out


def test_a_report_refuses_it_before_it_scores(finished, tmp_path, capsys):
    assert report([str(finished), "--out", str(tmp_path / "report")]) == 2
    assert "expected a run of single images" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_what_needs_labels_is_refused(tiny_data, tmp_path, capsys):
    assert train(arguments(tiny_data, tmp_path, "model.conditional=true")) == 2
    assert train(arguments(tiny_data, tmp_path, "quality.every=10")) == 2
    errors = capsys.readouterr().err
    assert "model.conditional: expected a data set with labels" in errors
    assert "quality.every: expected null with data.stacked" in errors
    assert not (tmp_path / NAME).exists()
