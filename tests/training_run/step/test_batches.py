from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from training_run.step import batches


def numbered_data(num_images, size=2):
    """Images whose every pixel is their own index, labelled with it too."""
    numbers = np.arange(num_images)
    images = np.broadcast_to(numbers[:, None, None, None], (num_images, size, size, 1))
    return SimpleNamespace(
        x_train=np.ascontiguousarray(images, dtype=np.uint8), y_train=numbers.astype(np.int32)
    )


def labels_of(dataset):
    return np.array([batch["labels"] for batch in dataset.as_numpy_iterator()])


def latents(step):
    return {"z": batches.draw_normal(3, "z", step, (4, 2))}


def test_epochs_follow_the_documented_order_and_drop_only_the_remainder():
    data = numbered_data(50)
    seen = labels_of(batches.make_batches(data, 8, seed=7, first_step=0, num_steps=12))
    for epoch in range(2):
        order = tf.random.experimental.stateless_shuffle(tf.range(50), seed=[7, epoch]).numpy()
        np.testing.assert_array_equal(seen[6 * epoch : 6 * epoch + 6].reshape(-1), order[:48])
        assert len(set(seen[6 * epoch : 6 * epoch + 6].reshape(-1))) == 48
    assert not np.array_equal(seen[:6], seen[6:])


def test_batches_are_uint8_images_with_their_own_labels():
    batch = next(iter(batches.make_batches(numbered_data(50, size=3), 8, 0, 0, 1)))
    assert batch["images"].shape == (8, 3, 3, 1)
    assert batch["images"].dtype == tf.uint8
    assert batch["labels"].dtype == tf.int32
    np.testing.assert_array_equal(batch["images"][:, 2, 1, 0], batch["labels"])


def test_shapes_are_known_before_the_first_batch():
    spec = batches.make_batches(numbered_data(50), 8, 0, 0, 1, draw=latents).element_spec
    assert spec["images"] == tf.TensorSpec((8, 2, 2, 1), tf.uint8)
    assert spec["labels"] == tf.TensorSpec((8,), tf.int32)
    assert spec["z"] == tf.TensorSpec((4, 2), tf.float32)


@pytest.mark.parametrize("first_step", [1, 5, 6, 7, 17])
def test_a_resumed_pass_sees_the_same_bits(first_step):
    data = numbered_data(50)
    augment = batches.mirror_and_shift(5, 1)

    def batches_from(step):
        dataset = batches.make_batches(data, 8, 5, step, 20 - step, draw=latents, augment=augment)
        return list(dataset.as_numpy_iterator())

    whole, rest = batches_from(0), batches_from(first_step)
    assert len(whole) == 20
    assert len(rest) == 20 - first_step
    for one, other in zip(whole[first_step:], rest, strict=True):
        assert one.keys() == other.keys() == {"images", "labels", "z"}
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_iterating_twice_gives_the_same_batches():
    dataset = batches.make_batches(numbered_data(50), 8, 1, 3, 9)
    np.testing.assert_array_equal(labels_of(dataset), labels_of(dataset))


def test_the_seed_changes_the_order():
    data = numbered_data(50)
    one, other = (labels_of(batches.make_batches(data, 50, seed, 0, 1))[0] for seed in (1, 2))
    assert np.sum(one == other) < 10


def test_orders_of_neighbouring_epochs_and_seeds_do_not_correlate():
    data = SimpleNamespace(
        x_train=np.zeros((4000, 1, 1, 1), np.uint8), y_train=np.arange(4000, dtype=np.int32)
    )
    by_epoch = labels_of(batches.make_batches(data, 4000, 0, 0, 3))
    next_seed = labels_of(batches.make_batches(data, 4000, 1, 0, 1))
    # The standard deviation of a correlation of independent orders is 1/sqrt(4000) = 0.016.
    correlations = np.corrcoef(np.concatenate([by_epoch, next_seed]))
    assert np.abs(correlations - np.eye(4)).max() < 0.08


def test_number_of_steps_is_known():
    assert batches.make_batches(numbered_data(10), 10, 0, 4, 7).cardinality() == 7


def test_data_without_labels_gives_batches_without_labels():
    data = SimpleNamespace(x_train=np.zeros((4, 2, 2, 3), np.uint8), y_train=None)
    batch = next(iter(batches.make_batches(data, 4, 0, 0, 1)))
    assert batch.keys() == {"images"}


def test_draw_and_augment_are_given_the_number_of_the_step():
    def mark(images, step):
        return images * 0 + tf.cast(step, tf.uint8)

    dataset = batches.make_batches(
        numbered_data(9), 3, 0, 10, 4, draw=lambda step: {"step": step}, augment=mark
    )
    for step, batch in enumerate(dataset, start=10):
        assert batch["step"] == step
        np.testing.assert_array_equal(batch["images"], np.full((3, 2, 2, 1), step))


def test_normal_draws_are_standard_normal():
    z = batches.draw_normal(0, "z", 5, (200, 500)).numpy()
    # 100,000 numbers: standard errors 0.0032 of the mean, 0.0022 of the deviation.
    assert abs(z.mean()) < 0.013
    assert abs(z.std() - 1) < 0.01
    assert abs((z > 1.96).mean() - 0.025) < 0.002
    assert z.dtype == np.float32


def test_uniform_draws_fill_the_unit_interval():
    u = batches.draw_uniform(0, "u", 5, (100_000,)).numpy()
    assert u.min() >= 0
    assert u.max() < 1
    counts, _ = np.histogram(u, bins=10, range=(0, 1))
    assert np.abs(counts - 10_000).max() < 500  # five standard deviations


@pytest.mark.parametrize("draw", [batches.draw_normal, batches.draw_uniform])
def test_draws_depend_on_seed_stream_and_step_alone(draw):
    base = draw(1, "z", 2, (1000,)).numpy()
    np.testing.assert_array_equal(base, draw(1, "z", tf.constant(2, tf.int64), (1000,)))
    np.testing.assert_array_equal(base, tf.function(draw)(1, "z", 2, (1000,)))
    for other in (draw(2, "z", 2, (1000,)), draw(1, "y", 2, (1000,)), draw(1, "z", 3, (1000,))):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.16  # five standard deviations


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0)])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_scaled_bytes_reach_both_ends_exactly(value_range, jit_compile):
    low, high = value_range
    scale = tf.function(lambda x: batches.scale_images(x, value_range), jit_compile=jit_compile)
    scaled = scale(tf.range(256)).numpy()
    assert scaled.dtype == np.float32
    assert scaled[0] == low
    assert scaled[255] == high
    np.testing.assert_allclose(scaled, np.linspace(low, high, 256), atol=1e-6)


def ramp(num_images=400, height=6, width=8):
    """Images in which every pixel says where it was: 10 * row + column."""
    image = 10 * np.arange(height)[:, None] + np.arange(width)
    images = np.broadcast_to(image[None, :, :, None], (num_images, height, width, 1))
    return tf.constant(images, tf.uint8)


def test_augmented_images_are_mirrored_and_shifted_copies():
    augmented = batches.mirror_and_shift(0, 2)(ramp(), 0).numpy()[..., 0].astype(int)
    rows, columns = augmented // 10, augmented % 10
    seen = set()
    for one_rows, one_columns in zip(rows, columns, strict=True):
        down, mirrored = one_rows[2, 0] - 2, one_columns[2, 0] > one_columns[2, -1]
        expected = np.clip(np.arange(6) + down, 0, 5)
        np.testing.assert_array_equal(one_rows, np.broadcast_to(expected[:, None], (6, 8)))
        line = one_columns[0][::-1] if mirrored else one_columns[0]
        across = line[3] - 3
        np.testing.assert_array_equal(line, np.clip(np.arange(8) + across, 0, 7))
        np.testing.assert_array_equal(one_columns, np.broadcast_to(one_columns[0], (6, 8)))
        seen.add((int(down), int(across), bool(mirrored)))
    # 50 equally likely cases, 400 images: all but a few must have come up.
    assert len(seen) > 45
    assert max(abs(down) for down, _, _ in seen) == 2


def test_a_shift_of_nothing_leaves_only_the_mirror():
    images = ramp(200).numpy()
    augmented = batches.mirror_and_shift(0, 0)(ramp(200), 0).numpy()
    same = (augmented == images).all(axis=(1, 2, 3))
    flipped = (augmented == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ flipped).all()
    assert 65 < flipped.sum() < 135  # five standard deviations about 100


def test_augmentation_is_a_function_of_seed_and_step():
    images = ramp(50)
    one = batches.mirror_and_shift(1, 2)(images, 4).numpy()
    np.testing.assert_array_equal(one, batches.mirror_and_shift(1, 2)(images, 4))
    assert not np.array_equal(one, batches.mirror_and_shift(1, 2)(images, 5))
    assert not np.array_equal(one, batches.mirror_and_shift(2, 2)(images, 4))


def test_colour_images_keep_their_colours_together():
    images = tf.random.stateless_uniform((5, 4, 4, 1), [0, 1], 0, 256, tf.int32)
    images = tf.cast(tf.concat([images, images // 2, images // 4], -1), tf.uint8)
    augmented = batches.mirror_and_shift(0, 1)(images, 0).numpy()
    np.testing.assert_array_equal(augmented[..., 1], augmented[..., 0] // 2)
    np.testing.assert_array_equal(augmented[..., 2], augmented[..., 0] // 4)


def test_stacked_channels_are_the_batch_in_other_orders_by_seed_and_step():
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
    stacks = [
        np.array(batches.stack_channels(seed, 3)(tf.constant(images), step)).reshape(6, 3)
        for seed, step in ((0, 4), (0, 4), (0, 5), (1, 4))
    ]
    assert np.array_equal(stacks[0][:, 0], np.arange(6))
    for channel in range(3):
        assert sorted(stacks[0][:, channel]) == list(range(6))
    assert np.array_equal(stacks[0], stacks[1])
    for other in (stacks[2], stacks[3], stacks[0][:, [0, 2, 1]]):
        assert not np.array_equal(stacks[0], other)


def test_any_digit_meets_any_other():
    """Over 600 batches of 4 images, each of the 16 pairs of channels is seen about 150 times."""
    images = tf.constant(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1))
    stack = tf.function(batches.stack_channels(7, 3))
    counts = np.zeros((4, 4))
    for step in range(600):
        rows = np.array(stack(images, tf.constant(step, tf.int64))).reshape(4, 3)
        np.add.at(counts, (rows[:, 0], rows[:, 2]), 1)
    assert np.abs(counts - 150).max() < 50


def classes_of(labels, batch_size, num_steps, first_step=0):
    """Classes and indices of the images in balanced batches, (num_steps, batch_size) each."""
    data = numbered_data(len(labels))
    order = batches.balanced_order(np.array(labels, np.int32), seed=5)
    found = labels_of(batches.make_batches(data, batch_size, 5, first_step, num_steps, order=order))
    return np.array(labels)[found], found


def test_a_balanced_epoch_has_all_classes_equally_often():
    labels = [2] * 2 + [0] * 30 + [3] * 28  # class 1 has no images
    classes, images = classes_of(labels, batch_size=60, num_steps=2)
    for epoch in range(2):
        assert np.bincount(classes[epoch], minlength=4).tolist() == [20, 0, 20, 20]
        chosen = np.bincount(images[epoch], minlength=60)
        assert chosen[:2].tolist() == [10, 10]  # the two images of class 2 come around ten times
        assert set(chosen[2:]) == {0, 1}  # of the others, 20 different ones
    assert set(images[0]) != set(images[1])
    assert not np.array_equal(classes[0], np.sort(classes[0]))


def test_balanced_batches_are_a_function_of_the_step():
    labels = [0] * 5 + [1] * 15
    np.testing.assert_array_equal(
        classes_of(labels, 4, 12)[1][7:], classes_of(labels, 4, 5, first_step=7)[1]
    )


def test_a_mapped_file_is_not_copied(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(4 * 1_000, dtype=np.uint8).reshape(1_000, 2, 2, 1))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="c")
    whole = SimpleNamespace(x_train=np.array(mapped), y_train=None)
    found = [
        next(iter(batches.make_batches(data, 50, 3, 0, 1)))["images"]
        for data in (SimpleNamespace(x_train=mapped[:900], y_train=None), whole)
    ]
    assert found[0].shape == found[1].shape == (50, 2, 2, 1)
    mapped[:] = 7  # in this process's memory alone
    dataset = batches.make_batches(SimpleNamespace(x_train=mapped, y_train=None), 50, 3, 0, 3)
    mapped[:] = 8
    for batch in dataset:
        assert (batch["images"].numpy() == 8).all()
