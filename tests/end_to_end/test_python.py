"""The Python functions do what the commands do, on small networks and small data."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

import gan_mnist
import sample_quality
import vae_mnist
from tests.soak import tiny
from training_run import UserError
from training_run.loop.callbacks import StepClock

SETTINGS = {
    "training": {"batch_size": 10, "steps": 30, "jit_compile": False},
    "log.every": 10,
    "samples": {"every": 10, "num_rows": 2, "num_columns": 2},
    "checkpoints.every": 10,
    "model.latent_dim": np.int64(4),
}
GAN = {"model.generator_widths": (8,), "model.discriminator_widths": [8]}
VAE = {"model.encoder_widths": [8], "model.decoder_widths": [8]}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return tiny.write_images(tmp_path_factory.mktemp("images") / "tiny.npz")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return tmp_path_factory.mktemp("outputs")


def gan_settings(images, outputs, **more):
    return SETTINGS | GAN | {"data.path": images, "output_dir": outputs} | more


@pytest.fixture(scope="module")
def gan(images, outputs):
    return gan_mnist.train("gan_mlp_smoke", gan_settings(images, outputs), seed=3)


@pytest.fixture(scope="module")
def vae(images, outputs):
    settings = SETTINGS | VAE | {"data.path": images, "output_dir": outputs}
    return vae_mnist.train("vae_mlp_smoke", settings)


def outcome_of(folder):
    """Log without times, pixels of the grids and weights of the last checkpoint."""
    lines = (folder / "log.csv").read_text().splitlines()
    log = [line.split(",")[:1] + line.split(",")[2:] for line in lines]
    grids = [np.asarray(Image.open(path)) for path in sorted(folder.glob("samples/*.png"))]
    (newest,) = sorted((folder / "checkpoints").glob("step_*"))[-1:]
    with np.load(newest / "state.npz") as arrays:
        return log, [*grids, *(arrays[name] for name in arrays.files)]


def assert_same(one, other):
    (log, arrays), (other_log, other_arrays) = outcome_of(one), outcome_of(other)
    assert log == other_log
    assert all(np.array_equal(*pair) for pair in zip(arrays, other_arrays, strict=True))


def test_a_second_training_in_one_process_is_that_of_a_fresh_one(gan, vae, images, outputs):
    again = gan_mnist.train("gan_mlp_smoke", gan_settings(images, outputs), seed=3)
    assert again.path != gan.path
    assert_same(again.path, gan.path)
    command = [sys.executable, "-m", "gan_mnist.train", *tiny.gan_arguments(images, outputs)]
    command += ["quality.every=null", "checkpoints.keep=3", "seed=3", "name=fresh"]
    subprocess.run(command, check=True, capture_output=True)
    (fresh,) = outputs.glob("*-fresh")
    assert_same(fresh, gan.path)


def test_a_run_knows_its_outcome_settings_and_log(gan):
    assert gan.outcome == "finished"
    assert gan.config.seed == 3 and gan.config.model.generator_widths == (8,)
    assert gan.log["step"].tolist() == [10, 20, 30]
    assert np.isfinite(gan.log["g_loss"]).all()
    assert [picture.path.name for picture in gan.samples] == [
        f"step_{step:06d}.png" for step in (0, 10, 20, 30)
    ]
    assert set(gan.gif._repr_mimebundle_()) == {"image/gif", "text/html", "text/plain"}


def test_it_draws_what_the_command_draws(gan, tmp_path):
    from gan_mnist.sample import main as sample

    out = tmp_path / "samples.npz"
    assert sample([str(gan.path), "--num", "5", "--seed", "2", "--out", str(out)]) == 0
    with np.load(out) as drawn:
        assert np.array_equal(drawn["images"], gan.sample(5, seed=2))
    assert np.array_equal(gan.sample(3, seed=2), gan.sample(5, seed=2)[:3])


def test_networks_are_loaded_when_they_are_asked_for(gan):
    networks = gan_mnist.load(gan.path).networks
    assert list(networks) == ["generator", "discriminator"]
    assert networks["generator"] is networks["generator"]
    assert networks["discriminator"].output_shape == (None, 1)
    with pytest.raises(KeyError):
        networks["encoder"]


def test_resume_goes_on_as_if_it_had_never_stopped(gan, images, outputs):
    longer = {"training.steps": 60}
    whole = gan_mnist.train("gan_mlp_smoke", gan_settings(images, outputs, **longer), seed=3)
    begun = gan_mnist.train("gan_mlp_smoke", gan_settings(images, outputs), seed=3)
    resumed = gan_mnist.resume(begun, longer)
    assert resumed.outcome == "finished"
    assert_same(resumed.path, whole.path)


def test_an_interrupt_gives_the_run_back(gan, images, outputs, monkeypatch):
    def interrupt(clock, batch, logs=None):
        tick(clock, batch, logs)
        if clock.step == 10:
            os.kill(os.getpid(), signal.SIGINT)

    tick = StepClock.on_train_batch_end
    monkeypatch.setattr(StepClock, "on_train_batch_end", interrupt)
    stopped = gan_mnist.train("gan_mlp_smoke", gan_settings(images, outputs), seed=3)
    assert stopped.outcome == "interrupted"
    assert stopped.log["step"].tolist() == [10]
    monkeypatch.undo()
    assert_same(gan_mnist.resume(stopped).path, gan.path)


def test_training_works_beside_the_main_thread(gan, images, outputs):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(
            gan_mnist.train("gan_mlp_smoke", gan_settings(images, outputs), seed=3)
        )
    )
    thread.start()
    thread.join()
    assert_same(found[0].path, gan.path)


def test_codes_decode_to_what_the_model_reconstructs(vae, images):
    with np.load(images) as arrays:
        x = arrays["x_test"]
    codes = vae.encode(x)
    assert codes.shape == (10, 4) and codes.dtype == np.float32
    mean, log_variance = vae.posterior(x)
    assert np.array_equal(mean, codes) and log_variance.shape == codes.shape
    decoded = vae.decode(codes)
    expected = vae.networks["decoder"].predict(codes, verbose=0)
    assert decoded.dtype == np.uint8
    np.testing.assert_allclose(decoded, expected * 255, atol=0.51)
    for wrong in (x.astype(np.float32), x[:, :4]):
        with pytest.raises(UserError, match=r"images: expected uint8 \(N, 8, 8, 1\), received"):
            vae.encode(wrong)
    with pytest.raises(UserError, match=r"codes: expected \(N, 4\), received \(4,\)"):
        vae.decode(codes[0])


def test_a_fitted_prior_is_that_of_the_command_and_samples_come_from_it(vae):
    normal = vae.sample(20)
    prior = vae.fit_prior(components=2, temperature=0.5)
    assert prior.record.components == 2
    assert (vae.path / "prior.npz").is_file()
    assert not np.array_equal(vae.sample(20), normal)
    assert np.array_equal(vae.sample(20, prior="normal"), normal)
    assert np.array_equal(vae_mnist.load(vae.path).sample(20), vae.sample(20))
    with pytest.raises(UserError, match="kind: expected 'mixture', received 'flow'"):
        vae.fit_prior("flow")


def test_errors_are_the_sentences_of_the_commands(gan, outputs):
    with pytest.raises(UserError, match=r"settings: training\.batch_sise: unknown key, received 3"):
        gan_mnist.train("gan_mlp", {"training": {"batch_sise": 3}})
    with pytest.raises(UserError, match="expected a run of family 'vae', received one of family"):
        vae_mnist.load(gan.path)
    with pytest.raises(UserError, match="--label: expected a run with model"):
        gan.sample(1, label="cat")
    with pytest.raises(UserError, match="--allow-change"):
        gan_mnist.resume(gan, {"training.steps": 90, "optimizer.learning_rate": 1e-3})


def test_scores_are_those_of_the_command_and_lie_in_the_folder(gan, images, tmp_path, monkeypatch):
    from sample_quality.command import main as score

    cache = tiny.write_classifier(tmp_path / "cache", images)
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(cache))
    scores = sample_quality.score(gan, 100)
    written = (gan.path / "quality.json").read_bytes()
    assert score([str(gan.path), "--num", "100", "--out", str(tmp_path / "q.json")]) == 0
    assert (tmp_path / "q.json").read_bytes() == written
    assert "Fréchet distance" in repr(scores)
    assert scores["frechet_distance"].value > 0


def test_a_command_imported_beside_the_function_may_be_called_like_it(gan):
    import gan_mnist.train

    with pytest.raises(UserError, match="--config: expected a preset's name"):
        gan_mnist.train("gan_mpl")
