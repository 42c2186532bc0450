"""Kernel distance: the squared maximum mean discrepancy of two sets of features."""

import numpy as np

from sample_quality.numerics.products import product

ROWS = 500
"""Rows of the kernel matrix at once: 20 MB against 10,000 columns."""


def polynomial_kernel(x, y):
    """(x.y / D + 1)^3 for all pairs of rows of (N, D) and (M, D); the result is (N, M)."""
    kernel = product(x, y.T)
    kernel /= x.shape[1]
    kernel += 1
    return kernel * kernel * kernel


def kernel_distance(x, y):
    """Unbiased estimate of the squared maximum mean discrepancy, with `polynomial_kernel`.

    It is taken over all pairs, not over random subsets. For two samples of one distribution its
    expectation is zero, so it may be negative.

    Args:
        x, y: (N, D) and (M, D), N and M at least 2.

    Returns:
        float.

    Source: Binkowski et al. 2018, arXiv:1801.01401, section 3.1, equation 4.
    """
    return float(kernel_distances(x, y, np.ones((1, len(x))), np.ones((1, len(y))))[0])


def kernel_distances(x, y, x_counts, y_counts):
    """Kernel distances of several resamplings of two sets at once.

    Resampling makes pairs of an image with itself. They are left out, as in the estimate.

    Args:
        x, y: (N, D) and (M, D).
        x_counts, y_counts: (B, N) and (B, M), how often each row counts in each resampling.

    Returns:
        (B,) float64.
    """
    # float32 products are twice as fast; sums over rows are float64.
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    pairs = x_counts.sum(axis=1) * y_counts.sum(axis=1)
    between = _weighted_sums(x, y, x_counts, y_counts) / pairs
    return _mean_within(x, x_counts) + _mean_within(y, y_counts) - 2 * between


def _mean_within(x, counts):
    """Mean kernel of the pairs of different rows: (B,)."""
    squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    itself = (squares / x.shape[1] + 1) ** 3
    num_pairs = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
    return (_weighted_sums(x, x, counts, counts) - counts**2 @ itself) / num_pairs


def _weighted_sums(x, y, x_counts, y_counts):
    """Sums over i, j of x_counts[:, i] kernel(x_i, y_j) y_counts[:, j]: (B,) float64."""
    sums = np.zeros(len(x_counts))
    y_columns = np.ascontiguousarray(y_counts.T, np.float32)
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        by_row = product(polynomial_kernel(x[rows], y), y_columns).astype(np.float64)
        sums += np.einsum("bi,ib->b", x_counts[:, rows], by_row)
    return sums
