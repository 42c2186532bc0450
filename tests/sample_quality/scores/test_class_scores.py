"""Classifier score, class histogram and conditional accuracy."""

import numpy as np
import pytest

from sample_quality.scores.class_balance import (
    class_shares,
    distance_from_uniform,
    missing_classes_interval,
    num_missing_classes,
)
from sample_quality.scores.classifier_score import classifier_score
from sample_quality.scores.conditional_accuracy import matches_label


def test_sure_and_even_is_the_number_of_classes():
    assert classifier_score(np.tile(np.eye(10), (3, 1))) == pytest.approx(10.0, abs=1e-12)


@pytest.mark.parametrize("row", [[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
def test_the_same_of_every_image_is_one(row):
    assert classifier_score(np.tile(row, (5, 1))) == pytest.approx(1.0, abs=1e-12)


def test_the_classifier_score_by_hand():
    """Two images: ln 2 - H(0.9, 0.1) nats, H = 0.325083."""
    value = classifier_score(np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert value == pytest.approx(np.exp(np.log(2) - 0.325083), abs=1e-6)


def test_counts_are_repeated_images():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), size=6)
    counts = np.array([0, 1, 3, 0, 1, 1])
    repeated = np.repeat(probabilities, counts, axis=0)
    assert classifier_score(probabilities, counts) == pytest.approx(
        classifier_score(repeated), abs=1e-12
    )


def test_shares_and_their_distance_from_even_ones():
    shares = class_shares(np.array([0, 0, 0, 1, 2, 2, 2, 2]), 4)
    np.testing.assert_allclose(shares, [3 / 8, 1 / 8, 4 / 8, 0])
    assert distance_from_uniform(shares) == pytest.approx(3 / 8, abs=1e-12)
    assert num_missing_classes(shares) == 1


def test_one_class_only():
    shares = class_shares(np.full(50, 3), 10)
    assert distance_from_uniform(shares) == pytest.approx(0.9, abs=1e-12)
    assert num_missing_classes(shares) == 9


def test_a_class_seen_by_a_slip_is_missing_still():
    """One image of 1,000 is below a tenth of an even share, ten are not."""
    classes = np.repeat([0, 1, 2], [989, 1, 10])
    assert num_missing_classes(class_shares(classes, 10)) == 8


def test_conditional_accuracy():
    asked = np.array([0, 1, 2, 3])
    assert matches_label(np.array([0, 1, 2, 2]), asked).mean() == 0.75


def test_the_number_of_missing_classes_is_as_sure_as_the_shares():
    """Ten classes; below 1% a class is missing. None, 7 or 13 of 1,000 images may be either."""
    assert missing_classes_interval(np.arange(1000) % 10, 10) == (0.0, 0.0)
    classes = np.repeat([0, 1, 2, 3, 4, 5, 6], [0, 7, 13, 100, 200, 300, 380])
    found = np.bincount(classes, minlength=10)
    assert num_missing_classes(found / 1000) == 5  # 0, 1, 7, 8 and 9
    assert missing_classes_interval(classes, 10) == (4.0, 6.0)
