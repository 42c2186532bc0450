from types import SimpleNamespace

import numpy as np
import pytest

from sample_quality.features.classifier import Classified
from sample_quality.scores.modes import divergence_from_uniform, modes_of, num_modes
from sample_quality.stacked_scores import mode_counts, score_stacked


def test_modes_are_the_digits_of_a_number():
    classes = np.array([[0, 0, 0], [1, 2, 3], [9, 9, 9]])
    assert modes_of(classes, 10).tolist() == [0, 123, 999]


def test_modes_and_divergence_by_hand():
    counts = np.array([[2, 0, 1, 1], [3, 3, 3, 3], [9, 0, 0, 0]])
    assert num_modes(counts).tolist() == [3, 4, 1]
    # 0.5 log(0.5 / 0.25) + 2 * 0.25 log(1), then 0, then log 4
    expected = [0.5 * np.log(2), 0.0, np.log(4)]
    np.testing.assert_allclose(divergence_from_uniform(counts), expected, atol=1e-12)


def classify(images):
    """A classifier of 1x1 images of three classes, whose pixel is the class."""
    assert images.shape[1:] == (1, 1, 1)
    return Classified(np.zeros((len(images), 2)), np.eye(3)[images.reshape(-1)])


def make_classifier():
    record = SimpleNamespace(name="tiny", sha256="0" * 64)
    attributes = {
        "record": record,
        "features_name": "tiny classifier",
        "features_sha256": "ab" * 32,
        "__call__": lambda self, images: classify(images),
    }
    return type("Tiny", (), attributes)()


def test_each_channel_is_seen_alone():
    stacks = np.array([[0, 1, 2], [0, 1, 2], [2, 2, 0]], np.uint8).reshape(3, 3, 1, 1, 1)
    counts = mode_counts(stacks, make_classifier())
    assert len(counts) == 27
    assert {mode: counts[mode] for mode in np.flatnonzero(counts)} == {5: 2, 24: 1}


def test_scores_of_dropped_modes_and_of_all():
    random = np.random.default_rng(1)
    train = random.integers(3, size=(300, 1, 1, 1), dtype=np.uint8)
    dropping = random.integers(2, size=(2700, 1, 1, 3), dtype=np.uint8)
    scores = score_stacked(dropping, train, make_classifier(), seed=2)
    assert scores["modes"].value == 8.0
    assert scores["modes"].floor == 27.0
    divergence = scores["mode_divergence"]
    assert divergence.value == pytest.approx(np.log(27 / 8), abs=0.01)
    # What a finite number of samples gives: (27 - 1) / (2 * 2700), and train's own unevenness.
    assert divergence.floor == pytest.approx(26 / 5400, abs=0.02)
    assert divergence.interval[0] <= divergence.value <= divergence.interval[1]
    assert "2,700 samples, by tiny classifier" in str(divergence.protocol)
