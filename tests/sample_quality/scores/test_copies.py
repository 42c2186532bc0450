import numpy as np
import pytest

from sample_quality.scores.copies import is_duplicated, is_memorized, nearest_training_images


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)


def test_the_nearest_training_image_and_its_distance(noise):
    image = noise[7:8].copy()
    image[0, 0, 0, 0] ^= 128
    distances, indices = nearest_training_images(image, noise, 2)
    assert indices[0, 0] == 7
    assert distances[0, 0] == pytest.approx(128 / 255, abs=1e-3)
    assert distances[0, 1] > 3 * distances[0, 0]


def test_copies_and_slightly_changed_copies_are_memorised_and_new_images_are_not(noise):
    train, new = noise[:30], noise[30:]
    changed = np.clip(train[:5].astype(int) + 20, 0, 255).astype(np.uint8)
    images = np.concatenate([train[:5], changed, new])
    assert is_memorized(images, train).tolist() == [True] * 10 + [False] * 10


def test_a_blurred_image_is_near_to_many_and_not_memorised(noise):
    blurred = noise[:30].mean(axis=0, keepdims=True).astype(np.uint8)
    assert not is_memorized(blurred, noise[:30]).any()


def test_a_copy_of_what_is_twice_in_the_training_images_is_memorised(noise):
    train = np.concatenate([noise[:30], noise[:1]])
    assert is_memorized(noise[:1], train).all()


def test_twins_are_counted_both_and_others_not(noise):
    images = noise[:8].copy()
    images[5] = np.clip(images[2].astype(int) + 3, 0, 255)
    assert is_duplicated(images).nonzero()[0].tolist() == [2, 5]
    images[5] = np.clip(images[2].astype(int) + 12, 0, 255)  # visible
    assert not is_duplicated(images).any()
