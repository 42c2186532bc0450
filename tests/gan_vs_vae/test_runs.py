"""What run folders say, and which are refused."""

import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from gan_vs_vae.runs import config_differences, grids, read_run, read_runs
from training_run.data.mnist import MNIST
from training_run.errors import UserError
from training_run.run_folder.networks import MEMBERS
from training_run.run_folder.paths import RunDir

CONFIG = """\
family: {family}
name: {name}
data: {{dataset: mnist, path: {data}}}
model: {{value_range: [0, 1]}}
training: {{steps: 2 epochs, batch_size: 10{more}}}
"""


@pytest.fixture
def make(tmp_path, tiny_data):
    """A function that makes a run folder by hand: enough to be read, not to be drawn from."""

    def make_run(
        folder, family="gan", data=tiny_data, name="x", more="", log="step,seconds\n10,2.5\n"
    ):
        path = tmp_path / folder
        path.mkdir()
        config = CONFIG.format(family=family, name=name, data=data, more=more)
        (path / "config.yaml").write_text(config)
        with zipfile.ZipFile(path / "generator.keras", "w") as archive:
            for member in MEMBERS:
                archive.writestr(member, "{}")
        if log:
            (path / "log.csv").write_text(log)
        return path

    return make_run


def refusal(paths):
    with pytest.raises(UserError) as error:
        read_runs([str(path) for path in paths], "nowhere")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_epoch_is_its_full_batches_and_a_log_that_ends_early_is_unfinished(make):
    run = read_run(RunDir(make("00001-x")))
    assert (run.step, run.seconds, run.total_steps) == (10, 2.5, 10)  # 2 * (50 // 10)
    assert not run.is_unfinished
    run = read_run(RunDir(make("00002-x", log="step,seconds\n5,1.0\n")))
    assert run.is_unfinished
    assert run.title == "x"


def test_a_run_that_ends_by_time_is_finished_and_whole(make):
    half_a_minute, log = ", minutes: 0.5", "step,seconds\n4,{}\n"
    run = read_run(RunDir(make("00001-x", more=half_a_minute, log=log.format(30.2))))
    assert (run.total_steps, run.is_unfinished) == (4, False)
    run = read_run(RunDir(make("00002-x", more=half_a_minute, log=log.format(29.8))))
    assert (run.total_steps, run.is_unfinished) == (10, True)


def test_a_run_without_log_and_environment_can_be_read(make):
    run = read_run(RunDir(make("00001-x", log=None)))
    assert (run.step, run.seconds, run.is_unfinished, run.environment) == (None, None, False, None)
    assert grids(run) == []


@pytest.mark.parametrize("text", ["", "{"])
def test_a_damaged_environment_does_not_matter(make, text):
    paths = [make("00001-x"), make("00002-x")]
    (paths[0] / "environment.json").write_text(text)
    assert len(read_runs([str(path) for path in paths], "nowhere")) == 2


def test_runs_of_one_name_are_told_apart_by_their_folders(make):
    paths = [make("00001-x"), make("00002-x"), make("00003-y", name="y")]
    titles = [run.title for run in read_runs([str(path) for path in paths], "nowhere")]
    assert titles == ["00001-x", "00002-x", "y"]


def test_another_family_is_refused(make):
    assert "received one of family 'denoiser'" in refusal([make("00001-d", "denoiser")])


def test_a_run_given_twice_is_refused(make):
    path = make("00001-x")
    assert "expected each run once, received it 2 times" in refusal([path, path])


def test_other_image_shapes_are_refused(make, tmp_path):
    images = np.zeros((20, 4, 4), np.uint8)
    np.savez(tmp_path / "small.npz", x_train=images, y_train=np.arange(20) % 10)
    message = refusal([make("00001-x"), make("00002-x", data=tmp_path / "small.npz")])
    assert "00001-x of mnist, 8x8x1; " in message
    assert "00002-x of mnist, 4x4x1; no two of them match" in message


def test_of_runs_that_cannot_be_compared_those_that_can_are_named(make, tmp_path):
    np.savez(tmp_path / "small.npz", x_train=np.zeros((20, 4, 4), np.uint8))
    small = tmp_path / "small.npz"
    paths = [make("1-x"), make("2-y", data=small), make("3-x"), make("4-y", data=small)]
    first, second, third, fourth = map(str, paths)
    message = refusal(paths)
    assert f"received {first} and {third} of mnist, 8x8x1; {second} and {fourth} of" in message
    assert message.endswith(
        f"these can be compared: python -m gan_vs_vae {first} {third}, "
        f"python -m gan_vs_vae {second} {fourth}"
    )


def test_other_training_images_of_the_same_shape_are_refused(make):
    paths = [make("00001-x"), make("00002-x")]
    for path, checksum in zip(paths, ("a" * 64, "b" * 64), strict=True):
        record = json.dumps({"data": {"sha256_x_train": checksum}})
        (path / "environment.json").write_text(record)
    assert "00001-x of mnist, 8x8x1, SHA-256 aaaaaaaaaaaa; " in refusal(paths)


def test_local_images_are_not_called_digits_unless_the_record_says_so(make):
    path = make("00001-x")
    assert read_run(RunDir(path)).spec.title == "Images of tiny"
    assert read_run(RunDir(path)).spec.noun == "images"
    record = {"data": {"sha256_x_train": MNIST.sha256["x_train"]}}
    (path / "environment.json").write_text(json.dumps(record))
    assert read_run(RunDir(path)).spec.title == "MNIST digits"


def test_grids_are_those_of_samples_and_frames_by_step(make):
    path = make("00001-x")
    for name in ("frames/step_000005.png", "frames/step_000010.png", "samples/step_000010.png"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(b"")
    (path / "samples" / "step_x.png").write_bytes(b"")
    found = [(step, file.parent.name) for step, file in grids(read_run(RunDir(path)))]
    assert found == [(5, "frames"), (10, "samples")]


def test_differences_of_configurations():
    values = [
        {"name": "a", "family": "gan", "model": {"dim": 3, "kind": "mlp"}, "ema": {"decay": None}},
        {"name": "b", "family": "vae", "model": {"dim": 4, "kind": "mlp"}, "output_dir": "o"},
        {"name": "c", "family": "vae", "model": {"dim": 4, "kind": "mlp"}, "loss": {"c": 2.0}},
    ]
    runs = [SimpleNamespace(values=one) for one in values]
    assert config_differences(runs) == [
        ("family", ["gan", "vae", "vae"]),
        ("model.dim", [3, 4, 4]),
        ("loss.c", [None, None, 2.0]),
    ]
    assert config_differences(runs[:1]) == []
