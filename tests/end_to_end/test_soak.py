"""A quick part of tests/soak/soak.py, and that its checks can fail."""

import json
import random
import shutil
import sys

import pytest

from gan_mnist.train import main as train
from tests.soak import damage, damaged_files, endings, tiny

SEED, NUM_CASES = 3, 40

LAST = "checkpoints/step_000030"

READERS = {
    "config.yaml": ("sample", "resume"),
    "NETWORK": ("sample",),
    "environment.json": ("resume",),
    f"{LAST}/checkpoint.json": ("resume",),
    f"{LAST}/state.npz": ("resume",),
    "log.csv": ("resume",),
}
"""Those that take a fraction of a second: the run is finished, and has one checkpoint."""


@pytest.fixture(scope="module")
def world(tiny_data, tmp_path_factory):
    """A folder with a finished run, to be damaged."""
    folder = tmp_path_factory.mktemp("world")
    few = ["quality.every=null", "checkpoints.keep=1"]
    assert train([*tiny.gan_arguments(tiny_data, folder / "outputs"), *few]) == 0
    return folder


def test_damaged_files_end_in_sentences(world, tiny_data):
    numbers = range(NUM_CASES)
    counts, faults = damaged_files.fuzz(world, numbers, SEED, images=tiny_data, readers=READERS)
    assert faults == []
    assert sum(counts.values()) == NUM_CASES
    assert sum(count for (_, code), count in counts.items() if code == 2) >= 15


def test_a_traceback_and_a_change_outside_are_faults(world, tiny_data):
    run = world / "case" / damaged_files.GAN
    shutil.rmtree(run.parent, ignore_errors=True)
    run.mkdir(parents=True)

    def careless(run, images):
        (run.parent / "elsewhere.txt").write_text("something")
        raise KeyError("format")

    code, _, faults = damaged_files.call(careless, world, run, tiny_data)
    assert code is None
    assert faults[0].startswith("traceback: KeyError('format') at test_soak.py")
    assert faults[-1] == "something outside the run folder was changed"
    (run / "score.json").write_text('{\n  "value": NaN\n}\n')
    assert damaged_files.check_records(run) == ["score.json holds NaN or Infinity"]
    assert damaged_files.check_words(2, ("", "")) == ["refused without a word"]
    assert "control characters" in damaged_files.check_words(0, ("\x1b[2J", ""))[0]


def test_a_damage_is_that_of_its_seed(tmp_path):
    contents = []
    for _ in range(2):
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"step": 3, "config": {"seed": [1, 2]}}))
        done = [damage.damage(path, random.Random(5))]
        contents.append((done, path.read_bytes()))
    assert contents[0] == contents[1]
    assert contents[0][1] != json.dumps({"step": 3, "config": {"seed": [1, 2]}}).encode()


LIST = [sys.executable, "-m", "gan_mnist.train", "--list"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
@pytest.mark.parametrize("pipe", ["| true", "> /dev/full", "2>&-"])
def test_a_command_outlives_its_reader(tmp_path, pipe):
    assert endings.try_pipe(LIST, pipe, tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM")
@pytest.mark.parametrize("moments", [[(0.6, "SIGINT")], [(1.0, "SIGTERM"), (0.05, "SIGHUP")]])
def test_a_signal_ends_a_command_with_a_word(tiny_data, tmp_path, moments):
    words = endings.train_line(tiny_data, tmp_path, "training.steps=200000")
    ending, faults = endings.try_signals(words, moments)
    assert faults == []
    assert ending != "finished"
