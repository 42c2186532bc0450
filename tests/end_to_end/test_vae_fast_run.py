"""A small run with everything that `vae_fast` has: schedule, learned prior, calibrated contrast."""

import csv
import shutil

import numpy as np
import pytest

from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
from training_run.run_folder.paths import RunDir
from vae_mnist.contrast import contrast
from vae_mnist.reconstruct import main as reconstruct
from vae_mnist.sample import main as sample
from vae_mnist.train import main as train

NAME = "00001-vae_fast"


def arguments(data, output_dir, *overrides):
    return [
        "--config", "vae_fast", f"data.path={data}", f"output_dir={output_dir}",
        "model.encoder_filters=[4]", "model.decoder_filters=[4]", "model.encoder_widths=[8]",
        "model.decoder_widths=[8]", "model.latent_dim=2", "training.precision=float32",
        "training.batch_size=10", "training.steps=40", "optimizer.warmup=5", "samples.every=10",
        "log.every=10", "checkpoints.every=20", "prior.components=3", *overrides,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tiny_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert train(arguments(tiny_data, folder, "checkpoints.keep=9")) == 0
    return folder / NAME


@pytest.fixture
def stopped(finished, tmp_path):
    """A copy that was killed after its checkpoint at step 20."""
    run = shutil.copytree(finished, tmp_path / NAME)
    shutil.rmtree(run / "checkpoints/step_000040")
    return run


def state_of(run):
    with np.load(run / "checkpoints/step_000040/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_a_resumed_run_ends_like_one_never_stopped(stopped, finished):
    assert train(["--resume", str(stopped)]) == 0
    ours, theirs = state_of(stopped), state_of(finished)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert (stopped / "prior.npz").read_bytes() == (finished / "prior.npz").read_bytes()
    for path in sorted((finished / "samples").iterdir()):
        assert (stopped / "samples" / path.name).read_bytes() == path.read_bytes()
    rows = [
        [row[1:] for row in csv.reader(open(run / "log.csv", newline=""))]  # noqa: SIM115
        for run in (stopped, finished)
    ]
    assert [row[1:] for row in rows[0]] == [row[1:] for row in rows[1]]


def test_the_length_of_a_run_with_a_schedule_is_part_of_its_training(stopped, capsys):
    assert train(["--resume", str(stopped), "training.steps=60"]) == 2
    assert "add --allow-change training.steps" in capsys.readouterr().err


def test_samples_have_more_contrast_than_the_decoder_that_was_trained(finished):
    run = RunDir(finished)
    z = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    sharp, raw = (
        np.asarray(load_network(run, name, LATENTS_TO_IMAGES)(z))
        for name in ("decoder", "decoder_raw")
    )
    assert contrast(sharp) < 0.9 * contrast(raw)


def test_pictures_can_be_made_of_it(finished, tmp_path):
    assert sample([str(finished), "--num", "4", "--out", str(tmp_path / "s.png")]) == 0
    assert reconstruct([str(finished), "--num", "4", "--out", str(tmp_path / "r.png")]) == 0
    assert (tmp_path / "s.png").exists()
    assert (tmp_path / "r.png").exists()


def test_binary_images_have_no_contrast_to_calibrate(tiny_data, tmp_path, capsys):
    overrides = ("data.binarize=static", "loss.reconstruction=bernoulli", "loss.c=1")
    assert train(arguments(tiny_data, tmp_path, *overrides)) == 2
    assert "expected model.calibrate_contrast false with data.binarize" in capsys.readouterr().err
