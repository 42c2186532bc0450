"""A run that gets SIGKILL ends like one never stopped; tests/soak/kill_soak.py does it for long."""

import subprocess
import sys
import time

import pytest

from gan_mnist.train import main as train
from tests.soak import kill_soak as soak

NAME = "00001-gan_mlp_smoke"


def arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[16]", "model.discriminator_widths=[16]", "model.latent_dim=4",
        "training.batch_size=10", "training.steps=500", "training.jit_compile=false",
        "samples.every=50", "log.every=10", "checkpoints.every=50", "samples.num_rows=2",
        "samples.num_columns=2", "ema.decay=0.9", *overrides,
    ]  # fmt: skip


def kill_when(command, is_time, seconds=120):
    """Start a training and SIGKILL it at the moment that `is_time()` says; its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gan_mnist.train", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + seconds
    while not is_time() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    process.kill()
    output, _ = process.communicate()
    assert "Traceback" not in output
    return process.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_run_killed_three_times_ends_like_one_never_stopped(tiny_data, tmp_path):
    assert train(arguments(tiny_data, tmp_path / "whole")) == 0
    run = tmp_path / "killed" / NAME

    def half_a_checkpoint():
        return run.is_dir() and any(run.glob("checkpoints/.tmp-*"))

    def some_rows():
        return (run / "samples/step_000150.png").exists()

    def start_is_over():
        return (run / "config.yaml").exists()

    moments = (start_is_over, some_rows, half_a_checkpoint)
    command = arguments(tiny_data, tmp_path / "killed")
    for is_time in moments:
        assert kill_when(command, is_time) == -9
        command = ["--resume", str(run)]
    assert soak.newest_step(tmp_path / "killed") < 500
    assert train(command) == 0
    assert soak.differences(tmp_path / "whole" / NAME, run) == []
    assert not list(run.rglob(".tmp-*"))


def test_the_comparison_sees_every_difference(tiny_data, tmp_path):
    steps = ("training.steps=20", "samples.every=10", "checkpoints.every=10")
    for name, seed in (("one", 0), ("two", 1)):
        assert train(arguments(tiny_data, tmp_path / name, *steps, f"seed={seed}")) == 0
    found = soak.differences(tmp_path / "one" / NAME, tmp_path / "two" / NAME)
    assert found == ["checkpoint", "networks", "log.csv", "grids", "GIF"]
    assert soak.differences(tmp_path / "one" / NAME, tmp_path / "one" / NAME) == []
