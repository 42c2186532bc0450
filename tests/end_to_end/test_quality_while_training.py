"""`quality.every`: the samples' score as a column, and the best networks kept."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from gan_mnist.train import main as train_gan
from sample_quality.run_settings import read_settings
from training_run.data.image_data import sha256_of_array
from training_run.run_folder.log import read_log
from training_run.run_folder.paths import RunDir
from vae_mnist.losses import bounded_log_scale
from vae_mnist.model import INITIAL_LOG_SCALE
from vae_mnist.train import main as train_vae

LENGTH = [
    "training.batch_size=10", "training.steps=60", "log.every=10", "samples.every=20",
    "checkpoints.every=20", "quality.every=20", "quality.num_images=1000", "model.latent_dim=4",
]  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tiny_cache, monkeypatch):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    return tiny_cache


def gan_arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[16]", "model.discriminator_widths=[16]", *LENGTH, *overrides,
    ]  # fmt: skip


def scores_of(run):
    with open(run / "log.csv", newline="") as file:
        return {
            int(row["step"]): float(row["frechet_distance"])
            for row in csv.DictReader(file)
            if row["frechet_distance"]
        }


def assert_best_is_the_least(run, network):
    scores = scores_of(run)
    assert list(scores) == [20, 40, 60]
    record = json.loads((run / "best/score.json").read_text())
    assert record["value"] == min(scores.values())
    assert record["step"] == min(scores, key=scores.get)
    assert record["protocol"]["num_generated"] == 1000
    assert (run / "best/config.yaml").read_text() == (run / "config.yaml").read_text()
    if record["step"] == 60:
        best, last = (keras.saving.load_model(path / network) for path in (run / "best", run))
        for one, other in zip(best.get_weights(), last.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_gan_is_scored_and_its_best_kept_also_when_resumed(tiny_data, tmp_path):
    assert train_gan(gan_arguments(tiny_data, tmp_path)) == 0
    run = tmp_path / "00001-gan_mlp_smoke"
    assert_best_is_the_least(run, "generator.keras")
    other = shutil.copytree(run, tmp_path / "other")
    shutil.rmtree(other / "checkpoints/step_000060")
    shutil.rmtree(other / "best")
    scores = scores_of(run)
    assert train_gan(["--resume", str(other)]) == 0
    assert scores_of(other) == scores


@pytest.mark.parametrize("binarize", ["none", "static"])
def test_a_vae_is_scored_against_the_grey_images(tiny_data, tmp_path, binarize):
    loss = "gaussian" if binarize == "none" else "bernoulli"
    assert train_vae([
        "--config", "vae_mlp_smoke", f"data.path={tiny_data}", f"output_dir={tmp_path}",
        "model.encoder_widths=[16]", "model.decoder_widths=[16]", f"data.binarize={binarize}",
        f"loss.reconstruction={loss}", "loss.c=1", "validation.every=null", *LENGTH,
    ]) == 0  # fmt: skip
    run = tmp_path / "00001-vae_mlp_smoke"
    assert_best_is_the_least(run, "decoder.keras")
    record = json.loads((run / "best/score.json").read_text())
    train_images = np.load(tiny_data)["x_train"]
    assert record["protocol"]["real_sha256"] == sha256_of_array(train_images)
    for folder in (run, run / "best"):
        assert (folder / "vae.json").is_file() == (loss == "gaussian")
    if loss == "gaussian":
        assert_scale_is_the_trained_one(run)


def assert_scale_is_the_trained_one(run):
    """It is the model's first variable; the log has its mean over the last rows only."""
    with np.load(run / "checkpoints/step_000060/state.npz") as state:
        trained = float(bounded_log_scale(state["model/000"]))
    assert trained != pytest.approx(INITIAL_LOG_SCALE, abs=1e-3)
    assert read_settings(RunDir(run)).log_scale == trained
    assert read_log(run / "log.csv")["log_scale"][-1] != pytest.approx(trained, abs=1e-5)


def test_without_a_classifier_nothing_is_written(tiny_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "empty"))
    assert train_gan(gan_arguments(tiny_data, tmp_path / "outputs")) == 2
    assert "quality.every: expected a classifier" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("quality.every=15", "expected a multiple of log.every (10 steps), received 15 steps"),
        ("quality.num_images=10", "expected a number greater than or equal to 1000"),
    ],
)
def test_scores_that_cannot_be_had_are_refused(tiny_data, tmp_path, capsys, override, message):
    assert train_gan(gan_arguments(tiny_data, tmp_path / "outputs", override)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()


def test_images_without_labels_are_scored_by_random_convolutions(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(20):
        Image.new("L", (16, 16), 10 * number).save(folder / f"{number}.png")
    options = ["data.dataset=image_folder", "data.image_size=16", "data.cache=false"]
    assert train_gan(gan_arguments(folder, tmp_path / "outputs", *options)) == 0
    best = tmp_path / "outputs" / "00001-gan_mlp_smoke" / "best" / "score.json"
    assert json.loads(best.read_text())["protocol"]["features"] == "random convolutions"
