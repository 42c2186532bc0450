"""`init.run`: a run starts from the networks of another."""

import json
import shutil

import keras
import numpy as np
import pytest

from gan_mnist.train import main as train_gan
from tests.soak import tiny
from training_run.config.yaml_source import read_yaml
from training_run.files import sha256_of_file
from vae_mnist.train import main as train_vae

QUIET = ["quality.every=null", "checkpoints.keep=9"]


@pytest.fixture(scope="module")
def trained(tiny_data, tmp_path_factory):
    """A folder with a GAN, whose generator is averaged, and a VAE."""
    folder = tmp_path_factory.mktemp("trained")
    assert train_gan([*tiny.gan_arguments(tiny_data, folder), *QUIET, "ema.decay=0.9"]) == 0
    calibrated = "model.calibrate_contrast=true"
    assert train_vae([*tiny.vae_arguments(tiny_data, folder), *QUIET, calibrated]) == 0
    return folder


@pytest.fixture
def start_gan(tiny_data, tmp_path, trained):
    """A function of overrides that trains a GAN from the first run; returns the exit code."""

    def start(*overrides):
        arguments = tiny.gan_arguments(tiny_data, tmp_path)
        place = ["--outputs", str(trained)]
        return train_gan([*arguments, *QUIET, "init.run=1", *place, *overrides])

    return start


def only_run(folder):
    (run,) = folder.glob("0*")
    return run


def initial_networks(run):
    """Weights of the networks in the checkpoint of step 0: a list of arrays."""
    with np.load(run / "checkpoints/step_000000/state.npz", allow_pickle=False) as arrays:
        return [arrays[name] for name in sorted(arrays.files) if name.startswith("model/")]


def saved_weights(path):
    return keras.saving.load_model(path, compile=False, safe_mode=True).get_weights()


def assert_holds(arrays, weights):
    """All of these weights are among the arrays."""
    for weight in weights:
        assert any(weight.shape == a.shape and np.array_equal(weight, a) for a in arrays)


def state(run, step=30):
    with np.load(run / f"checkpoints/step_{step:06d}/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def assert_same_state(one, other):
    ours, theirs = state(one), state(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name])


def test_each_network_starts_from_its_own_kind(start_gan, trained, tmp_path, capsys):
    assert start_gan("ema.decay=0.9") == 0
    source, run = trained / "00001-gan_mlp_smoke", only_run(tmp_path)
    first, said = initial_networks(run), capsys.readouterr().out
    for name in ("generator", "generator_raw", "discriminator"):
        assert f"init.run: {name} starts from {source / name}.keras" in said
        assert_holds(first, saved_weights(source / f"{name}.keras"))
    assert read_yaml(run / "config.yaml").values["init"]["run"] == str(source.resolve())
    record = json.loads((run / "environment.json").read_text())["init"]
    assert record["run"] == str(source.resolve())
    names = ("generator.keras", "generator_raw.keras", "discriminator.keras")
    assert record["sha256"] == {name: sha256_of_file(source / name) for name in names}


def test_without_an_average_the_generator_starts_from_the_trained_one(start_gan, trained, tmp_path):
    assert start_gan() == 0
    source = trained / "00001-gan_mlp_smoke"
    assert_holds(
        initial_networks(only_run(tmp_path)), saved_weights(source / "generator_raw.keras")
    )


def test_a_vae_starts_from_the_decoder_that_was_trained(tiny_data, trained, tmp_path):
    arguments = tiny.vae_arguments(tiny_data, tmp_path)
    assert train_vae([*arguments, *QUIET, "init.run=latest", "--outputs", str(trained)]) == 0
    first, source = initial_networks(only_run(tmp_path)), trained / "00002-vae_mlp_smoke"
    assert_holds(first, saved_weights(source / "encoder.keras"))
    assert_holds(first, saved_weights(source / "decoder_raw.keras"))


def test_an_initialised_run_resumes_to_the_same_bytes_without_its_source(
    start_gan, trained, tmp_path
):
    source = shutil.copytree(trained / "00001-gan_mlp_smoke", tmp_path / "source")
    assert start_gan(f"init.run={source}") == 0
    run = only_run(tmp_path)
    again = shutil.copytree(run, tmp_path / "copies" / run.name)
    for step in (20, 30):
        shutil.rmtree(again / f"checkpoints/step_{step:06d}")
    shutil.rmtree(source)
    assert train_gan(["--resume", str(again)]) == 0
    assert_same_state(run, again)


def test_a_run_killed_before_its_first_checkpoint_starts_from_them_again(
    start_gan, trained, tmp_path, capsys
):
    source = shutil.copytree(trained / "00001-gan_mlp_smoke", tmp_path / "source")
    assert start_gan(f"init.run={source}") == 0
    run = only_run(tmp_path)
    again = tmp_path / "copies" / run.name
    again.mkdir(parents=True)
    for name in ("config.yaml", "environment.json", "reals.png"):
        shutil.copy(run / name, again)
    before = sorted(again.iterdir())
    shutil.copy(source / "generator.keras", source / "generator_raw.keras")
    assert train_gan(["--resume", str(again)]) == 2
    error = capsys.readouterr().err
    assert "as they were when the run began" in error
    assert sorted(path for path in again.iterdir() if path.name != ".lock") == before
    shutil.copy(trained / "00001-gan_mlp_smoke/generator_raw.keras", source)
    assert train_gan(["--resume", str(again)]) == 0
    assert_same_state(run, again)


def test_init_run_is_not_for_a_resumed_run(start_gan, trained, tmp_path, capsys):
    assert start_gan() == 0
    run, place = str(only_run(tmp_path)), ["--outputs", str(trained)]
    assert train_gan(["--resume", run, "init.run=1", *place]) == 0  # the same
    other = ["init.run=bundled:gan_mlp", "--allow-change", "init"]
    assert train_gan(["--resume", run, *other]) == 2
    assert "to start from other networks, begin a new run" in capsys.readouterr().err
    assert train_gan(["--resume", run, "init.run=null"]) == 2
    error = capsys.readouterr().err
    assert "init.run: expected" in error
    assert "received null" in error


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("init.run=9", "expected the number of a run (newest: 1, 2), received 9"),
        ("init.run=2", "expected a run of family 'gan', received one of family 'vae'"),
        ("init.run=bundled:gan_mpl", "did you mean 'bundled:gan_mlp'?"),
        ("init.run=''", "init.run: expected text of at least 1 character"),
        ("init.run=-1", "init.run: -1: expected a run folder"),
        ("init.run=true", "init.run: expected a string, received True"),
        ("init.rum=1", "did you mean 'init.run'?"),
        (
            "model.generator_widths=[9]",
            "expected the layers of this run's generator in {source}/generator_raw.keras, received "
            "Dense with weights 4x8 and 8 where this one has 4x9 and 9",
        ),
    ],
)
def test_what_cannot_start_is_told_before_anything_is_written(
    start_gan, trained, tmp_path, capsys, override, text
):
    for options in ([override], [override, "--dry-run"]):
        assert start_gan(*options) == 2
        error = capsys.readouterr().err
        assert text.format(source=trained / "00001-gan_mlp_smoke") in error
        assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_whole_networks_is_refused(start_gan, trained, tmp_path, capsys):
    source = shutil.copytree(trained / "00001-gan_mlp_smoke", tmp_path / "source")
    (source / "generator.keras").write_bytes(b"x")
    assert start_gan(f"init.run={source}") == 2
    assert "expected a .keras file, received something else" in capsys.readouterr().err
    for path in source.glob("*.keras"):
        path.unlink()
    assert start_gan(f"init.run={source}") == 2
    assert "expected a run with saved networks, received none" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_dry_run_says_what_starts_from_where(start_gan, trained, tmp_path, capsys):
    assert start_gan("--dry-run") == 0
    source = trained / "00001-gan_mlp_smoke"
    text = capsys.readouterr().out
    assert f"init.run: generator starts from {source}/generator_raw.keras" in text
    assert f"init.run: discriminator starts from {source}/discriminator.keras" in text
    assert list(tmp_path.iterdir()) == []
