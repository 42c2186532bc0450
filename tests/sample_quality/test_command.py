"""`python -m sample_quality` on run folders made by hand."""

import json
import math
import subprocess
import sys

import keras
import numpy as np
import pytest

from sample_quality.command import main
from sample_quality.protocol import read_quality
from sample_quality.run_settings import read_settings
from training_run.errors import UserError
from training_run.run_folder.paths import RunDir
from training_run.step.networks import one_hot_labels


@pytest.fixture(autouse=True)
def cache(tiny_cache, monkeypatch):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    return tiny_cache


def make_run(folder, data, networks, *, family="gan", more_data="", loss="name: hinge"):
    """A run folder with networks; images in [-1, 1] for a GAN, [0, 1] for a VAE."""
    folder.mkdir()
    low = -1 if family == "gan" else 0
    (folder / "config.yaml").write_text(
        f"family: {family}\nname: x\ndata: {{dataset: mnist, path: {data}{more_data}}}\n"
        f"model: {{value_range: [{low}, 1]}}\nloss: {{{loss}}}\n"
    )
    for name, network in networks.items():
        network.save(folder / f"{name}.keras")
    return folder


def chain(name, inputs, *layers):
    return keras.Sequential([keras.layers.Input(inputs), *layers], name=name)


def generator():
    layers = keras.layers
    return chain("generator", (4,), layers.Dense(64, "tanh"), layers.Reshape((8, 8, 1)))


def vae_networks():
    layers = keras.layers
    x = keras.Input((8, 8, 1))
    flat = layers.Flatten()(x)
    encoder = keras.Model(x, [layers.Dense(4)(flat), layers.Dense(4)(flat)], name="encoder")
    decoder = chain(
        "decoder", (4,), layers.Dense(64), layers.Reshape((8, 8, 1)), layers.Activation("sigmoid")
    )
    return {"encoder": encoder, "decoder": decoder}


@pytest.fixture
def run(tmp_path, tiny_data):
    return make_run(tmp_path / "00001-x", tiny_data, {"generator": generator()})


def test_a_run_is_scored_and_the_file_says_how(run, capsys):
    assert main([str(run)]) == 0
    output = capsys.readouterr().out
    assert "Fréchet distance" in output
    assert "50 samples, as many as there are training images" in output
    quality = read_quality(run / "quality.json")
    assert quality.about["run"] == "00001-x"
    assert quality.about["network"] == "generator.keras"
    assert len(quality.about["network_sha256"]) == 64
    score = quality.scores["frechet_distance"]
    assert (score.protocol.num_real, score.protocol.num_generated) == (10, 50)
    assert score.protocol.features == "tiny classifier"
    assert "conditional_accuracy" not in quality.scores
    assert "without_classifier" not in quality.about
    assert score.value > score.floor > 0
    assert not list(run.glob(".tmp-*"))


def test_the_same_command_writes_the_same_bytes_and_another_seed_others(run, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        out = str(tmp_path / f"{name}.json")
        assert main([str(run), "--num", "100", "--seed", seed, "--out", out]) == 0
    first, second, third = (json.loads((tmp_path / f"{n}.json").read_text()) for n in "abc")
    assert first == second
    assert first["scores"]["frechet_distance"] != third["scores"]["frechet_distance"]
    assert not (run / "quality.json").exists()


def test_a_conditional_run_has_an_accuracy(tmp_path, tiny_data):
    z, labels = keras.Input((4,)), keras.Input((), dtype="int32")
    joined = keras.layers.Concatenate()([z, one_hot_labels(labels, 10)])
    images = keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64, "tanh")(joined))
    networks = {"generator": keras.Model([z, labels], images)}
    run = make_run(tmp_path / "00001-c", tiny_data, networks)
    assert main([str(run)]) == 0
    score = read_quality(run / "quality.json").scores["conditional_accuracy"]
    assert 0 <= score.value <= 0.5


def test_a_vae_has_a_reconstruction_error(tmp_path, tiny_data):
    run = make_run(
        tmp_path / "00001-v", tiny_data, vae_networks(), family="vae",
        loss="reconstruction: bernoulli",
    )  # fmt: skip
    assert main([str(run)]) == 0
    scores = read_quality(run / "quality.json").scores
    score = scores["reconstruction_error"]
    assert (score.floor, score.protocol.num_real, score.protocol.num_generated) == (None, 10, 0)
    # An untrained decoder gives grey: about a quarter for each of 64 black or white pixels.
    assert 5 < score.value < 20
    assert "negative_elbo" not in scores


def test_a_squared_error_is_a_gaussian_density(tmp_path, tiny_data, capsys):
    """C = 2 is a standard deviation of 0.5, and -log p(x|z) = 2 |x - x^|^2 + 32 log(pi / 2)."""
    run = make_run(
        tmp_path / "00001-g", tiny_data, vae_networks(), family="vae",
        loss="reconstruction: squared_error, c: 2, beta: 1",
    )  # fmt: skip
    assert main([str(run), "--likelihood-images", "7"]) == 0
    scores = read_quality(run / "quality.json").scores
    parts = scores["elbo_reconstruction"].value + scores["elbo_kl"].value
    assert scores["negative_elbo"].value == pytest.approx(parts, abs=1e-9)
    error = (scores["elbo_reconstruction"].value - 32 * math.log(math.pi / 2)) / 2
    assert 5 < error < 20
    estimate = scores["negative_log_likelihood"]
    assert estimate.protocol.num_real == 7
    assert "standard deviation 0.5, 200 importance" in estimate.protocol.features
    assert "of 4 latent dimensions are active" in capsys.readouterr().out


def test_a_learned_scale_is_that_beside_the_networks_or_of_the_last_row(tmp_path, tiny_data):
    run = make_run(
        tmp_path / "00001-s",
        tiny_data,
        vae_networks(),
        family="vae",
        loss="reconstruction: gaussian",
    )
    (run / "log.csv").write_text("step,seconds,log_scale\n10,1.0,0.0\n20,2.0,-0.5\n")
    assert read_settings(RunDir(run)).log_scale == -0.5
    (run / "vae.json").write_text('{"log_scale": -0.75}')
    assert read_settings(RunDir(run)).log_scale == -0.75
    (run / "vae.json").write_text('{"log_scale": "wide"}')
    with pytest.raises(UserError, match=r"vae\.json: log_scale: expected a number"):
        read_settings(RunDir(run))


def test_a_learned_scale_that_is_nowhere_is_named_as_the_reason(tmp_path, tiny_data, capsys):
    loss = "reconstruction: gaussian"
    run = make_run(tmp_path / "00001-s", tiny_data, vae_networks(), family="vae", loss=loss)
    assert main([str(run)]) == 0
    assert "no likelihood: the standard deviation this VAE has learned" in capsys.readouterr().out


def test_a_vae_of_binary_images_has_likelihoods(tmp_path, tiny_data):
    run = make_run(
        tmp_path / "00001-b", tiny_data, vae_networks(), family="vae",
        more_data=", binarize: static", loss="reconstruction: bernoulli",
    )  # fmt: skip
    assert main([str(run)]) == 0
    scores = read_quality(run / "quality.json").scores
    assert scores["negative_log_likelihood"].value <= scores["negative_elbo"].value
    # A decoder that knows nothing needs 64 ln 2 = 44.4 nats.
    assert 30 < scores["negative_log_likelihood"].value < 70
    assert "200 importance samples" in scores["negative_log_likelihood"].protocol.features


def test_what_older_scores_lack_is_measured_as_all_scores_are(run):
    from sample_quality.score_run import measure_each_image
    from training_run.data.datasets import load_dataset

    assert main([str(run)]) == 0
    settings = read_settings(RunDir(run))
    data = load_dataset(settings.data)
    more = measure_each_image(RunDir(run), "generator", settings, data, 10_000, 0)
    scores = read_quality(run / "quality.json").scores
    assert list(more) == ["sharpness", "fine_detail", "contrast"]
    assert more == {name: scores[name] for name in more}


def test_without_a_classifier_images_are_compared_by_random_convolutions_and_the_file_says_why(
    run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "empty"))
    assert main([str(run)]) == 0
    quality = read_quality(run / "quality.json")
    assert list(quality.scores) == [
        "frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage",
        "sharpness", "fine_detail", "contrast", "memorized", "duplicated",
    ]  # fmt: skip
    protocol = quality.scores["frechet_distance"].protocol
    assert protocol.features == "random convolutions"
    assert len(protocol.features_sha256) == 64
    assert quality.about["data"] == "Images of tiny, 60 images, 10 classes"
    assert "python -m sample_quality.train_classifier" in quality.about["notes"][0]
    assert quality.about["notes"][0] in capsys.readouterr().out
    assert quality.about["without_classifier"] == quality.about["notes"][0]


def assert_one_sentence(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error


@pytest.mark.parametrize(
    "options", [["--num", "3"], ["--seed", "-1"], ["--out", "x.txt"], ["--out", "no/such/x.json"]]
)
def test_wrong_options_are_one_sentence(run, options, capsys):
    assert_one_sentence([str(run), *options], "expected", capsys)


def test_a_run_without_a_generator_is_one_sentence(run, capsys):
    (run / "generator.keras").unlink()
    assert_one_sentence([str(run)], "expected a run with generator.keras", capsys)


def test_a_network_of_other_images_is_one_sentence(tmp_path, tiny_data, capsys):
    layers = keras.layers
    other = chain("generator", (4,), layers.Dense(16, "tanh"), layers.Reshape((4, 4, 1)))
    run = make_run(tmp_path / "00001-o", tiny_data, {"generator": other})
    assert_one_sentence([str(run)], "expected images of shape (8, 8, 1)", capsys)


def test_a_network_that_diverged_is_one_sentence(tmp_path, tiny_data, capsys):
    network = generator()
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    run = make_run(tmp_path / "00001-n", tiny_data, {"generator": network})
    assert_one_sentence([str(run)], "expected finite weights, received NaN or infinity", capsys)


@pytest.mark.parametrize(
    "text, words",
    [
        ("family: gan\n", "expected a run's configuration"),
        ("data: 3\nmodel: {value_range: [0, 1]}\n", "expected a run's configuration"),
        ("[]\n", "expected keys and values, received []"),
    ],
)
def test_a_configuration_without_what_is_needed_is_one_sentence(run, text, words, capsys):
    (run / "config.yaml").write_text(text)
    assert_one_sentence([str(run)], words, capsys)


@pytest.mark.parametrize("module", ["sample_quality", "sample_quality.train_classifier"])
def test_help_and_wrong_usage_do_not_wait_for_tensorflow(module):
    name = "sample_quality.command" if module == "sample_quality" else module
    wrong = ["1", "--outputs", "nowhere"] if module == "sample_quality" else ["--path", "nowhere"]
    code = (
        f"import sys, {name} as command\n"
        "try: command.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"assert command.main({wrong}) == 2\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & sys.modules.keys(), 'too early'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: python -m {module}")
