"""Shared parts of the network builders: initialisers, labels as one-hot vectors, logits."""

import itertools
import zlib

import keras
import numpy as np


def seeded_initializers(network_name, seed):
    """Yield Glorot uniform initialisers (Keras's default), each with its own seed.

    Args:
        network_name: name of the network. Networks with different names share no draws.
        seed: non-negative int, the run's seed.
    """
    key = (zlib.crc32(network_name.encode()), seed)
    for index in itertools.count():
        (state,) = np.random.SeedSequence((*key, index)).generate_state(1)
        yield keras.initializers.GlorotUniform(seed=int(state >> 1))


def one_hot_labels(labels, num_classes):
    """One-hot vectors (N, num_classes) from integer labels (N,), by a layer that can be saved.

    A matrix product of them replaces `Embedding`, whose gradients are summed in no fixed order.
    """
    layer = keras.layers.CategoryEncoding(
        num_tokens=num_classes, output_mode="one_hot", name="labels_one_hot"
    )
    return layer(labels)


def logits_network(network):
    """The network without its final sigmoid, with shared weights.

    Training and likelihoods need log sigmoid(l) and log(1 - sigmoid(l)). Both are exact as
    functions of the logit l, and lost once sigmoid(l) has been rounded to 0 or 1.

    Args:
        network: a Sequential or functional network whose last layer is `Activation("sigmoid")`.

    Returns:
        A network with the same inputs that gives logits, in float32 under any policy.

    Raises:
        ValueError: if the network ends in anything else.
    """
    last = network.layers[-1]
    if not (isinstance(last, keras.layers.Activation) and ends_in_sigmoid(network)):
        raise ValueError(
            "Logits need a network whose last layer is Activation('sigmoid'). "
            f"Received: {network.name}, which ends in {last}"
        )
    inputs = network.inputs if len(network.inputs) > 1 else network.inputs[0]
    logits = keras.ops.cast(last.input, "float32")
    return keras.Model(inputs, logits, name=f"{network.name}_logits")


def ends_in_sigmoid(network):
    """True if a network's last layer, of whatever kind, applies a sigmoid."""
    return getattr(network.layers[-1], "activation", None) is keras.activations.sigmoid
