"""Images from a saved generator or decoder, and the labels to ask it for."""

import numpy as np

from training_run.config.messages import nearest
from training_run.errors import UserError
from training_run.pictures.pixels import to_uint8

BATCH = 1000
"""Images made at once. It bounds the memory, and keeps the bytes independent of their number."""

MAX_NAMED = 12
"""Names of classes in a message."""


def choose_labels(network, label, num, class_names=None):
    """The labels to sample from a network with.

    Args:
        network: a generator or decoder.
        label: the class to ask for, its name or number as text; None for all classes in turn.
        num: how many labels.
        class_names: of the run's classes; None where they have none.

    Returns:
        (num,) int32 for a conditional network, None for another.

    Raises:
        UserError: if the network knows no labels, or not this one.
    """
    if len(network.inputs) == 1:
        if label is not None:
            raise UserError("--label: expected a run with model.conditional, received one without")
        return None
    num_classes = count_classes(network)
    if label is None:
        return np.arange(num, dtype=np.int32) % num_classes
    return np.full(num, class_number("--label", label, num_classes, class_names), np.int32)


def choose_rows(network, label, class_names=None):
    """The labels for a picture with one class a row: all classes, or only `label`.

    Arguments, result and errors as for `choose_labels`.
    """
    every_class = label is None and len(network.inputs) == 2
    num_rows = count_classes(network) if every_class else 1
    return choose_labels(network, label, num_rows, class_names)


def class_number(option, label, num_classes, class_names=None):
    """The number of the class that a user asks for.

    Args:
        option: of the command line, for the message.
        label: the name of a class or, where no name is meant, its number, as text.
        num_classes: how many there are.
        class_names: their names; None where they have none.

    Raises:
        UserError: with the nearest name, if there is no such class.
    """
    names = list(class_names or ())
    if label in names:
        return names.index(label)
    if str(label).isdecimal() and int(label) < num_classes:
        return int(label)
    known = f", or one of {', '.join(names[:MAX_NAMED])}" if names else ""
    known += ", ..." if len(names) > MAX_NAMED else ""
    raise UserError(
        f"{option}: expected a class from 0 to {num_classes - 1}{known}, received {label}"
        f"{nearest(str(label), names)}"
    )


def count_classes(network):
    """Number of classes of a conditional network, from its layer "labels_one_hot".

    Raises:
        UserError: if there is no such layer.
    """
    try:
        return network.get_layer("labels_one_hot").num_tokens
    except (ValueError, AttributeError):
        raise UserError(
            f"{network.name}: expected a conditional network with a layer labels_one_hot, "
            "received one without"
        ) from None


def generate(network, num, seed, value_range, labels=None, latents=None):
    """Sample images from a generator or decoder, as uint8.

    Args:
        network: from z, or [z, labels], to images in `value_range`.
        num: how many images. Image k depends on (seed, k) alone.
        seed: of the latents.
        value_range: (low, high) of the network's images.
        labels: (num,) int32 for a conditional network.
        latents: function of (noise, seed, number of the batch, labels) giving the network's z, from
            standard normal noise (n, latent_dim); None for the noise itself.

    Returns:
        (num, H, W, C) uint8.
    """
    batches = sample_batches(network, num, seed, labels, latents)
    return np.concatenate([to_uint8(images, value_range) for images in batches])


def sample_batches(network, num, seed, labels=None, latents=None):
    """Sample images in the network's own range, a batch at a time.

    Args:
        network, num, seed, labels, latents: as for `generate`.

    Yields:
        (n, H, W, C) float arrays, n at most `BATCH`; `num` images in all.
    """
    import tensorflow as tf

    from training_run.step.batches import draw_normal

    latent_dim = network.inputs[0].shape[-1]
    for start in range(0, num, BATCH):
        batch = start // BATCH
        inputs = draw_normal(seed, "sample", batch, (BATCH, latent_dim))
        chosen = None if labels is None else np.resize(labels[start : start + BATCH], BATCH)
        if latents is not None:
            inputs = tf.convert_to_tensor(latents(inputs, seed, batch, chosen))
        if chosen is not None:
            inputs = [inputs, tf.convert_to_tensor(chosen)]  # Keras mixes no tensors and arrays
        yield np.asarray(network(inputs, training=False))[: num - start]
