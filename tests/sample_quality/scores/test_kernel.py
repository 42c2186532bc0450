import numpy as np
import pytest

from sample_quality.scores.kernel import kernel_distance, kernel_distances


def by_loops(x, y):
    """The estimator as it is written down, pair by pair; a pair of equal indices is left out."""

    def kernel(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    def within(z):
        n = len(z)
        return sum(kernel(z[i], z[j]) for i in range(n) for j in range(n) if i != j) / (n * n - n)

    between = np.mean([kernel(a, b) for a in x for b in y])
    return within(x) + within(y) - 2 * between


def test_by_hand():
    """Kernels 27 within the first, 1 within the second, (1 + 8 + 1 + 27) / 4 between them."""
    x, y = np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]])
    assert kernel_distance(x, y) == pytest.approx(27 + 1 - 2 * 37 / 4, abs=1e-6)


def test_pair_by_pair():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(7, 3)), random.normal(size=(5, 3)) + 1
    assert kernel_distance(x, y) == pytest.approx(by_loops(x, y), rel=1e-5)


def test_the_estimate_is_unbiased():
    """400 pairs of small samples of one distribution: the mean is zero within four errors.

    The estimator that keeps the pairs of an image with itself would be near
    2 (E k(x, x) - E k(x, x')) / 20, which is above 0.4 here.
    """
    random = np.random.default_rng(1)
    estimates = [
        kernel_distance(random.normal(size=(20, 4)), random.normal(size=(20, 4)))
        for _ in range(400)
    ]
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert error < 0.05
    assert abs(np.mean(estimates)) < 4 * error


def test_a_known_difference():
    """One feature, x = 0 and y = +-1: 1 + (8 + 0) / 2 - 2 = 3 for the distributions."""
    x = np.zeros((2000, 1))
    y = np.where(np.arange(2000) % 2, 1.0, -1.0)[:, None]
    # y's pairs of different rows: 999 equal and 1000 opposite ones for each.
    assert kernel_distance(x, y) == pytest.approx(1 + 999 * 8 / 1999 - 2, abs=1e-5)


def test_resamplings_leave_out_the_pairs_of_an_image_with_itself():
    random = np.random.default_rng(2)
    x, y = random.normal(size=(5, 2)), random.normal(size=(4, 2))
    x_counts, y_counts = np.array([[1, 1, 1, 1, 1], [2, 0, 1, 2, 0]]), np.ones((2, 4), int)
    values = kernel_distances(x, y, x_counts, y_counts)
    assert values[0] == pytest.approx(kernel_distance(x, y), rel=1e-6)

    def kernel(a, b):
        return (a @ b.T / 2 + 1) ** 3

    weights = np.outer(x_counts[1], x_counts[1]) * (1 - np.eye(5))
    within = (weights * kernel(x, x)).sum() / weights.sum()
    others = (kernel(y, y) * (1 - np.eye(4))).sum() / 12
    between = (x_counts[1] @ kernel(x, y)).sum() / (5 * 4)
    assert values[1] == pytest.approx(within + others - 2 * between, rel=1e-5)


def test_many_rows_go_through_in_blocks(monkeypatch):
    random = np.random.default_rng(3)
    x, y = random.normal(size=(31, 3)), random.normal(size=(17, 3))
    whole = kernel_distance(x, y)
    monkeypatch.setattr("sample_quality.scores.kernel.ROWS", 4)
    assert kernel_distance(x, y) == pytest.approx(whole, rel=1e-6)
