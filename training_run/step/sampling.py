"""The `sample` command: pictures or arrays from a saved generator or decoder."""

from training_run.errors import UserError

BATCH = 1000
"""Images made at once: bounds the memory, and keeps the bytes independent of --num."""


def choose_labels(network, label, num):
    """Labels (num,) int32 for a conditional network, None for another.

    Without a label every class gets its turn.

    Raises:
        UserError: if the network knows no labels, or not this one.
    """
    import numpy as np

    if len(network.inputs) == 1:
        if label is not None:
            raise UserError("--label: expected a run with model.conditional, received one without")
        return None
    num_classes = count_classes(network)
    if label is None:
        return np.arange(num, dtype=np.int32) % num_classes
    if not 0 <= label < num_classes:
        raise UserError(f"--label: expected a class from 0 to {num_classes - 1}, received {label}")
    return np.full(num, label, np.int32)


def count_classes(network):
    """How many classes a conditional network knows.

    Raises:
        UserError: if it is none of ours, which say so in a layer of that name.
    """
    try:
        return network.get_layer("labels_one_hot").num_tokens
    except (ValueError, AttributeError):
        raise UserError(
            f"{network.name}: expected a conditional network with a layer labels_one_hot, "
            "received one without"
        ) from None


def choose_rows(network, label):
    """Labels (rows,) int32 for a picture with one class a row, None for a network without labels.

    Without a label every class gets its row.

    Raises:
        UserError: if the network knows no labels, or not this one.
    """
    every_class = label is None and len(network.inputs) == 2
    return choose_labels(network, label, count_classes(network) if every_class else 1)


def generate(network, num, seed, value_range, labels=None, latents=None):
    """Sample images from a generator or decoder, as uint8.

    Image k is a function of (seed, k) alone, whatever `num`, if row k of `latents` is.

    Args:
        network: z, or [z, labels], -> images in `value_range`.
        num: how many.
        seed: of the latents.
        value_range: (low, high) of the network's images.
        labels: (num,) int32 for a conditional network.
        latents: function of (noise, seed, number of the batch, labels) giving the network's z, from
            standard normal noise (n, latent_dim); None for the noise itself.

    Returns:
        (num, H, W, C) uint8.
    """
    import numpy as np

    from training_run.pictures.pixels import to_uint8

    batches = sample_batches(network, num, seed, labels, latents)
    return np.concatenate([to_uint8(images, value_range) for images in batches])


def sample_batches(network, num, seed, labels=None, latents=None):
    """Sample images as the network gives them, a batch at a time.

    Args:
        network, num, seed, labels, latents: as for `generate`.

    Yields:
        (n, H, W, C) float arrays, n = `BATCH` but for the last; `num` images in all.
    """
    import numpy as np
    import tensorflow as tf

    from training_run.step.batches import draw_normal

    latent_dim = network.inputs[0].shape[-1]
    for start in range(0, num, BATCH):
        batch = start // BATCH
        z = draw_normal(seed, "sample", batch, (BATCH, latent_dim))
        chosen = None if labels is None else np.resize(labels[start : start + BATCH], BATCH)
        if latents is not None:
            z = tf.convert_to_tensor(latents(z, seed, batch, chosen))
        if chosen is None:
            images = network(z, training=False)
        else:
            # Keras refuses a list of which only some are tensors.
            images = network([z, tf.convert_to_tensor(chosen)], training=False)
        yield np.asarray(images)[: num - start]
