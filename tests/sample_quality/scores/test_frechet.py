import numpy as np
import pytest

from sample_quality.scores.frechet import (
    Moments,
    frechet_distance,
    moments,
    resampled_frechet_distances,
)


def gaussian(mean, covariance):
    return Moments(np.array(mean, float), np.array(covariance, float))


def test_in_one_dimension_it_is_the_difference_of_means_and_of_deviations_squared():
    distance = frechet_distance(gaussian([1.0], [[4.0]]), gaussian([4.0], [[25.0]]))
    assert distance == pytest.approx((1 - 4) ** 2 + (2 - 5) ** 2, abs=1e-12)


def test_covariances_that_do_not_commute():
    """For 2x2 matrices Tr (AB)^(1/2) = (Tr AB + 2 (det AB)^(1/2))^(1/2)."""
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.0]])
    assert not np.allclose(a @ b, b @ a)
    root_trace = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    expected = 1.0 + np.trace(a) + np.trace(b) - 2 * root_trace
    one, other = gaussian([0, 0], a), gaussian([0, 1], b)
    assert frechet_distance(one, other) == pytest.approx(expected, abs=1e-12)
    assert frechet_distance(other, one) == pytest.approx(expected, abs=1e-12)


def test_scaled_covariances_in_many_dimensions():
    """C and s^2 C are (s - 1)^2 Tr C apart."""
    factor = np.random.default_rng(0).normal(size=(64, 64))
    covariance = factor @ factor.T
    distance = frechet_distance(
        gaussian(np.zeros(64), covariance), gaussian(np.zeros(64), 9 * covariance)
    )
    assert distance == pytest.approx(4 * np.trace(covariance), rel=1e-10)


def test_singular_covariances_in_different_directions():
    one, other = gaussian([0, 0], [[4, 0], [0, 0]]), gaussian([0, 0], [[0, 0], [0, 9]])
    assert frechet_distance(one, other) == pytest.approx(13.0, abs=1e-7)


def test_equal_and_nearly_singular_moments_are_at_zero():
    """128 features of 20 images, as dead features of a classifier give: rank 19."""
    features = np.random.default_rng(1).normal(size=(20, 128)).astype(np.float32)
    one = moments(features)
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-5)
    assert frechet_distance(one, one) >= 0.0


def test_a_rotation_and_a_shift_of_both_change_nothing():
    random = np.random.default_rng(2)
    x, y = random.normal(size=(300, 8)), 2 * random.normal(size=(200, 8)) + 1
    rotation, _ = np.linalg.qr(random.normal(size=(8, 8)))
    expected = frechet_distance(moments(x), moments(y))
    turned = frechet_distance(moments(x @ rotation + 5), moments(y @ rotation + 5))
    assert turned == pytest.approx(expected, rel=1e-10)


def test_samples_come_near_the_closed_form():
    """Sampling adds about the sum of squared standard errors: 4 x (1 + 4) / 20,000 = 0.001."""
    random = np.random.default_rng(3)
    x, y = random.normal(size=(20_000, 4)), 2 * random.normal(size=(20_000, 4)) + 3
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(4 * (9 + 1), abs=0.3)


def test_moments_are_those_of_numpy_also_far_from_zero():
    features = np.random.default_rng(4).normal(size=(50, 3)) + 1e6
    mean, covariance = moments(features)
    np.testing.assert_allclose(mean, features.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(covariance, np.cov(features - 1e6, rowvar=False), atol=1e-8)


def test_resamplings_are_repeated_rows():
    """Against the distance of sets in which rows are repeated, computed on its own."""
    random = np.random.default_rng(5)
    x, y = random.normal(size=(9, 3)) + 10, random.normal(size=(8, 3)) * 2
    x_counts = np.array([[1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 2, 1, 0, 3, 1, 0, 1, 1]])
    y_counts = np.array([[1, 1, 1, 1, 1, 1, 1, 1], [2, 2, 0, 1, 0, 1, 1, 1]])
    expected = [
        frechet_distance(moments(np.repeat(x, m, axis=0)), moments(np.repeat(y, n, axis=0)))
        for m, n in zip(x_counts, y_counts, strict=True)
    ]
    assert expected[0] != pytest.approx(expected[1], rel=0.01)
    values = resampled_frechet_distances(x, y, x_counts, y_counts)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
