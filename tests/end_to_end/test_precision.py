"""`training.precision` from the command line to the saved networks, and back by --resume."""

import numpy as np
import pytest

from gan_mnist.train import main as train
from training_run.config.yaml_source import read_yaml
from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
from training_run.run_folder.paths import RunDir
from training_run.step import precision

NAME = "00001-gan_dcgan_smoke"


def arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_dcgan_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_filters=[4]", "model.discriminator_filters=[4]", "model.latent_dim=4",
        "training.batch_size=10", "samples.every=10", "log.every=10", "checkpoints.every=10",
        "samples.num_rows=2", "samples.num_columns=2", *overrides,
    ]  # fmt: skip


@pytest.fixture
def machine(monkeypatch):
    """A function that says whether the machine has bfloat16 from now on."""

    def set_answer(has_bfloat16):
        monkeypatch.setattr(precision, "machine_has_bfloat16", lambda: has_bfloat16)

    return set_answer


def precision_of(run):
    return read_yaml(run / "config.yaml").values["training"]["precision"]


def last_state(run):
    with np.load(run / "checkpoints/step_000020/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_a_run_goes_on_in_the_precision_it_began_in(tiny_data, tmp_path, machine, capsys):
    machine(True)
    auto = "training.precision=auto"
    assert train(arguments(tiny_data, tmp_path / "a", auto, "training.steps=20")) == 0
    assert "training.precision: mixed_bfloat16" in capsys.readouterr().out
    assert train(arguments(tiny_data, tmp_path / "b", auto, "training.steps=10")) == 0
    machine(False)
    straight, resumed = tmp_path / "a" / NAME, tmp_path / "b" / NAME
    assert train(["--resume", str(resumed), "training.steps=20"]) == 0
    assert precision_of(straight) == precision_of(resumed) == "mixed_bfloat16"
    ours, theirs = last_state(resumed), last_state(straight)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)

    generator = load_network(RunDir(straight), "generator", LATENTS_TO_IMAGES)
    assert "bfloat16" in {layer.compute_dtype for layer in generator.layers}
    assert generator(np.zeros((2, 4), np.float32)).dtype == "float32"


def test_auto_is_float32_where_there_is_nothing_else(tiny_data, tmp_path, machine, capsys):
    machine(False)
    overrides = ("training.precision=auto", "training.steps=10")
    assert train(["--dry-run", *arguments(tiny_data, tmp_path, *overrides)]) == 0
    assert "  precision: float32\n" in capsys.readouterr().out
    assert train(arguments(tiny_data, tmp_path, *overrides)) == 0
    assert precision_of(tmp_path / NAME) == "float32"


def test_a_run_older_than_the_key_goes_on_in_float32(tiny_data, tmp_path, machine):
    assert train(arguments(tiny_data, tmp_path, "training.steps=10")) == 0
    config = tmp_path / NAME / "config.yaml"
    text = config.read_text()
    assert "  precision: float32\n" in text
    config.write_text(text.replace("  precision: float32\n", ""))
    machine(True)
    assert train(["--resume", str(tmp_path / NAME), "training.steps=20"]) == 0
    assert precision_of(tmp_path / NAME) == "float32"


def test_another_precision_is_another_training(tiny_data, tmp_path, capsys):
    assert train(arguments(tiny_data, tmp_path, "training.steps=10")) == 0
    override = "training.precision=mixed_bfloat16"
    assert train(["--resume", str(tmp_path / NAME), "training.steps=20", override]) == 2
    assert "training.precision" in capsys.readouterr().err
    assert precision_of(tmp_path / NAME) == "float32"
