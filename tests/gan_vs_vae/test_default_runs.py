"""Training the default runs: the commands that are started."""

import pytest

from gan_vs_vae import default_runs
from gan_vs_vae.command import main
from gan_vs_vae.default_runs import DEFAULTS, Training, TrainingFailed, train

TINY = (
    "training.steps=20", "training.batch_size=10", "training.jit_compile=false", "log.every=10",
    "samples.every=10", "checkpoints.every=20",
)  # fmt: skip


def test_the_defaults_are_overrides_that_the_commands_know():
    import importlib

    for training in DEFAULTS:
        program = importlib.import_module(training.module)
        assert program.main(["--dry-run", *training.arguments]) == 0


def test_a_training_runs_as_its_own_process(tiny_data, tmp_path, capsys):
    overrides = (*TINY, f"data.path={tiny_data}")
    path = train(Training("gan", "gan_mnist.train", overrides, "a GAN"), tmp_path)
    assert path == str(tmp_path / "00001-gan_mlp")
    assert (tmp_path / "00001-gan_mlp" / "generator.keras").is_file()
    assert capsys.readouterr().out == "training a GAN\n"


def test_a_training_that_fails_ends_it_all(tmp_path):
    with pytest.raises(TrainingFailed) as error:
        train(Training("gan", "gan_mnist.train", ("seed=x",), "a GAN"), tmp_path)
    assert error.value.exit_code == 2
    assert "received exit code 2" in str(error.value)


def test_the_command_ends_with_the_training_s_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(default_runs, "_wait_for", lambda command: 130)
    assert main(["--outputs", str(tmp_path)]) == 130
    captured = capsys.readouterr()
    assert "training gan_fast, 4,000 steps" in captured.out
    assert len(captured.err.splitlines()) == 1
    assert not list(tmp_path.rglob("*.html"))
