"""Squared Euclidean distances between many vectors, a tile at a time.

A matrix of 60,000 x 10,000 distances would fill 2.4 GB. The scores only need sums, minima and
comparisons of its rows, and with tiles a few hundred MB are enough for any numbers.
"""

import numpy as np

from sample_quality.numerics.products import product

TILE = 2**23
"""Distances in a tile: 32 MB of float32."""

MAX_VALUES = 2**24
"""Values of the second set converted to float32 at once: 64 MB."""


def flat(images):
    """Images (N, ...) as rows (N, D), without a copy."""
    return images.reshape(len(images), -1)


def distance_tiles(x, y):
    """Go through all squared distances between the rows of x and the rows of y.

    Args:
        x: (N, D), floats or uint8.
        y: (M, D).

    Yields:
        (slice of x, slice of y, (rows, columns) float32 of squared distances). The array is new
        each time. Its error is about 1e-6 of the squared distance from x's mean.

    Raises:
        ValueError: a set is empty, or the vectors are not of one length.
    """
    if len(x) == 0 or x.shape[1:] != y.shape[1:] or x.ndim != 2:
        raise ValueError(
            f"Distances need two sets of vectors of one length. Received: {x.shape}, {y.shape}"
        )
    center = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    num_columns = max(1, min(len(y), MAX_VALUES // x.shape[1]))
    num_rows = max(1, TILE // num_columns)
    for start in range(0, len(y), num_columns):
        columns = slice(start, min(start + num_columns, len(y)))
        right = _right_factor(y[columns], center)
        for first in range(0, len(x), num_rows):
            rows = slice(first, min(first + num_rows, len(x)))
            tile = product(_left_factor(x[rows], center), right)
            yield rows, columns, np.maximum(tile, 0, out=tile)


def _left_factor(x, center):
    x = x.astype(np.float32) - center
    squares = np.einsum("ij,ij->i", x, x)[:, None]
    return np.hstack([-2 * x, squares, np.ones_like(squares)])


def _right_factor(y, center):
    y = y.astype(np.float32) - center
    squares = np.einsum("ij,ij->i", y, y)[:, None]
    return np.hstack([y, np.ones_like(squares), squares]).T


def nearest_neighbours(x, y, num_neighbours):
    """The k = `num_neighbours` nearest rows of y (M, D) for each row of x (N, D).

    Returns:
        (squared distances (N, k) float32, indices into y (N, k) int64), nearest first.
    """
    return _nearest(x, y, num_neighbours, with_self=True)


def nearest_others(x, num_neighbours):
    """The nearest other rows of x for each row of x, in the form of `nearest_neighbours`."""
    return _nearest(x, x, num_neighbours, with_self=False)


def _nearest(x, y, num_neighbours, with_self):
    if not 1 <= num_neighbours <= len(y) - (not with_self):
        raise ValueError(
            f"There must be enough vectors for {num_neighbours} neighbours. Received: {len(y)}"
        )
    best = np.full((len(x), num_neighbours), np.inf, np.float32)
    indices = np.zeros((len(x), num_neighbours), np.int64)
    for rows, columns, tile in distance_tiles(x, y):
        if not with_self:
            inside = np.arange(max(rows.start, columns.start), min(rows.stop, columns.stop))
            tile[inside - rows.start, inside - columns.start] = np.inf
        found, where = _smallest(tile, min(num_neighbours, tile.shape[1]))
        merged = np.hstack([best[rows], found])
        merged_indices = np.hstack([indices[rows], where + columns.start])
        order = np.argsort(merged, axis=1, kind="stable")[:, :num_neighbours]
        best[rows] = np.take_along_axis(merged, order, axis=1)
        indices[rows] = np.take_along_axis(merged_indices, order, axis=1)
    return best, indices


def _smallest(tile, count):
    """The `count` smallest of each row, in order; overwrites the tile.

    For a few, repeated minima are several times faster than partitioning.
    """
    every_row = np.arange(len(tile))
    values, where = [], []
    for _ in range(count):
        index = tile.argmin(axis=1)
        values.append(tile[every_row, index])
        where.append(index)
        tile[every_row, index] = np.inf
    return np.stack(values, axis=1), np.stack(where, axis=1)
