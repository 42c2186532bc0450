import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sample_quality.features.random_convolutions import FEATURE_DIM, RandomConvolutions
from sample_quality.image_scores import score_images
from sample_quality.scores.frechet import frechet_distance, moments


def bars(num, seed, num_channels=3):
    """Coloured bars of random places on noise, (num, 16, 16, C) uint8."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 40, (num, 16, 16, num_channels), dtype=np.uint8)
    for image in images:
        row, column = random.integers(1, 8, size=2)
        image[row : row + 7, column : column + 3] = random.integers(120, 256, num_channels)
    return images


@pytest.fixture(scope="module")
def features():
    return RandomConvolutions(bars(600, 0))


def test_features_of_the_training_images_are_standardised(features):
    found = features(bars(600, 0)).features
    assert found.shape == (600, FEATURE_DIM)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-4)


def test_they_are_a_function_of_the_training_images(features):
    again, other = RandomConvolutions(bars(600, 0)), RandomConvolutions(bars(600, 5))
    images = bars(30, 9)
    np.testing.assert_array_equal(again(images).features, features(images).features)
    assert again.features_sha256 == features.features_sha256 != other.features_sha256


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (64, 64, 3)])
def test_images_of_any_shape(shape):
    images = np.random.default_rng(0).integers(0, 256, (10, *shape), dtype=np.uint8)
    found = RandomConvolutions(images)(images).features
    assert found.shape == (10, FEATURE_DIM)
    assert np.isfinite(found).all()


def test_more_damage_is_a_larger_distance(features):
    target, real = moments(features(bars(600, 1)).features), bars(600, 2)
    random = np.random.default_rng(0)

    def distance(images):
        images = np.clip(np.rint(images), 0, 255).astype(np.uint8)
        return frechet_distance(moments(features(images).features), target)

    floor, real_levels = distance(real), real.astype(float)
    means = real_levels.mean(axis=(1, 2, 3), keepdims=True)
    for damaged in (
        [gaussian_filter(real_levels, (0, width, width, 0)) for width in (0.5, 1, 2)],
        [real_levels + random.normal(0, level, real.shape) for level in (10, 30, 90)],
        [means + share * (real_levels - means) for share in (0.8, 0.5, 0.2)],
        [np.resize(real[:kept], real.shape) for kept in (300, 60, 10)],  # duplicates
    ):
        distances = [floor, *map(distance, damaged)]
        assert distances == sorted(distances)
        assert distances[-1] > 5 * floor


def test_scores_of_images_without_labels_name_their_features(features):
    train, test, images = bars(300, 0), bars(120, 1), bars(200, 2)
    scores = score_images(images, test, train, features, seed=0)
    assert list(scores) == [
        "frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage",
        "sharpness", "fine_detail", "contrast", "memorized", "duplicated",
    ]  # fmt: skip
    protocol = scores["frechet_distance"].protocol
    assert protocol.features == "random convolutions"
    assert protocol.features_sha256 == features.features_sha256
    assert scores["memorized"].protocol.features == "pixels"
