import tracemalloc

import numpy as np
import pytest

from sample_quality.numerics import distances
from sample_quality.numerics.distances import distance_tiles, nearest_neighbours, nearest_others


def brute_force(x, y):
    return ((x[:, None].astype(float) - y[None].astype(float)) ** 2).sum(axis=2)


@pytest.fixture(params=[None, (12, 20)], ids=["whole", "in tiles"])
def tiles(request, monkeypatch):
    """Also with tiles so small that every set is cut in both directions."""
    if request.param:
        monkeypatch.setattr(distances, "TILE", request.param[0])
        monkeypatch.setattr(distances, "MAX_VALUES", request.param[1])


def test_the_tiles_are_the_matrix_of_distances(tiles):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(13, 4)), random.normal(size=(11, 4))
    matrix = np.full((13, 11), np.nan)
    for rows, columns, tile in distance_tiles(x, y):
        assert np.isnan(matrix[rows, columns]).all()
        matrix[rows, columns] = tile
    np.testing.assert_allclose(matrix, brute_force(x, y), atol=1e-5)


def test_a_large_mean_costs_no_digits():
    random = np.random.default_rng(1)
    x, y = random.normal(size=(5, 3)), random.normal(size=(4, 3))
    ((_, _, tile),) = distance_tiles(x + 1000, y + 1000)
    np.testing.assert_allclose(tile, brute_force(x, y), atol=1e-3)


def test_bytes_are_numbers_and_do_not_wrap_around():
    x, y = np.array([[250, 0]], np.uint8), np.array([[0, 250]], np.uint8)
    ((_, _, tile),) = distance_tiles(x, y)
    assert tile[0, 0] == pytest.approx(2 * 250**2)


def test_the_nearest_are_found_in_order(tiles):
    random = np.random.default_rng(2)
    x, y = random.normal(size=(9, 4)), random.normal(size=(14, 4))
    squares, indices = nearest_neighbours(x, y, 3)
    expected = brute_force(x, y)
    np.testing.assert_array_equal(indices, np.argsort(expected, axis=1)[:, :3])
    np.testing.assert_allclose(squares, np.sort(expected, axis=1)[:, :3], atol=1e-5)


def test_a_row_is_not_its_own_neighbour_but_its_twin_is(tiles):
    x = np.array([[0.0], [5.0], [5.0], [9.0], [30.0], [31.0], [50.0]])
    squares, indices = nearest_others(x, 2)
    np.testing.assert_array_equal(indices[:, 0], [1, 2, 1, 1, 5, 4, 5])
    np.testing.assert_allclose(squares[:, 0], [25, 0, 0, 16, 1, 1, 361], atol=1e-3)
    np.testing.assert_allclose(squares[3], [16, 16], atol=1e-3)


@pytest.mark.parametrize("shapes", [((3, 2), (3, 4)), ((0, 2), (3, 2))])
def test_sets_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="two sets of vectors"):
        nearest_neighbours(np.zeros(shapes[0]), np.zeros(shapes[1]), 1)


def test_more_neighbours_than_there_are_is_refused():
    with pytest.raises(ValueError, match="enough vectors"):
        nearest_others(np.zeros((4, 2)), 4)


def test_ten_thousand_by_ten_thousand_in_little_memory():
    """The matrix would have 400 MB."""
    x = np.random.default_rng(3).random((10_000, 8), np.float32)
    tracemalloc.start()
    try:
        squares, _ = nearest_others(x, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert squares.shape == (10_000, 1)
    assert peak < 150e6
