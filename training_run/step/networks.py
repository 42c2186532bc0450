"""Shared parts of networks: initialisers, one-hot labels, and views that share the weights."""

import itertools
import zlib

import keras
import numpy as np
import tensorflow as tf


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


class FusedBatchNormalization(keras.layers.Layer):
    """What a `BatchNormalization` computes in training, in one operation, on its variables.

    Keras computes mean, variance and quotient in operations of their own, each of which reads all
    activations, in float32. TensorFlow has one operation for all of them, and one for the gradient:
    on a processor a third of the time.

    Args:
        plain: the built layer; it normalises the last axis of images.
    """

    def __init__(self, plain):
        super().__init__(name=plain.name, dtype=plain.dtype_policy)
        self.plain = plain

    def call(self, x, training=None, mask=None):
        plain = self.plain
        if not training:
            return plain(x, training=False)
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=plain.gamma.value,
            offset=plain.beta.value,
            mean=[],
            variance=[],
            epsilon=plain.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(x) / x.shape[-1], tf.float32)
        variance *= (count - 1) / count  # the operation divides by count - 1; Keras, by count
        statistics = (plain.moving_mean, mean), (plain.moving_variance, variance)
        for moving, value in statistics:
            moving.assign(plain.momentum * moving + (1 - plain.momentum) * value)
        return y


def with_fused_batch_norm(network):
    """The network with BatchNorm of images as one operation; all variables are shared.

    For training steps that XLA does not compile. It fuses operations itself.

    Args:
        network: a Sequential or functional network.

    Returns:
        A network of the same inputs and outputs; the network itself if nothing in it can be fused.
    """
    if not any(map(_can_be_fused, network.layers)):
        return network
    return keras.models.clone_model(
        network,
        clone_function=lambda layer: (
            FusedBatchNormalization(layer) if _can_be_fused(layer) else layer
        ),
    )


def _can_be_fused(layer):
    """True for Keras's own `BatchNormalization` of images (N, H, W, C) without special options."""
    if type(layer) is not keras.layers.BatchNormalization:
        return False
    of_images = layer.input_spec.ndim == 4 and layer.axis in (-1, 3)
    is_usual = layer.center and layer.scale and layer.trainable
    is_special = layer.synchronized or getattr(layer, "renorm", False)
    return of_images and is_usual and not is_special
