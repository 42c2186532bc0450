import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from sample_quality.features.classifier import SHIPPED, load_classifier
from sample_quality.keep_best import FrechetScore, KeepBest, recover_folder
from sample_quality.protocol import Protocol
from training_run.errors import UserError
from training_run.loop.callbacks import CsvLog, Diverged, StepClock

PROTOCOL = Protocol("pixels", "", "train", "cd" * 32, 100, 50, 0)


class OneWeight(keras.Model):
    """A composite whose only weight counts its steps."""

    def __init__(self):
        super().__init__()
        self.network = keras.Sequential(
            [keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)], name="generator"
        )
        self.tracker = keras.metrics.Mean(name="g_loss")
        self.built = True
        self.network.set_weights([np.zeros((1, 1))])

    @property
    def metrics(self):
        return [self.tracker]

    def networks(self):
        return {"generator": self.network}

    def saved_values(self):
        return {}

    def optimizers(self):
        return {}

    def train_step(self, batch):
        self.network.layers[0].kernel.assign_add([[1.0]])
        self.tracker.update_state(1.0)
        return {"g_loss": self.tracker.result()}


class ScoreFromList:
    """Scores given beforehand, one after the other."""

    name, protocol = "frechet_distance", PROTOCOL

    def __init__(self, *values):
        self.values = list(values)

    def __call__(self):
        return self.values.pop(0)


def train(folder, model, score, *, first_step=0, total=12, every=4, log_every=2):
    clock = StepClock(total, first_step)
    model.compile(optimizer=None, jit_compile=False, steps_per_execution=2)
    steps = total - first_step
    model.fit(
        tf.data.Dataset.from_tensors({"x": 0}).repeat(steps),
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[
            clock,
            KeepBest(clock, every, score, folder / "best"),
            CsvLog(clock, log_every, folder / "log.csv", ["g_loss", "frechet_distance"]),
        ],
    )


def column(folder):
    with open(folder / "log.csv", newline="") as file:
        return {int(row["step"]): row["frechet_distance"] for row in csv.DictReader(file)}


def best(folder):
    """(step the saved network was saved at, its record)."""
    network = keras.saving.load_model(folder / "best/generator.keras")
    record = json.loads((folder / "best/score.json").read_text())
    return float(network.get_weights()[0][0, 0]), record


def test_scores_are_a_column_and_the_best_networks_are_kept(tmp_path):
    train(tmp_path, OneWeight(), ScoreFromList(5.0, 3.0, 4.0))
    assert column(tmp_path) == {2: "", 4: "5.0", 6: "", 8: "3.0", 10: "", 12: "4.0"}
    step, record = best(tmp_path)
    assert step == 8
    assert (record["step"], record["value"], record["score"]) == (8, 3.0, "frechet_distance")
    assert Protocol(**record["protocol"]) == PROTOCOL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "log.csv"]


def test_a_resumed_run_keeps_its_best_until_there_is_a_better_one(tmp_path):
    train(tmp_path, OneWeight(), ScoreFromList(5.0, 2.0), total=8)
    train(tmp_path, OneWeight(), ScoreFromList(3.0, 2.0), first_step=8, total=16)
    assert best(tmp_path)[1]["step"] == 8
    train(tmp_path, OneWeight(), ScoreFromList(1.0), first_step=16, total=20)
    assert best(tmp_path)[1]["step"] == 20


def test_a_best_of_another_protocol_is_not_compared_with(tmp_path):
    train(tmp_path, OneWeight(), ScoreFromList(5.0), total=4)
    other = ScoreFromList(1.0)
    other.protocol = Protocol("pixels", "", "train", "cd" * 32, 100, 60, 0)
    with pytest.raises(UserError, match="60 samples against"):
        train(tmp_path, OneWeight(), other, first_step=4, total=8)


def test_a_write_that_fails_leaves_the_best_before_it(tmp_path, monkeypatch):
    train(tmp_path, OneWeight(), ScoreFromList(5.0), total=4)

    def fail(path, text):
        raise OSError("disk full")

    monkeypatch.setattr("sample_quality.keep_best.write_record", fail)
    with pytest.raises(OSError, match="disk full"):
        train(tmp_path, OneWeight(), ScoreFromList(1.0), first_step=4, total=8)
    step, record = best(tmp_path)
    assert (step, record["step"]) == (4, 4)
    monkeypatch.undo()
    train(tmp_path, OneWeight(), ScoreFromList(1.0), first_step=4, total=8)
    assert best(tmp_path)[1]["step"] == 8
    assert not list(tmp_path.glob(".best*"))


def test_a_run_killed_between_the_two_renames_has_its_best_back(tmp_path):
    train(tmp_path, OneWeight(), ScoreFromList(5.0), total=4)
    (tmp_path / "best").rename(tmp_path / ".best-old")
    recover_folder(tmp_path / "best")
    assert best(tmp_path)[1]["value"] == 5.0
    assert not (tmp_path / ".best-old").exists()


def test_weights_that_are_not_finite_are_not_scored(tmp_path):
    model = OneWeight()
    model.network.set_weights([np.full((1, 1), np.nan)])
    with pytest.raises(Diverged, match="weights are no longer finite"):
        train(tmp_path, model, ScoreFromList(1.0), total=4)
    assert not (tmp_path / "best").exists()


def test_the_frechet_score_follows_the_network():
    """A generator that draws noise, then one that draws what the training images are: black."""
    layers = keras.layers
    network = keras.Sequential(
        [layers.Input((4,)), layers.Dense(784, "tanh"), layers.Reshape((28, 28, 1))]
    )
    train_images = np.zeros((30, 28, 28, 1), np.uint8)
    train_images[::2, 10:18, 13:15] = 255
    classifier = load_classifier(SHIPPED)
    score = FrechetScore(
        network, classifier, train_images, value_range=(-1.0, 1.0), num_images=40, seed=0
    )
    noisy = score()
    assert score() == noisy
    kernel, bias = network.get_weights()
    network.set_weights([np.zeros_like(kernel), bias - 10])
    assert 0 < score() < noisy
    assert score.protocol.num_generated == 40
    assert score.protocol.num_real == 30
    assert score.protocol.split == "train"
