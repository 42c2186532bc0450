"""Runs with a learned prior, and the commands that draw from it."""

import json
import os
import shutil
import signal

import keras
import numpy as np
import pytest
from PIL import Image

from sample_quality.command import main as score
from sample_quality.priors import load_prior, read_mixture
from training_run.cli.bundle import bundle
from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
from training_run.run_folder.paths import RunDir
from training_run.step.batches import draw_normal, draw_uniform
from vae_mnist.fit_prior import main as fit_prior
from vae_mnist.interpolate import main as interpolate
from vae_mnist.manifold import main as manifold
from vae_mnist.prior_callback import FitPrior
from vae_mnist.sample import main as sample
from vae_mnist.train import main as train

NAME = "00001-vae_mlp_smoke"


@pytest.fixture(autouse=True)
def cache(tiny_cache, monkeypatch):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))


def arguments(data, output_dir, *overrides):
    return [
        "--config", "vae_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.encoder_widths=[16]", "model.decoder_widths=[16]", "model.latent_dim=2",
        "training.batch_size=10", "training.steps=40", "training.jit_compile=false",
        "optimizer.learning_rate=0.03", "loss.c=10", "samples.every=10", "samples.num_rows=2",
        "samples.num_columns=3", "log.every=10", "validation.every=null", "checkpoints.every=20",
        "prior.kind=mixture", "prior.components=4", *overrides,
    ]  # fmt: skip


WATCHED = ("quality.every=20", "quality.num_images=1000", "prior.temperature=0.5")


@pytest.fixture(scope="module")
def run(tiny_data, tiny_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
        output_dir = tmp_path_factory.mktemp("outputs")
        assert train(arguments(tiny_data, output_dir, *WATCHED)) == 0
    return output_dir / NAME


@pytest.fixture(scope="module")
def plain_run(tiny_data, tmp_path_factory):
    """A run without a learned prior."""
    output_dir = tmp_path_factory.mktemp("plain")
    options = ("prior.kind=normal", "prior.components=null", "training.steps=20")
    assert train(arguments(tiny_data, output_dir, *options)) == 0
    return output_dir / NAME


@pytest.fixture(scope="module")
def conditional_run(tiny_data, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("conditional")
    options = ("model.conditional=true", "prior.components=10", "training.steps=20")
    assert train(arguments(tiny_data, output_dir, *options)) == 0
    return output_dir / NAME


def contents(run):
    """All but times: pictures, states, priors."""
    kinds = ("*.png", "*.gif", "state.npz", "prior.npz", "score.json")
    paths = [path for kind in kinds for path in run.rglob(kind)]
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def samples(run, out, *options):
    assert sample([str(run), "--out", str(out / "x.npz"), "--num", "6", *options]) == 0
    with np.load(out / "x.npz") as arrays:
        return arrays["images"]


def test_a_run_ends_with_its_prior(run):
    record = json.loads((run / "prior.json").read_text())
    assert (record["kind"], record["components"], record["latent_dim"]) == ("mixture", 4, 2)
    assert (record["codes"], record["held_out_codes"], record["temperature"]) == (45, 5, 0.5)
    networks = {n: keras.saving.load_model(run / f"{n}.keras") for n in ("encoder", "decoder")}
    assert load_prior(RunDir(run), networks).mixture.means.shape == (4, 2)
    with Image.open(run / "prior.png") as picture:
        assert picture.size == (1800, 700)


def test_the_best_networks_have_their_own_prior(run):
    decoder = keras.saving.load_model(run / "best/decoder.keras")
    assert load_prior(RunDir(run / "best"), {"decoder": decoder})


def test_grids_have_one_size_and_the_last_shows_the_prior(run, plain_run):
    sizes = {Image.open(path).size for path in (run / "samples").iterdir()}
    assert len(sizes) == 1
    (untitled,) = {Image.open(path).size for path in (plain_run / "samples").iterdir()}
    assert sizes.pop()[1] > untitled[1]
    with Image.open(run / "progress.gif") as gif:
        assert gif.n_frames == 5


def test_a_resumed_run_ends_like_one_never_stopped(run, tmp_path):
    again = shutil.copytree(run, tmp_path / "again")
    shutil.rmtree(again / "checkpoints/step_000040")
    for name in ("prior.npz", "prior.json", "prior.png"):
        (again / name).unlink()
    shutil.rmtree(again / "best")
    assert train(["--resume", str(again)]) == 0
    here, there = contents(again), contents(run)
    if json.loads((run / "best/score.json").read_text())["step"] == 20:
        there = {name: each for name, each in there.items() if not name.startswith("best")}
        here = {name: each for name, each in here.items() if not name.startswith("best")}
    assert here == there


def test_a_signal_ends_a_run_with_a_prior_and_a_resume_removes_it(
    tiny_data, tmp_path, monkeypatch, run
):
    at_batch = FitPrior.on_train_batch_end

    def signal_at_20(self, batch, logs=None):
        at_batch(self, batch, logs)
        if self.context.clock.step == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(FitPrior, "on_train_batch_end", signal_at_20)
        assert train(arguments(tiny_data, tmp_path, *WATCHED)) == 130
    stopped = tmp_path / NAME
    assert samples(stopped, tmp_path).shape == (6, 8, 8, 1)
    early = (stopped / "prior.npz").read_bytes()
    assert train(["--resume", str(stopped)]) == 0
    assert (stopped / "prior.npz").read_bytes() == (run / "prior.npz").read_bytes() != early


def test_a_prior_is_changed_on_resume_only_on_purpose(run, tmp_path, capsys):
    again = shutil.copytree(run, tmp_path / "again")
    assert train(["--resume", str(again), "prior.components=3"]) == 2
    assert "--allow-change prior.components" in capsys.readouterr().err
    change = ["prior.components=3", "training.steps=50", "--allow-change", "prior"]
    assert train(["--resume", str(again), *change]) == 0
    assert len(read_mixture(again / "prior.npz").weights) == 3


def test_codes_that_cannot_be_fitted_leave_n_0_i(tiny_data, tmp_path, capsys):
    assert train(arguments(tiny_data, tmp_path, "prior.components=48", "training.steps=20")) == 0
    assert "no prior was fitted. components: expected at most the 45" in capsys.readouterr().out
    assert not (tmp_path / NAME / "prior.npz").exists()
    assert (tmp_path / NAME / "encoder.keras").exists()


def test_samples_are_decoded_draws_of_the_prior(run, tmp_path, capsys):
    found = samples(run, tmp_path, "--seed", "3")
    assert capsys.readouterr().out.startswith("prior: mixture of 4 Gaussians at temperature 0.5\n")
    mixture = read_mixture(run / "prior.npz")
    noise = draw_normal(3, "sample", 0, (1000, 2)).numpy()
    chosen = mixture.components(draw_uniform(3, "component", 0, (1000,)).numpy())
    z = mixture.means[chosen] + 0.5 * np.einsum("nij,nj->ni", mixture.cholesky[chosen], noise)
    decoder = load_network(RunDir(run), "decoder", LATENTS_TO_IMAGES)
    np.testing.assert_allclose(found, np.rint(255 * np.asarray(decoder(z[:6]))), atol=1)
    normal = samples(run, tmp_path, "--seed", "3", "--prior", "normal")
    np.testing.assert_allclose(normal, np.rint(255 * np.asarray(decoder(noise[:6]))), atol=1)


def test_a_path_goes_between_two_draws(run, tmp_path):
    for name, options in (("a", []), ("b", []), ("c", ["--prior", "normal"])):
        out = ["--out", str(tmp_path / f"{name}.png")]
        assert interpolate([str(run), "--between-samples", *options, *out]) == 0
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c


def test_the_plane_shows_the_density(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    for name in ("prior.npz", "prior.json"):
        (other / name).unlink()
    for folder in (run, other):
        out = tmp_path / f"{folder.name}.png"
        assert manifold([str(folder), "--num", "5", "--out", str(out)]) == 0
    assert (tmp_path / f"{run.name}.png").read_bytes() != (tmp_path / "other.png").read_bytes()


def test_both_priors_are_scored(run, tmp_path):
    out = tmp_path / "quality.json"
    assert score([str(run), "--num", "100", "--out", str(out), "--likelihood-images", "3"]) == 0
    quality = json.loads(out.read_text())
    scores = quality["scores"]
    for name in ("frechet_distance", "precision", "recall", "coverage"):
        learned, normal = scores[name], scores[f"{name}_normal_prior"]
        assert learned["protocol"] == normal["protocol"]
        assert learned["floor"] == pytest.approx(normal["floor"])
    assert scores["frechet_distance"]["value"] != scores["frechet_distance_normal_prior"]["value"]
    names = ("negative_log_likelihood", "negative_log_likelihood_learned_prior")
    assert scores[names[0]]["value"] != scores[names[1]]["value"]
    assert len(quality["prior_sha256"]) == 64
    assert any("mixture of 4 Gaussians" in note for note in quality["notes"])


def test_samples_of_a_class_come_from_its_components(conditional_run, tmp_path):
    mixture = read_mixture(conditional_run / "prior.npz")
    np.testing.assert_array_equal(mixture.classes, np.arange(10))
    found = samples(conditional_run, tmp_path, "--label", "7")
    decoder = load_network(RunDir(conditional_run), "decoder", LATENTS_TO_IMAGES)
    noise = draw_normal(0, "sample", 0, (1000, 2)).numpy()[:6]
    z = mixture.means[7] + noise @ mixture.cholesky[7].T
    expected = decoder([z.astype(np.float32), np.full(6, 7, np.int32)])
    np.testing.assert_allclose(found, np.rint(255 * np.asarray(expected)), atol=1)
    out = ["--out", str(tmp_path / "x.png")]
    assert interpolate([str(conditional_run), "--between-samples", *out]) == 0
    quality = ["--num", "100", "--likelihood-images", "3", "--out", str(tmp_path / "q.json")]
    assert score([str(conditional_run), *quality]) == 0


def test_a_prior_is_fitted_to_a_finished_run(plain_run, tmp_path, capsys):
    before = samples(plain_run, tmp_path)
    again = shutil.copytree(plain_run, tmp_path / "again")
    assert fit_prior([str(again), "--components", "3"]) == 0
    assert "mixture of 3 Gaussians, fitted to 45 codes" in capsys.readouterr().out
    assert (samples(again, tmp_path) != before).any()
    assert (samples(again, tmp_path, "--prior", "normal") == before).all()
    out = tmp_path / "out"
    out.mkdir()
    assert fit_prior([str(again), "--components", "3", "--out", str(out)]) == 0
    assert (out / "prior.npz").read_bytes() == (again / "prior.npz").read_bytes()
    assert fit_prior([str(again), "--temperature", "0.25"]) == 0  # held-out codes choose
    assert "at temperature 0.25" in capsys.readouterr().out
    bundle(RunDir(again), tmp_path / "bundled")
    assert (samples(tmp_path / "bundled", tmp_path) != before).any()


def test_the_command_fits_what_the_training_fitted(run, tmp_path):
    assert fit_prior([str(run), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "prior.npz").read_bytes() == (run / "prior.npz").read_bytes()
    assert (tmp_path / "prior.png").read_bytes() == (run / "prior.png").read_bytes()


def test_wrong_input_is_one_sentence(run, plain_run, tmp_path, capsys):
    other = shutil.copytree(plain_run, tmp_path / "other")
    for name in ("prior.npz", "prior.json"):
        shutil.copy(run / name, other)
    cases = [
        (sample, [str(other)], "fitted with this decoder"),
        (score, [str(other), "--num", "100"], "fitted with this decoder"),
        (interpolate, [str(other), "--between-samples"], "fitted with this decoder"),
        (manifold, [str(other)], "fitted with this encoder"),
        (interpolate, [str(run), "--between-samples", "--from", "1"], "no --from or --to"),
        (interpolate, [str(run), "--prior", "normal"], "together with --between-samples"),
        (fit_prior, [str(plain_run), "--components", "51"], "expected 1 to 50 Gaussians"),
        (fit_prior, [str(plain_run), "--components", "0"], "expected 1 to 50 Gaussians"),
        (fit_prior, [str(plain_run), "--components", "48"], "at most the 45 codes"),
        (fit_prior, [str(plain_run), "--out", str(tmp_path / "no")], "an existing folder"),
        (fit_prior, [str(plain_run), "--seed", "-1"], "--seed"),
        (fit_prior, ["bundled:gan_mlp"], "family"),
        (train, ["--config", "vae_mlp", "prior.components=0"], "prior.components"),
        (train, ["--config", "vae_mlp", "prior.kind=flow"], "prior.kind"),
    ]
    with pytest.raises(SystemExit):
        fit_prior([str(plain_run), "--temperature", "1.5"])
    expected = "--temperature: expected a number above 0, at most 1, received '1.5'\n"
    assert capsys.readouterr().err == expected
    before = sorted(tmp_path.rglob("*"))
    for command, options, words in cases:
        capsys.readouterr()
        assert command(options) == 2, options
        error = capsys.readouterr().err
        assert words in error and len(error.splitlines()) == 1, error
    assert sorted(tmp_path.rglob("*")) == before


def test_more_components_than_images_are_refused_before_training(tiny_data, tmp_path, capsys):
    assert train(arguments(tiny_data, tmp_path, "prior.components=51")) == 2
    assert "expected 1 to 50 Gaussians" in capsys.readouterr().err
    options = ("prior.components=9", "model.conditional=true")
    assert train(arguments(tiny_data, tmp_path, *options)) == 2
    assert "expected 10 to 50 Gaussians" in capsys.readouterr().err
