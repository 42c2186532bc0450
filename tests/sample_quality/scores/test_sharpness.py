"""Sharpness and contrast of images whose values are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sample_quality.scores.contrast import contrasts
from sample_quality.scores.sharpness import edge_sharpness, fine_detail


def rows_of(*levels, height=6):
    """One (1, height, W, 1) uint8 image, all of whose rows are the same levels."""
    return np.tile(np.array(levels, np.uint8), (height, 1))[None, :, :, None]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((0, 0, 0, 255, 255, 255), 1.0),  # an edge of one pixel
        ((255, 255, 255, 0, 0, 0), 1.0),
        ((0, 51, 102, 153, 204, 255), 0.2),  # an even rise over five pixels
        ((10, 10, 20, 30, 30, 30), 0.5),  # contrast does not count
        ((0, 0, 51, 255, 255, 255), (0.2**3 + 0.8**3) / (0.2**2 + 0.8**2)),
        ((7, 7, 7, 7, 7, 7), 0.0),
    ],
)
def test_the_slope_of_edges(levels, expected):
    assert edge_sharpness(rows_of(*levels)) == pytest.approx([expected], abs=1e-12)


def test_edges_in_both_directions_and_a_diagonal_gradient():
    upright = rows_of(0, 0, 0, 255, 255, 255)
    assert edge_sharpness(upright.transpose(0, 2, 1, 3)) == pytest.approx([1.0], abs=1e-12)
    plane = 10 * np.add.outer(np.arange(6), np.arange(6)).astype(np.uint8)[None, :, :, None]
    slope = np.hypot(10, 10) / 100  # of a contrast of 100 levels
    assert edge_sharpness(plane) == pytest.approx([slope], abs=1e-12)


def test_fine_detail_is_what_repeats_within_four_pixels():
    checkers = 255 * (np.indices((8, 8)).sum(axis=0) % 2).astype(np.uint8)[None, :, :, None]
    assert fine_detail(checkers) == pytest.approx([1.0], abs=1e-12)
    assert fine_detail(rows_of(*[0, 0, 0, 0, 0, 0, 0, 0], height=8)) == pytest.approx([0.0])
    wave = np.round(127 + 100 * np.cos(2 * np.pi * np.arange(8) / 8))  # 8 pixels to a cycle
    assert fine_detail(rows_of(*wave, height=8)) == pytest.approx([0.0], abs=1e-4)
    pairs = rows_of(0, 200, 0, 200, 0, 0, 0, 0, height=8)  # mean 50, variance 7,500
    spectrum = np.abs(np.fft.fft([-50.0, 150, -50, 150, -50, -50, -50, -50])) ** 2
    share = spectrum[3:6].sum() / spectrum.sum()  # frequencies 3/8, 4/8 and -3/8
    assert fine_detail(pairs) == pytest.approx([share], abs=1e-12)


def test_contrast_is_the_range_of_an_image():
    images = np.concatenate([rows_of(0, 255), rows_of(51, 102), rows_of(9, 9)])
    assert contrasts(images) == pytest.approx([1.0, 0.2, 0.0], abs=1e-12)


def test_colours_are_averaged_and_batches_make_no_difference():
    grey = np.random.default_rng(0).integers(0, 256, (1003, 6, 6, 1), dtype=np.uint8)
    colour = np.repeat(grey, 3, axis=3)
    for score in (contrasts, edge_sharpness, fine_detail):
        assert score(colour) == pytest.approx(score(grey), abs=1e-12)
        assert score(grey)[1001] == pytest.approx(score(grey[1001:1002])[0], abs=1e-12)


def test_blur_lowers_both_noise_only_one_and_contrast_none():
    random = np.random.default_rng(1)
    sharp = np.zeros((20, 28, 28, 1), np.uint8)
    for image in sharp:
        row, column = random.integers(4, 16, 2)
        image[row : row + 3, 4:24] = image[4:24, column : column + 3] = 200
    blurred = np.stack([gaussian_filter(image, (1, 1, 0)) for image in sharp])
    noisy = np.clip(sharp + random.normal(0, 20, sharp.shape), 0, 255).astype(np.uint8)
    assert edge_sharpness(blurred).mean() < 0.5 * edge_sharpness(sharp).mean()
    assert fine_detail(blurred).mean() < 0.5 * fine_detail(sharp).mean()
    assert fine_detail(noisy).mean() > 1.05 * fine_detail(sharp).mean()
    assert edge_sharpness(sharp // 2) == pytest.approx(edge_sharpness(sharp), abs=1e-12)
    assert fine_detail(sharp // 2) == pytest.approx(fine_detail(sharp), abs=1e-12)
