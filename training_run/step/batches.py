"""Batches and random draws as pure functions of (seed, step).

So a run that resumes at step s sees the same bits as without the interruption. There is no shuffle
buffer, and no generator with a state to save.
"""

import hashlib

import numpy as np
import tensorflow as tf

NUM_PREFETCHED = 8
"""Batches prepared in advance, enough to hide the start of an epoch."""


def make_batches(
    data, batch_size, seed, first_step, num_steps, draw=None, augment=None, order=None
):
    """The batches of training steps first_step .. first_step + num_steps - 1, in order.

    An epoch is n // batch_size full batches.

    Args:
        data: `ImageData` with n training images.
        batch_size: images in a batch, at most n.
        seed: int, the run's seed.
        first_step: 0-based step of the first batch.
        num_steps: how many batches.
        draw: function from a step (scalar int64 tensor) to a dict of tensors that are added to the
            batch, or None.
        augment: function from (images, step) to images of the same number and dtype, or None.
        order: function from an epoch (scalar int64 tensor) to its images, (n,) int32 indices; None
            for `shuffled_order`.

    Returns:
        A `tf.data.Dataset` of `num_steps` dicts: `images` (batch_size, H, W, C) uint8, `labels`
        (batch_size,) int32 if the data has labels, and the tensors of `draw`.
    """
    with tf.device("CPU:0"):
        columns = {"images": _shared_tensor(data.x_train)}
        if data.y_train is not None:
            columns["labels"] = tf.convert_to_tensor(data.y_train)

    def make_batch(step, indices):
        batch = {name: tf.gather(column, indices) for name, column in columns.items()}
        if augment is not None:
            batch["images"] = augment(batch["images"], step)
        return batch | (draw(step) if draw is not None else {})

    steps = tf.data.Dataset.range(first_step, first_step + num_steps)
    order = order or shuffled_order(len(data.x_train), seed)
    indices = _batches_of_indices(order, len(data.x_train), batch_size, first_step)
    batches = tf.data.Dataset.zip(steps, indices).map(make_batch)
    # The endless indices hide the number of batches.
    batches = batches.apply(tf.data.experimental.assert_cardinality(num_steps))
    return batches.prefetch(NUM_PREFETCHED).with_options(_plain_options())


def _shared_tensor(array):
    """A tensor of an array; of a mapped file, which stays on the disk, without a copy.

    TensorFlow takes only memory that begins at a multiple of 64 bytes, as that of a map does.
    """
    is_mapped = isinstance(array.base, np.memmap) or isinstance(array, np.memmap)
    if is_mapped and array.ctypes.data % 64 == 0 and array.flags.c_contiguous:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.convert_to_tensor(array)


def _plain_options():
    """Options of a pipeline that is run as it is written: rewriting it would copy the images."""
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return options


def shuffled_order(num_images, seed):
    """An order for `make_batches` in which each image comes once an epoch.

    It is `stateless_shuffle(range(n), seed=[seed, epoch])`.
    """

    def order(epoch):
        pair = tf.stack([tf.constant(seed, tf.int64), epoch])
        return tf.random.experimental.stateless_shuffle(tf.range(num_images), seed=pair)

    return order


def balanced_order(labels, seed):
    """An order for `make_batches` in which all classes come equally often.

    In an epoch of n places each of K classes has n / K, rounded up or down. A class with more
    images than that has another part of them in each epoch; one with fewer comes around again.

    Args:
        labels: (n,) int32. Classes without images have no places.
        seed: int, the run's seed.

    Returns:
        A function from an epoch to (n,) int32 indices.
    """
    _, counts = np.unique(labels, return_counts=True)
    starts = np.cumsum(counts) - counts
    slots = np.arange(len(labels))
    classes, turns = slots % len(counts), slots // len(counts)
    places = tf.constant(starts[classes] + turns % counts[classes], tf.int32)
    labels = tf.constant(labels)

    def shuffled(values, epoch, stream):
        pair = _stateless_seed(seed, stream, epoch)
        return tf.random.experimental.stateless_shuffle(values, seed=pair)

    def order(epoch):
        images = shuffled(tf.range(len(slots)), epoch, "balanced images")
        by_class = tf.gather(images, tf.argsort(tf.gather(labels, images), stable=True))
        return shuffled(tf.gather(by_class, places), epoch, "balanced order")

    return order


def _batches_of_indices(order, num_images, batch_size, first_step):
    """Endless dataset of (batch_size,) int32 indices, from step `first_step` on."""
    steps_per_epoch = num_images // batch_size
    first_epoch, first_position = divmod(first_step, steps_per_epoch)

    def epoch_of_indices(epoch):
        indices = order(epoch)[: steps_per_epoch * batch_size]
        full = tf.reshape(indices, (steps_per_epoch, batch_size))
        # `skip` would make all the batches that it drops.
        start = tf.where(epoch == first_epoch, first_position, 0)
        return tf.data.Dataset.from_tensor_slices(full[start:])

    return tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(epoch_of_indices)


def draw_normal(seed, stream, step, shape):
    """Standard normal numbers, a pure function of (seed, stream, step).

    Args:
        seed: int, the run's seed.
        stream: str or int that names the draw. Draws of different streams are independent.
        step: int or scalar integer tensor.
        shape: shape of the result.

    Returns:
        float32 tensor of that shape.
    """
    return tf.random.stateless_normal(shape, _stateless_seed(seed, stream, step), alg="philox")


def draw_uniform(seed, stream, step, shape):
    """Numbers uniform on [0, 1), a pure function of (seed, stream, step).

    Arguments and result as for `draw_normal`.
    """
    return tf.random.stateless_uniform(shape, _stateless_seed(seed, stream, step), alg="philox")


def mirror_and_shift(seed, max_shift):
    """An augmentation for `make_batches`: mirror half of the images, shift all of them.

    Each image is mirrored left to right with probability 1/2 and shifted by up to `max_shift`
    pixels in each direction. Pixels of the edge are repeated. The draws depend on (seed, step).

    Args:
        seed: int, the run's seed.
        max_shift: largest shift in pixels, 0 or more.

    Returns:
        A function from (images (B, H, W, C), step) to images of the same shape and dtype.
    """

    def augment(images, step):
        num_images, height, width = images.shape[:3]
        uniform = draw_uniform(seed, "mirror_and_shift", step, (3, num_images, 1))
        shifts = tf.cast(tf.floor(uniform[:2] * (2 * max_shift + 1)), tf.int32) - max_shift
        rows = tf.clip_by_value(tf.range(height) + shifts[0], 0, height - 1)
        columns = tf.clip_by_value(tf.range(width) + shifts[1], 0, width - 1)
        columns = tf.where(uniform[2] < 0.5, width - 1 - columns, columns)
        images = tf.gather(images, rows, axis=1, batch_dims=1)
        return tf.gather(images, columns, axis=2, batch_dims=1)

    return augment


def stack_channels(seed, num_stacked):
    """An augmentation for `make_batches`: each image becomes the first channel of a stacked one.

    The other channels are the batch's images in an order of their own, so that any of them meets
    any other. The orders depend on (seed, step).

    Args:
        seed: int, the run's seed.
        num_stacked: channels of a stacked image.

    Returns:
        A function from (images (B, H, W, 1), step) to (B, H, W, num_stacked).
    """

    def stack(images, step):
        orders = [
            tf.random.experimental.stateless_shuffle(
                tf.range(images.shape[0]), seed=_stateless_seed(seed, f"stack_{number}", step)
            )
            for number in range(1, num_stacked)
        ]
        return tf.concat([images, *(tf.gather(images, order) for order in orders)], axis=-1)

    return stack


def scale_images(images, value_range):
    """Bytes to floats: 0 becomes exactly the low end of the range, and 255 the high end.

    Args:
        images: uint8 tensor.
        value_range: (low, high).

    Returns:
        float32 tensor of the same shape.
    """
    low, high = value_range
    scaled = tf.cast(images, tf.float32) / 255.0 * (high - low) + low
    # XLA folds both constants into one factor, which may give an ulp too much for 255.
    return tf.minimum(scaled, high)


def _stateless_seed(seed, stream, step):
    """The pair of int64 for a stateless draw.

    The hash separates streams from each other, from those of other seeds, and from the orders of
    epochs, whose pair is (seed, epoch).
    """
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    key = int.from_bytes(digest[:8], "little", signed=True)
    return tf.stack([tf.constant(key, tf.int64), tf.cast(step, tf.int64)])
