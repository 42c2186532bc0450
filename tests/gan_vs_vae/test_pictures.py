"""The pictures of a run, and how they get into a page."""

import base64
import dataclasses
import io
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from gan_vs_vae import pictures
from gan_vs_vae.pictures import (
    as_picture,
    columns_of,
    describe_images,
    grid_picture,
    make_pictures,
    read_frames,
    sharpness_row,
)
from gan_vs_vae.runs import grids
from sample_quality.mixture import Mixture
from sample_quality.priors import Prior
from training_run.data.image_data import make_image_data
from training_run.errors import UserError
from training_run.run_folder.paths import RunDir
from training_run.step.networks import one_hot_labels

SIZE = 8


def opened(picture):
    kind, _, content = picture.uri.partition(";base64,")
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert kind == f"data:image/{image.format.lower()}"
        assert image.size == (picture.width, picture.height)
        return np.asarray(image)


@pytest.fixture
def data():
    images = np.random.default_rng(0).integers(0, 256, (60, SIZE, SIZE), dtype=np.uint8)
    return make_image_data({"x_train": images[:40], "x_test": images[40:]}, None, "made here")


def make_run(folder, network="generator"):
    settings = SimpleNamespace(value_range=(0.0, 1.0), binarize="none")
    spec = SimpleNamespace(image_shape=(SIZE, SIZE, 1), noun="digits")
    return SimpleNamespace(
        title="x",
        folder=RunDir(folder),
        network=network,
        settings=settings,
        spec=spec,
        log={"step": [0, 50], "frechet_distance": [np.nan, 12.34]},
        total_steps=100,
        seconds_at=lambda step: 2.0 * step,
    )


def painter(num_pixels=SIZE * SIZE):
    """z (n, 64) -> images whose pixels are z, clipped."""
    layers = keras.layers
    side = round(num_pixels**0.5)
    return keras.Sequential([keras.Input((num_pixels,)), layers.Reshape((side, side, 1))])


def tile(grid, row, column):
    top, left = 1 + row * (SIZE + 1), 1 + column * (SIZE + 1)
    return grid[top : top + SIZE, left : left + SIZE]


def test_digits_keep_their_pixels_and_photographs_are_made_smaller():
    random = np.random.default_rng(0)
    digits = random.integers(0, 256, (4, 28, 28, 1), dtype=np.uint8)
    picture = grid_picture(digits, 2)
    assert picture.is_pixels
    np.testing.assert_array_equal(opened(picture)[1:29, 1:29], digits[0, ..., 0])
    photographs = random.integers(0, 256, (4, 200, 200, 3), dtype=np.uint8)
    picture = grid_picture(photographs, 2)
    assert not picture.is_pixels
    assert picture.width == 2 * 67 + 3  # a third of 200, and lines
    assert opened(picture).shape == (137, 137, 3)
    assert (columns_of(digits), columns_of(photographs)) == (10, 6)


def test_the_nearest_training_image_is_below_its_sample(tmp_path, data):
    # A generator of training images: its samples are their own neighbours.
    train = data.x_train.reshape(40, -1)[:2].astype(np.float32) / 255
    layer = keras.layers.Dense(SIZE * SIZE, kernel_initializer="zeros")
    network = keras.Sequential([keras.Input((3,)), layer, keras.layers.Reshape((SIZE, SIZE, 1))])
    layer.bias.assign(train[1])
    made = make_pictures(make_run(tmp_path), {"generator": network}, data, seed=0)
    grid = opened(made.neighbours)
    np.testing.assert_array_equal(tile(grid, 0, 4), data.x_train[1, ..., 0])
    np.testing.assert_array_equal(tile(grid, 1, 4), data.x_train[1, ..., 0])
    assert made.num_samples == 100
    assert made.nearness.startswith("Mean distance to the nearest: 0; of as many test images: ")
    assert made.neighbours.alt.endswith("at distances from 0 to 0")
    assert made.frames == []


def test_a_row_goes_from_the_softest_to_the_sharpest_and_says_how_sharp_they_are():
    images = np.zeros((20, SIZE, SIZE, 1), np.uint8)
    images[10:, : SIZE // 2] = 200
    row = sharpness_row(images, "digits by x")
    pixels = opened(row)
    np.testing.assert_array_equal(tile(pixels, 0, 9), images[-1, ..., 0])
    assert row.alt.startswith("10 of 20 digits by x, from the softest, whose edges cross 0% of")
    assert row.alt.endswith("to the sharpest, 100%")


def test_a_grid_says_in_numbers_what_is_seen():
    images = np.zeros((4, SIZE, SIZE, 1), np.uint8)
    images[:, : SIZE // 2] = 255
    assert describe_images(images, "digits by x") == (
        "4 digits by x: an edge crosses 100% of the contrast in a pixel, the darkest and the "
        "brightest pixel are 1 apart, and 50.0% of white is the mean brightness"
    )


def test_a_vae_goes_between_encodings_of_test_images(tmp_path, data):
    x = keras.Input((SIZE, SIZE, 1))
    flat = keras.layers.Flatten()(x)
    encoder = keras.Model(x, [flat, flat])
    networks = {"decoder": painter(), "encoder": encoder}
    made = make_pictures(make_run(tmp_path, "decoder"), networks, data, seed=0)
    assert "encodings of two test images" in made.ends
    strips = opened(made.interpolations)
    order = np.random.default_rng(0).permutation(20)
    for row in range(pictures.NUM_STRIPS):
        first, last = (data.x_test[order[row + k], ..., 0] for k in (0, pictures.NUM_STRIPS))
        np.testing.assert_array_equal(tile(strips, row, 0), first)
        np.testing.assert_array_equal(tile(strips, row, 10), last)
        middle = tile(strips, row, 5)
        np.testing.assert_allclose(middle, (first.astype(float) + last) / 2, atol=1)


def test_a_conditional_network_gets_a_class_a_row(tmp_path, data):
    z, labels = keras.Input((4,)), keras.Input((), dtype="int32")
    hot = one_hot_labels(labels, 10)
    images = keras.layers.Reshape((SIZE, SIZE, 1))(
        keras.layers.Dense(SIZE * SIZE, activation="sigmoid")(keras.layers.Concatenate()([z, hot]))
    )
    network = keras.Model([z, labels], images)
    made = make_pictures(make_run(tmp_path), {"generator": network}, data, seed=0)
    assert made.ends.endswith("one class in each row")
    assert opened(made.interpolations).shape == (4 * 9 + 1, 11 * 9 + 1)
    named = dataclasses.replace(data, class_names=tuple("abcdefghij"))
    made = make_pictures(make_run(tmp_path), {"generator": network}, named, seed=0)
    assert made.ends.endswith("one class in each row: a, b, c, d")


def test_images_of_another_shape_are_refused(tmp_path, data):
    with pytest.raises(UserError, match="expected images of shape"):
        make_pictures(make_run(tmp_path), {"generator": painter(16)}, data, seed=0)


def test_frames_are_few_evenly_spaced_and_know_their_place(tmp_path):
    (tmp_path / "samples").mkdir()
    for step in range(0, 51):
        grid = np.full((20, 2000 if step == 50 else 20), step, np.uint8)
        Image.fromarray(grid).save(tmp_path / "samples" / f"step_{step:06d}.png")
    run = make_run(tmp_path)
    frames = read_frames(run)
    assert len(grids(run)) == 51
    assert len(frames) == 25
    assert frames[0].caption == "step 0 of 100 · 0 s"
    assert frames[-1].caption == "step 50 of 100 · 1 min 40 s"
    assert frames[-1].picture.alt == "Grid of digits by x at step 50, Fréchet distance 12.3"
    assert frames[0].picture.alt == "Grid of digits by x at step 0"
    assert frames[-1].fraction == 0.5  # of 100 steps
    assert opened(frames[0].picture).shape == (20, 20)
    assert frames[-1].picture.width == 667  # a third of 2000


def test_the_same_pixels_give_the_same_uri():
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for is_pixels in (True, False):
        assert as_picture(pixels, is_pixels) == as_picture(pixels, is_pixels)


def test_samples_and_interpolations_come_from_the_learned_prior(tmp_path, data, monkeypatch):
    """A prior of one narrow Gaussian whose mean is light grey."""
    means = np.full((1, SIZE * SIZE), 0.8, np.float32)
    narrow = 1e-6 * np.eye(SIZE * SIZE, dtype=np.float32)[None]
    prior = Prior(Mixture(np.ones(1, np.float32), means, narrow), SimpleNamespace(temperature=1.0))
    monkeypatch.setattr(pictures, "load_prior", lambda folder, networks: prior)
    run = make_run(tmp_path, "decoder")
    made = make_pictures(run, {"decoder": painter()}, data, seed=0)
    for picture in (made.samples, made.interpolations):
        np.testing.assert_array_equal(tile(opened(picture), 0, 0), 204)
