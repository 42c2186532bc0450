"""What a resume accepts, repairs and refuses, on a small GAN's run."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import training_run.run_folder.checkpoint as checkpoint_module
from gan_mnist.family import FAMILY
from gan_mnist.train import main as train

NAME = "00001-gan_mlp_smoke"


def arguments(data, output_dir, *overrides):
    return [
        "--config", "gan_mlp_smoke", f"data.path={data}", f"output_dir={output_dir}",
        "model.generator_widths=[8]", "model.discriminator_widths=[8]", "model.latent_dim=4",
        "training.batch_size=10", "training.steps=40", "training.jit_compile=false",
        "samples.every=10", "log.every=10", "checkpoints.every=20", "samples.num_rows=2",
        "samples.num_columns=2", *overrides,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tiny_data, tmp_path_factory):
    """A run of 40 steps with its checkpoints at 0, 20 and 40."""
    folder = tmp_path_factory.mktemp("finished")
    assert train(arguments(tiny_data, folder, "checkpoints.keep=9")) == 0
    return folder / NAME


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(finished, tmp_path / NAME)


@pytest.fixture
def stopped(run):
    """A copy that was killed after its checkpoint at step 20 and some more rows and grids."""
    shutil.rmtree(run / "checkpoints/step_000040")
    return run


def rows_of(run):
    with open(run / "log.csv", newline="") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file)]


def state_of(run, step):
    with np.load(run / f"checkpoints/step_{step:06d}/state.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def same_state(one, other, step=40):
    ours, theirs = state_of(one, step), state_of(other, step)
    return ours.keys() == theirs.keys() and all(
        np.array_equal(ours[name], theirs[name]) for name in ours
    )


def snapshot(run):
    """Time of the last change of every file but the lock."""
    files = (path for path in run.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.stat().st_mtime_ns for path in files}


def resume(run, *options):
    return train(["--resume", str(run), *options])


SCHEDULED = [
    "loss.name=relativistic", "regularization.r1=2", "regularization.r2=2",
    "regularization.augment=[translation, cutout]", "regularization.penalty_every=4",
    "regularization.final_factor=0.1", "optimizer.schedule=cosine", "optimizer.warmup=5",
    "optimizer.final_factor=0.25", "optimizer.beta_2=0.9", "optimizer.final_beta_2=0.99",
    "ema.decay=0", "ema.final_decay=0.9", "samples.every=20",
]  # fmt: skip


def test_schedules_augmentation_and_pairs_resume_to_the_same_bytes(tiny_data, tmp_path):
    """Also from a step that is no multiple of `penalty_every`."""
    every = "checkpoints.every=10"
    assert train(arguments(tiny_data, tmp_path, *SCHEDULED, every, "checkpoints.keep=9")) == 0
    whole = tmp_path / NAME
    again = shutil.copytree(whole, tmp_path / "copies" / NAME)
    for path in (again / "checkpoints").glob("step_*"):
        if int(path.name[5:]) > 10:
            shutil.rmtree(path)
    assert resume(again) == 0
    assert same_state(whole, again)
    assert rows_of(whole) == rows_of(again)
    assert "d_ranking" in rows_of(whole)[0]
    assert (whole / "progress.gif").read_bytes() == (again / "progress.gif").read_bytes()


def test_the_length_of_a_scheduled_run_is_part_of_its_training(tiny_data, tmp_path, capsys):
    assert train(arguments(tiny_data, tmp_path, *SCHEDULED)) == 0
    assert resume(tmp_path / NAME, "training.steps=80") == 2
    assert "add --allow-change training.steps" in capsys.readouterr().err


# Changed configurations


def test_a_changed_key_is_refused_with_the_way_to_change_it_on_purpose(stopped, capsys):
    before = (stopped / "config.yaml").read_text()
    assert resume(stopped, "optimizer.learning_rate=0.5", "seed=3") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "add --allow-change optimizer.learning_rate" in lines[0]
    assert "seed: expected 0 as the run was started with, received 3" in lines[1]
    assert (stopped / "config.yaml").read_text() == before


def test_a_key_is_changed_on_purpose_and_the_run_remembers(stopped, finished):
    """The learning rate is a variable of the optimizer: the checkpoint's must not win."""
    options = ("optimizer.learning_rate=0.05", "--allow-change", "optimizer")
    assert resume(stopped, *options) == 0
    assert not same_state(stopped, finished)
    state = state_of(stopped, 40)
    rates = [value for name, value in state.items() if name.endswith("_optimizer/001")]
    assert [float(rate) for rate in rates] == pytest.approx([0.05, 0.05])
    record = json.loads((stopped / "environment.json").read_text())
    assert record["changed_on_resume"] == [
        {"step": 20, "keys": {"optimizer.learning_rate": [0.0002, 0.05]}}
    ]
    assert "learning_rate: 0.05" in (stopped / "config.yaml").read_text()


def test_allowing_one_key_does_not_allow_another(stopped, capsys):
    options = ("optimizer.learning_rate=0.05", "seed=3", "--allow-change", "seed")
    assert resume(stopped, *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "optimizer.learning_rate" in line


def test_a_change_that_the_checkpoint_does_not_fit_writes_nothing(stopped, capsys):
    before = snapshot(stopped)
    assert resume(stopped, "model.latent_dim=5", "--allow-change", "model.latent_dim") == 2
    assert "expected the variables of this configuration" in capsys.readouterr().err
    assert snapshot(stopped) == before


def test_fewer_steps_are_refused_unless_on_purpose(stopped, capsys):
    assert resume(stopped, "training.steps=30") == 2
    assert "expected at least the 40 steps" in capsys.readouterr().err
    assert resume(stopped, "training.steps=30", "--allow-change", "training.steps") == 0
    assert [row["step"] for row in rows_of(stopped)] == ["10", "20", "30"]


def test_a_longer_run_goes_on_as_if_it_had_been_so_long_from_the_start(run, tiny_data, tmp_path):
    assert resume(run, "training.steps=60") == 0
    assert train(arguments(tiny_data, tmp_path / "long", "training.steps=60")) == 0
    assert same_state(run, tmp_path / "long" / NAME, step=60)
    assert rows_of(run) == rows_of(tmp_path / "long" / NAME)
    with Image.open(run / "progress.gif") as gif:
        assert gif.n_frames == 7


def test_another_block_of_steps_gives_the_same_weights(stopped, finished):
    """An interval of 1 makes every execution a single step."""
    assert resume(stopped, "log.every=1") == 0
    assert same_state(stopped, finished)


def test_other_grids_on_purpose_leave_the_smaller_ones_out_of_the_gif(stopped, capsys):
    options = ("samples.num_columns=3", "--allow-change", "samples.num_columns")
    assert resume(stopped, *options) == 0
    output = capsys.readouterr().out
    assert output.count("left out of the GIF, since it is of another size") == 3
    with Image.open(stopped / "progress.gif") as gif:
        assert gif.n_frames == 2


def test_a_best_of_steps_that_another_training_replaces_is_forgotten(stopped):
    best = stopped / "best"
    for step, options, stays in (
        (20, ("seed=3", "--allow-change", "seed"), True),
        (30, ("seed=4", "--allow-change", "seed"), False),
    ):
        best.mkdir(exist_ok=True)
        (best / "score.json").write_text(json.dumps({"step": step}))
        shutil.rmtree(stopped / "checkpoints/step_000040", ignore_errors=True)
        assert resume(stopped, *options) == 0
        assert best.exists() == stays


def test_a_configuration_edited_by_hand_is_an_override(stopped, finished, capsys):
    path = stopped / "config.yaml"
    path.write_text(path.read_text().replace("learning_rate: 0.0002", "learning_rate: 0.5", 1))
    before = snapshot(stopped)
    assert resume(stopped) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "optimizer.learning_rate: expected 0.0002 as the run was started with" in line
    assert snapshot(stopped) == before
    assert resume(stopped, "--allow-change", "optimizer.learning_rate") == 0
    assert not same_state(stopped, finished)


@pytest.mark.parametrize(
    ("array", "overrides", "code"),
    [
        ("y_train", ("model.conditional=true",), 2),
        ("x_train", (), 2),
        ("y_train", (), 0),
        ("x_test", (), 0),
    ],
)
def test_only_other_arrays_that_the_run_uses_are_refused(
    tiny_data, tmp_path, capsys, array, overrides, code
):
    """A GAN uses labels if it is conditional, and never the test images."""
    data = shutil.copy(tiny_data, tmp_path / "data.npz")
    assert train(arguments(data, tmp_path, *overrides)) == 0
    with np.load(data, allow_pickle=False) as arrays:
        changed = {name: arrays[name] for name in arrays.files}
    changed[array] = changed[array][::-1]
    np.savez(data, **changed)
    run = tmp_path / NAME
    before = snapshot(run)
    assert resume(run, "training.steps=50") == code
    error = capsys.readouterr().err
    assert (f"expected the {array} that the run began with" in error) == (code == 2)
    assert (snapshot(run) == before) == (code == 2)


def test_a_link_to_another_folder_is_not_followed(stopped, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "step_000900.png").write_bytes(b"somebody's picture")
    (stopped / "extra").symlink_to(elsewhere)
    (stopped / "frames").symlink_to(elsewhere)
    assert resume(stopped) == 0
    assert (elsewhere / "step_000900.png").read_bytes() == b"somebody's picture"


# Deleted and damaged underneath


def test_a_log_that_is_gone_is_said_and_the_rest_goes_on(stopped, finished, capsys):
    (stopped / "log.csv").unlink()
    assert resume(stopped) == 0
    assert "log.csv is missing: its rows up to step 20 are lost" in capsys.readouterr().out
    assert [row["step"] for row in rows_of(stopped)] == ["30", "40"]
    assert same_state(stopped, finished)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"hello\n", b""])
def test_a_log_that_is_none_is_refused(stopped, capsys, content):
    (stopped / "log.csv").write_bytes(content)
    before = snapshot(stopped)
    assert resume(stopped) == 2
    assert snapshot(stopped) == before
    assert "log.csv: expected a log with the columns step and seconds" in capsys.readouterr().err


def test_half_a_row_and_what_a_kill_left_behind_are_removed(stopped, finished):
    with open(stopped / "log.csv", "a") as file:
        file.write("3")  # of "30,..."; as a number it would be a step to keep
    (stopped / "samples/.tmp-abc.png").write_bytes(b"half")
    (stopped / ".tmp-def").mkdir()
    (stopped / "checkpoints/.tmp-ghi").mkdir()
    assert resume(stopped) == 0
    assert rows_of(stopped) == rows_of(finished)
    assert not list(stopped.rglob(".tmp-*"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda rows: rows[:1] + rows[2:],  # one is missing
        lambda rows: [*rows[:2], rows[2][:-3]],  # half a number at its end
        lambda rows: [rows[0], rows[1].replace("10,", "1_0,", 1), *rows[2:]],
    ],
)
def test_rows_that_are_lost_are_said_and_left_out(stopped, finished, capsys, damage):
    lines = (stopped / "log.csv").read_text().splitlines(keepends=True)
    (stopped / "log.csv").write_text("".join(damage(lines[:3])))
    assert resume(stopped) == 0
    assert "log.csv: expected 2 rows up to step 20, received 1; " in capsys.readouterr().out
    assert [row for row in rows_of(finished) if row in rows_of(stopped)] == rows_of(stopped)
    assert len(rows_of(stopped)) == 3


def test_a_link_to_nowhere_is_no_log_to_write_to(stopped, tmp_path):
    (stopped / "log.csv").unlink()
    (stopped / "log.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert resume(stopped) == 0
    assert not (tmp_path / "elsewhere.csv").exists()
    assert [row["step"] for row in rows_of(stopped)] == ["30", "40"]


def test_a_record_of_the_data_that_is_gone_is_written_again(stopped, finished, capsys):
    (stopped / "environment.json").unlink()
    assert resume(stopped) == 0
    assert "environment.json is missing: it is written again" in capsys.readouterr().out
    again, before = (
        json.loads((folder / "environment.json").read_text()) for folder in (stopped, finished)
    )
    assert again["data"] == before["data"]


def test_pictures_that_are_gone_or_damaged_are_left_out_of_the_gif(stopped, capsys):
    (stopped / "samples/step_000010.png").unlink()
    (stopped / "samples/step_000020.png").write_bytes(b"no picture")
    assert resume(stopped) == 0
    assert "step_000020.png: left out of the GIF, since it is damaged" in capsys.readouterr().out
    with Image.open(stopped / "progress.gif") as gif:
        assert gif.n_frames == 3


def test_of_a_finished_run_what_is_missing_is_made_again(run, finished, capsys):
    for name in ("generator.keras", "progress.gif", "losses.png"):
        (run / name).unlink()
    assert resume(run) == 0
    assert "finished already, at step 40" in capsys.readouterr().out
    assert (run / "generator.keras").exists()
    for name in ("progress.gif", "losses.png"):
        assert (run / name).read_bytes() == (finished / name).read_bytes()


def test_a_run_killed_before_its_first_checkpoint_begins_again(run, finished):
    for path in run.iterdir():
        if path.name != "config.yaml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert resume(run) == 0
    assert same_state(run, finished)
    assert rows_of(run) == rows_of(finished)


def test_a_run_whose_checkpoints_are_gone_does_not_begin_again(stopped, capsys):
    shutil.rmtree(stopped / "checkpoints")
    assert resume(stopped) == 2
    assert "expected a checkpoint to resume from" in capsys.readouterr().err
    assert len(rows_of(stopped)) == 4


def test_new_columns_of_the_log_are_added_to_the_rows_that_are_there(stopped, monkeypatch):
    """As `quality.every` does when it is turned on."""
    monkeypatch.setattr(FAMILY, "log_columns", lambda config: ("score",), raising=False)
    assert resume(stopped) == 0
    rows = rows_of(stopped)
    assert list(rows[0])[-1] == "score"
    assert [row["step"] for row in rows] == ["10", "20", "30", "40"]
    assert all(row["score"] == "" for row in rows)


# A disk that is full


def test_a_full_disk_is_a_sentence_and_the_run_goes_on_with_room(
    tiny_data, finished, tmp_path, monkeypatch, capsys
):
    """The second checkpoint finds no room."""
    save, saved = np.savez, []

    def save_once(file, **arrays):
        if len(saved) == 1:
            file.write(b"half of it")
            raise OSError(28, "No space left on device")
        saved.append(save(file, **arrays))

    monkeypatch.setattr(checkpoint_module.np, "savez", save_once)
    assert train(arguments(tiny_data, tmp_path, "checkpoints.keep=9")) == 2
    run = tmp_path / NAME
    error = capsys.readouterr().err.strip()
    path = run / "checkpoints/step_000020"
    assert error.startswith(
        f"{path}: cannot be written: No space left on device. No file is damaged"
    )
    assert "\n" not in error
    assert not list(run.rglob(".tmp-*"))
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["step_000000"]
    monkeypatch.undo()
    assert resume(run) == 0
    assert same_state(run, finished)
    assert rows_of(run) == rows_of(finished)
