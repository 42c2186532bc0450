"""Whole runs with the bounds of several samples and a VampPrior."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest

from sample_quality.command import main as score
from sample_quality.priors import load_prior
from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
from training_run.run_folder.paths import RunDir
from training_run.step.batches import draw_normal, draw_uniform
from vae_mnist.fit_prior import main as fit_prior
from vae_mnist.sample import main as sample
from vae_mnist.train import main as train

NAME = "00001-vae_mlp_smoke"


@pytest.fixture(autouse=True)
def cache(tiny_cache, monkeypatch):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))


@pytest.fixture(scope="module")
def run(tiny_data, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("outputs")
    overrides = [
        "model={encoder_widths: [16], decoder_widths: [16], latent_dim: 2, activation: gated}",
        "data.binarize=static", "loss={reconstruction: bernoulli, importance_samples: 3, c: 1}",
        "prior={kind: vamp, components: 5}", "training.batch_size=10", "training.steps=40",
        "training.jit_compile=false", "optimizer.learning_rate=0.01", "samples.every=10",
        "samples.num_rows=2", "samples.num_columns=3", "log.every=10", "validation.every=20",
        "checkpoints.every=20",
    ]  # fmt: skip
    files = [f"data.path={tiny_data}", f"output_dir={output_dir}"]
    assert train(["--config", "vae_mlp_smoke", *files, *overrides]) == 0
    return output_dir / NAME


def contents(run):
    """All but times: pictures, states, the prior's arrays."""
    kinds = ("*.png", "*.gif", "state.npz", "prior.npz")
    paths = [path for kind in kinds for path in run.rglob(kind)]
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def test_a_run_ends_with_its_own_prior(run):
    record = json.loads((run / "prior.json").read_text())
    assert (record["kind"], record["components"], record["latent_dim"]) == ("vamp", 5, 2)
    assert (record["codes"], record["held_out_codes"]) == (50, 10)
    networks = {n: keras.saving.load_model(run / f"{n}.keras") for n in ("encoder", "decoder")}
    mixture = load_prior(RunDir(run), networks).mixture
    with np.load(run / "checkpoints/step_000040/state.npz") as state:
        images = [name for name in state.files if state[name].shape == (5, 8, 8, 1)]
        (pixels,) = (state[name] for name in images if name.startswith("model/"))
    means, log_vars = networks["encoder"](pixels)
    np.testing.assert_allclose(mixture.means, means, atol=1e-5)
    np.testing.assert_allclose(
        np.einsum("kii->ki", mixture.cholesky), np.exp(np.asarray(log_vars) / 2), rtol=1e-4
    )


def test_the_log_has_the_bound_and_its_terms(run):
    with open(run / "log.csv") as file:
        rows = list(csv.DictReader(file))
    for prefix, row in (("", rows[0]), ("val_", rows[1])):
        terms = (float(row[f"{prefix}{name}_loss"]) for name in ("reconstruction", "kl"))
        assert 0 < float(row[f"{prefix}loss"]) < sum(terms)


def test_a_resumed_run_ends_like_one_never_stopped(run, tmp_path):
    again = shutil.copytree(run, tmp_path / "again")
    shutil.rmtree(again / "checkpoints/step_000040")
    for name in ("prior.npz", "prior.json"):
        (again / name).unlink()
    assert train(["--resume", str(again)]) == 0
    assert contents(again) == contents(run)


def test_samples_are_decoded_draws_of_the_prior(run, tmp_path, capsys):
    out = tmp_path / "x.npz"
    assert sample([str(run), "--out", str(out), "--num", "6", "--seed", "3"]) == 0
    assert capsys.readouterr().out.startswith("prior: mixture of 5 Gaussians\n")
    decoder = load_network(RunDir(run), "decoder", LATENTS_TO_IMAGES)
    mixture = load_prior(RunDir(run), {"decoder": decoder}).mixture
    noise = draw_normal(3, "sample", 0, (1000, 2)).numpy()
    chosen = (draw_uniform(3, "component", 0, (1000,)).numpy() * 5).astype(int)
    scales = np.einsum("kii->ki", mixture.cholesky)[chosen]
    z = (mixture.means[chosen] + scales * noise)[:6]
    with np.load(out) as arrays:
        np.testing.assert_allclose(arrays["images"], 255 * np.asarray(decoder(z)), atol=1)


def test_the_likelihood_is_that_under_the_prior_of_the_run(run, tmp_path, capsys):
    out = tmp_path / "quality.json"
    command = [str(run), "--num", "100", "--out", str(out), "--likelihood-images", "10"]
    values = {}
    for num in (1, 300):
        assert score([*command, "--importance-samples", str(num)]) == 0
        quality = json.loads(out.read_text())
        found = quality["scores"]["negative_log_likelihood"]
        assert found["protocol"]["features"].endswith(f", {num} importance samples")
        assert "negative_log_likelihood_learned_prior" not in quality["scores"]
        assert any(note.startswith("static binarisation") for note in quality["notes"])
        values[num] = found["value"]
    # The same noise: one sample gives the bound, more come below it.
    assert values[1] == pytest.approx(quality["scores"]["negative_elbo"]["value"], abs=1e-3)
    assert values[300] < values[1]
    assert score([*command, "--importance-samples", "0"]) == 2
    assert "--importance-samples: expected 1 to 1,000,000 samples" in capsys.readouterr().err


def test_without_its_prior_a_run_has_no_likelihood(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    for name in ("prior.npz", "prior.json"):
        (other / name).unlink()
    out = tmp_path / "quality.json"
    assert score([str(other), "--num", "100", "--out", str(out)]) == 0
    quality = json.loads(out.read_text())
    assert "negative_elbo" not in quality["scores"]
    assert any(note.startswith("no likelihood: prior.npz") for note in quality["notes"])


def test_a_fit_does_not_replace_a_prior_that_was_trained(run, tmp_path, capsys):
    before = contents(run)
    assert fit_prior([str(run), "--components", "2"]) == 2
    assert "prior.kind vamp has been trained with its networks" in capsys.readouterr().err
    assert contents(run) == before
    assert fit_prior([str(run), "--components", "2", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "prior.json").read_text())["kind"] == "mixture"
