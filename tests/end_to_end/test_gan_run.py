"""Whole runs of small networks on small data, through the command a user types."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_mnist.config import GANConfig
from gan_mnist.sample import main as sample
from gan_mnist.train import main as train
from training_run.config.load import load_config


def arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[16]", "model.discriminator_widths=[16]", "model.latent_dim=4",
        "training.batch_size=10", "training.steps=60", "samples.every=20", "log.every=10",
        "checkpoints.every=20", "samples.num_rows=2", "samples.num_columns=3", *overrides,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(tiny_data, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("outputs")
    assert train(arguments(tiny_data, output_dir)) == 0
    return output_dir / "00001-gan_mlp_smoke"


def rows_of(run):
    with open(run / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


def metrics_of(run):
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in rows_of(run)
    ]


def pixels_of(run):
    return {path.name: np.asarray(Image.open(path)) for path in sorted(run.glob("samples/*.png"))}


def weights_of(run):
    (newest,) = sorted((run / "checkpoints").glob("step_*"))[-1:]
    with np.load(newest / "state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def assert_same_run(one, other):
    assert metrics_of(one) == metrics_of(other)
    for ours, theirs in ((pixels_of(one), pixels_of(other)), (weights_of(one), weights_of(other))):
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert (one / "progress.gif").read_bytes() == (other / "progress.gif").read_bytes()


def test_the_run_folder_is_complete(run):
    for name in (
        "config.yaml", "environment.json", "log.csv", "losses.png", "reals.png", "progress.gif",
        "generator.keras", "discriminator.keras", "checkpoints",
    ):  # fmt: skip
        assert (run / name).exists(), name
    assert not list(run.rglob(".tmp-*"))


def test_rows_and_grids_fall_on_their_steps(run):
    assert [int(row["step"]) for row in rows_of(run)] == [10, 20, 30, 40, 50, 60]
    assert list(rows_of(run)[0]) == [
        "step", "seconds", "d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake",
    ]  # fmt: skip
    assert list(pixels_of(run)) == [f"step_{step:06d}.png" for step in (0, 20, 40, 60)]
    assert [path.name for path in sorted((run / "checkpoints").glob("step_*"))] == [
        "step_000040",
        "step_000060",
    ]


def test_the_gif_has_a_frame_for_each_grid(run):
    with Image.open(run / "progress.gif") as gif:
        assert gif.n_frames == 4


def test_a_row_covers_its_own_interval(run):
    """An accuracy over 10 steps of 10 images is a whole number of hundredths."""
    for row in rows_of(run):
        hundredths = 100 * float(row["d_accuracy_real"])
        assert hundredths == pytest.approx(round(hundredths), abs=1e-4)
    assert len({row["d_accuracy_real"] for row in rows_of(run)}) > 1


def test_the_written_configuration_loads_again_to_an_equal_object(run, tiny_data):
    stored = load_config(GANConfig, run / "config.yaml")
    output_dir = run.parent
    preset = Path("configs/gan_mlp_smoke.yaml")
    overrides = [text for text in arguments(tiny_data, output_dir) if "=" in text]
    assert stored == load_config(GANConfig, preset, overrides)
    assert stored.model.value_range == (-1.0, 1.0)


def test_the_environment_is_recorded(run):
    record = json.loads((run / "environment.json").read_text())
    assert {"tensorflow", "keras", "numpy"} <= record["versions"].keys()
    assert len(record["data"]["sha256_x_train"]) == 64
    assert record["seed"] == 0
    assert record["hardware"]["cpu_count"] >= 1


def test_the_same_command_twice_gives_the_same_bytes(run, tiny_data, tmp_path):
    assert train(arguments(tiny_data, tmp_path)) == 0
    assert_same_run(run, tmp_path / "00001-gan_mlp_smoke")


def test_another_seed_gives_another_run(run, tiny_data, tmp_path):
    options = ("seed=1", "training.steps=20", "training.jit_compile=false")
    assert train(arguments(tiny_data, tmp_path, *options)) == 0
    other = tmp_path / "00001-gan_mlp_smoke"
    untrained = [pixels_of(each)["step_000000.png"] for each in (run, other)]
    assert not np.array_equal(*untrained)


def test_resume_passes_over_a_damaged_checkpoint_and_names_it(run, tiny_data, tmp_path, capsys):
    again = tmp_path / "00001-gan_mlp_smoke"
    shutil.copytree(run, again)
    state = again / "checkpoints/step_000060/state.npz"
    state.write_bytes(state.read_bytes()[:-100])
    assert train(["--resume", str(again)]) == 0
    output = capsys.readouterr().out
    assert "step_000060: the checkpoint is damaged" in output
    assert "resuming after step 40 of 60" in output
    assert_same_run(run, again)


def test_resume_refuses_another_training_and_says_when_a_run_is_finished(run, capsys):
    assert train(["--resume", str(run), "training.batch_size=5", "seed=3"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2
    assert "seed: expected 0 as the run was started with, received 3" in error[0]
    assert "training.batch_size: expected 10" in error[1]
    assert train(["--resume", str(run)]) == 0
    assert "finished already, at step 60" in capsys.readouterr().out


def start(data, output_dir, *overrides):
    command = [sys.executable, "-m", "gan_mnist.train", *arguments(data, output_dir, *overrides)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_cleanly_and_it_can_go_on(tiny_data, tmp_path, number):
    process = start(tiny_data, tmp_path, "training.steps=10000000")
    run = tmp_path / "00001-gan_mlp_smoke"
    wait_for(lambda: (run / "samples/step_000020.png").exists(), process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    for name in ("progress.gif", "losses.png", "generator.keras"):
        assert (run / name).exists()
    last = int(sorted((run / "checkpoints").glob("step_*"))[-1].name[5:])
    assert last == int(rows_of(run)[-1]["step"]), "the checkpoint is of the step at which it ended"
    goal = [f"training.steps={last + 20}", "--allow-change", "training.steps"]
    assert train(["--resume", str(run), *goal]) == 0
    assert [int(row["step"]) for row in rows_of(run)] == list(range(10, last + 21, 10))


def test_losses_that_are_not_finite_end_the_run_and_keep_the_last_good_state(
    tiny_data, tmp_path, capsys
):
    options = ("optimizer.learning_rate=1e30", "training.jit_compile=false")
    assert train(arguments(tiny_data, tmp_path, *options)) == 1
    output = capsys.readouterr().out
    assert "became nan in the last 10 steps; no state was saved" in output
    run = tmp_path / "00001-gan_mlp_smoke"
    assert [path.name for path in (run / "checkpoints").glob("step_*")] == ["step_000000"]
    assert all(np.isfinite(array).all() for array in weights_of(run).values())
    assert (run / "progress.gif").exists()


def test_a_wrong_configuration_writes_nothing(tmp_path, capsys):
    assert train([f"output_dir={tmp_path / 'new'}", "training.batch_size=60001"]) == 2
    error = capsys.readouterr().err
    assert "training.batch_size: expected at most the 60,000 training images" in error
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_prints_the_tables_and_writes_nothing(tmp_path, capsys):
    assert train(["--dry-run", f"output_dir={tmp_path / 'new'}"]) == 0
    output = capsys.readouterr().out
    for number in ("1,493,520", "1,489,936", "533,505", "803,600", "401,920"):
        assert number in output
    assert list(tmp_path.iterdir()) == []


def test_gif_frames_of_their_own_interval_stay_out_of_samples(tiny_data, tmp_path):
    options = ("gif.every=10", "training.steps=40", "training.jit_compile=false")
    assert train(arguments(tiny_data, tmp_path, *options)) == 0
    run = tmp_path / "00001-gan_mlp_smoke"
    assert len(list((run / "samples").glob("*.png"))) == 3
    with Image.open(run / "progress.gif") as gif:
        assert gif.n_frames == 5


def test_samples_are_the_same_bytes_for_the_same_seed(run, tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, seed in zip(paths, (0, 0, 1), strict=True):
        assert sample([str(run), "--num", "6", "--seed", str(seed), "--out", str(path)]) == 0
    first, second, third = (path.read_bytes() for path in paths)
    assert first == second
    assert first != third


def test_samples_as_arrays(run, tmp_path):
    few, many = tmp_path / "few.npz", tmp_path / "many.npz"
    assert sample([str(run), "--num", "5", "--out", str(few)]) == 0
    assert sample([str(run), "--num", "9", "--out", str(many)]) == 0
    with np.load(few, allow_pickle=False) as a, np.load(many, allow_pickle=False) as b:
        assert a["images"].shape == (5, 8, 8, 1)
        assert a["images"].dtype == np.uint8
        assert np.array_equal(a["images"], b["images"][:5])


@pytest.mark.parametrize(
    "options",
    [
        ["--num", "0"],
        ["--seed", "-1"],
        ["--out", "x.jpg"],
        ["--out", "no/such/x.png"],
        ["--label", "3"],
    ],
)
def test_wrong_sample_options_are_one_sentence(run, options, capsys):
    assert sample([str(run), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert "expected" in error
    assert "received" in error
    assert "\n" not in error


@pytest.mark.network
def test_the_default_networks_learn_on_real_mnist(tmp_path):
    """600 steps of the default preset on the 60,000 digits: D is ahead, not done."""
    overrides = [
        "training.steps=600",
        "samples.every=300",
        "log.every=50",
        f"output_dir={tmp_path}",
    ]
    assert train(overrides) == 0
    run = tmp_path / "00001-gan_mlp"
    record = json.loads((run / "environment.json").read_text())
    assert record["data"]["sha256_x_train"].startswith("741c988805d008ac")
    last = rows_of(run)[-1]
    assert 0.01 < float(last["d_loss"]) < 1.4
    assert not (run / "health.log").exists()
    grids = pixels_of(run)
    # Untrained output is mid-grey noise; digits on their white frame are mostly black.
    assert grids["step_000000.png"].mean() > 100
    assert grids["step_000600.png"].mean() < 80
