import numpy as np
import pytest

from sample_quality.numerics.bootstrap import bootstrap_interval, resample_counts


def test_each_resampling_has_the_size_of_the_sample():
    counts = resample_counts(np.random.default_rng(0), 50, 20)
    assert counts.shape == (20, 50)
    assert (counts.sum(axis=1) == 50).all()
    assert len({tuple(row) for row in counts}) == 20


def test_an_image_is_left_out_as_often_as_chance_has_it():
    """(1 - 1/N)^N, near 1/e."""
    counts = resample_counts(np.random.default_rng(1), 200, 500)
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 200) ** 200, abs=0.01)


def test_the_interval_of_a_mean_is_the_textbook_one():
    random = np.random.default_rng(2)
    values = random.normal(size=400)
    replicates = resample_counts(random, 400, 2000) @ values / 400
    low, high = bootstrap_interval(values.mean(), replicates)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=1e-12)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.06)


def test_replicates_that_are_shifted_do_not_shift_the_interval():
    assert bootstrap_interval(1.0, [6.0, 8.0]) == pytest.approx(
        (1 - 1.959964 * np.sqrt(2), 1 + 1.959964 * np.sqrt(2))
    )


def test_the_interval_stays_within_what_is_possible():
    assert bootstrap_interval(0.5, [0.0, 1.0], limits=(0.0, 1.0)) == (0.0, 1.0)
