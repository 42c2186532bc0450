import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.augmentation import (
    NUM_NUMBERS,
    POLICIES,
    augment,
    brightness,
    contrast,
    cutout,
    translation,
)

RANGE = (-1.0, 1.0)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 2)).astype(np.float32)


def numbers(**columns):
    """Numbers of which only some matter: position to (3,) values; the others are 0.5."""
    values = np.full((3, NUM_NUMBERS), 0.5, np.float32)
    for column, column_values in columns.items():
        values[:, int(column[1:])] = column_values
    return values


def test_shifts_by_hand():
    # A side of 8 is shifted by up to 1: thirds of [0, 1) are -1, 0 and 1.
    moved = translation(IMAGES, numbers(c0=[0.1, 0.5, 0.9], c1=[0.5, 0.9, 0.1]), RANGE)
    expected = np.zeros_like(IMAGES)  # the grey between -1 and 1
    expected[0, :-1] = IMAGES[0, 1:]
    expected[1, :, 1:] = IMAGES[1, :, :-1]
    expected[2, 1:, :-1] = IMAGES[2, :-1, 1:]
    np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_every_shift_is_as_likely_and_none_is_larger():
    uniform = (np.arange(9000) + 0.5) / 9000
    many = np.full((9000, NUM_NUMBERS), 0.5, np.float32)
    many[:, 0] = uniform
    images = np.zeros((9000, 28, 28, 1), np.float32)
    images[:, 14, 14] = 1
    rows = np.argmax(np.array(translation(images, many, RANGE))[:, :, 14, 0], axis=1) - 14
    found, counts = np.unique(rows, return_counts=True)
    assert found.tolist() == list(range(-4, 5))  # an eighth of 28 pixels, rounded
    assert counts.tolist() == [1000] * 9


def test_squares_by_hand():
    # A square of 4; centres are 0 to 8: 0.5 is centre 4, rows 2 to 5; 0 is centre 0, rows 0, 1.
    cut = np.array(cutout(IMAGES, numbers(c2=[0.5, 0.0, 0.999], c3=[0.5, 0.5, 0.0]), (0.0, 1.0)))
    expected = IMAGES.copy()
    expected[0, 2:6, 2:6] = 0.5
    expected[1, :2, 2:6] = 0.5
    expected[2, 6:, :2] = 0.5
    np.testing.assert_array_equal(cut, expected)


def test_brightness_and_contrast_by_hand():
    brighter = brightness(IMAGES, numbers(c4=[0.0, 0.5, 0.75]), RANGE)
    changes = np.array(brighter - IMAGES).reshape(3, -1)
    np.testing.assert_allclose(changes[:, 0], [-0.5, 0.0, 0.25], atol=1e-6)
    np.testing.assert_allclose(np.ptp(changes, axis=1), 0.0, atol=1e-6)
    flatter = np.array(contrast(IMAGES, numbers(c5=[0.0, 0.5, 1.0]), RANGE))
    np.testing.assert_allclose(flatter.mean(axis=(1, 2, 3)), IMAGES.mean(axis=(1, 2, 3)), atol=1e-6)
    ratios = flatter.std(axis=(1, 2, 3)) / IMAGES.std(axis=(1, 2, 3))
    np.testing.assert_allclose(ratios, [0.5, 1.0, 1.5], atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("name", POLICIES)
def test_gradients_by_finite_differences(name, jit_compile):
    random = np.random.default_rng(1)
    drawn = random.uniform(0, 1, (3, NUM_NUMBERS)).astype(np.float32)
    weights = random.normal(size=IMAGES.shape).astype(np.float32)

    @tf.function(jit_compile=jit_compile)
    def slope(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(weights * augment(images, drawn, [name], RANGE))
        return value, tape.gradient(value, images)

    # Each policy is affine in the images, so that large differences are exact.
    direction = random.normal(size=IMAGES.shape).astype(np.float32)
    value, gradient = slope(tf.constant(IMAGES))
    moved, _ = slope(tf.constant(IMAGES + direction))
    expected = float(np.sum(np.array(gradient) * direction))
    assert float(moved) - float(value) == pytest.approx(expected, abs=2e-3)
    assert abs(expected) > 0.5


def test_policies_have_an_order_of_their_own_and_none_changes_nothing():
    drawn = np.random.default_rng(2).uniform(0, 1, (3, NUM_NUMBERS)).astype(np.float32)
    both = [
        augment(IMAGES, drawn, names, RANGE)
        for names in (["cutout", "contrast"], ["contrast", "cutout"])
    ]
    np.testing.assert_array_equal(*both)
    assert augment(IMAGES, drawn, [], RANGE) is IMAGES
