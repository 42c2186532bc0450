import numpy as np
import pytest

from training_run.pictures.pixels import display_scale, enlarge, to_uint8


def test_to_uint8_maps_the_range_rounds_and_clips():
    images = np.array([-9.0, -1.0, -0.5, 0.0, 0.5, 1.0, 9.0], np.float32)
    # (x + 1) * 127.5 = ..., 0, 63.75, 127.5 (to even), 191.25, 255, ...
    assert to_uint8(images, (-1, 1)).tolist() == [0, 0, 64, 128, 191, 255, 255]
    assert to_uint8(images, (-1, 1)).dtype == np.uint8


def test_to_uint8_undoes_the_scaling_of_every_level():
    levels = np.arange(256, dtype=np.uint8)
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        scaled = (low + levels / 255.0 * (high - low)).astype(np.float32)
        np.testing.assert_array_equal(to_uint8(scaled, (low, high)), levels)


def test_to_uint8_leaves_pixels_alone():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(levels, (-1, 1)), levels)


def test_to_uint8_takes_half_precision():
    assert to_uint8(np.array([0.0, 1.0], np.float16), (0, 1)).tolist() == [0, 255]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_to_uint8_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match=r"1 of 3 numbers are NaN or infinite"):
        to_uint8(np.array([0.0, bad, 1.0]), (0, 1))


@pytest.mark.parametrize(("width", "scale"), [(1, 56), (28, 2), (32, 2), (55, 2), (56, 1), (64, 1)])
def test_display_scale_makes_images_wide_enough(width, scale):
    assert display_scale(width) == scale


def test_enlarged_pixels_are_squares():
    images = np.array([[1, 2], [3, 4]], np.uint8).reshape(1, 2, 2, 1)
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(enlarge(images, 2)[0, ..., 0], expected)
    np.testing.assert_array_equal(enlarge(images[0], 2)[..., 0], expected)
