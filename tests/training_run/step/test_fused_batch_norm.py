"""BatchNorm as one operation is Keras's BatchNorm, to rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from training_run.step.networks import FusedBatchNormalization, with_fused_batch_norm


def small_network(**options):
    """Latents (N, 5) to images (N, 4, 4, 3), with BatchNorm of a vector and of images."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(32),
            layers.BatchNormalization(),
            layers.Reshape((4, 4, 2)),
            layers.Conv2D(3, 3, padding="same"),
            layers.BatchNormalization(momentum=0.8, **options),
        ]
    )


def trained_once(network, x, weights_of):
    """What a pass in training gives: outputs, gradients of their weighted sum, weights after it."""
    before = weights_of.get_weights()
    with tf.GradientTape() as tape:
        y = network(x, training=True)
        towards = tf.reshape(tf.cos(tf.range(float(tf.size(y)))), y.shape)
        objective = tf.reduce_sum(tf.cast(y, tf.float32) * towards)
    gradients = tape.gradient(objective, weights_of.trainable_variables)
    after = weights_of.get_weights()
    weights_of.set_weights(before)
    return [np.float32(y), *map(np.asarray, gradients), *after]


def fused_layers(network):
    return [layer for layer in network.layers if isinstance(layer, FusedBatchNormalization)]


BFLOAT16 = keras.DTypePolicy("mixed_bfloat16")

LATENTS = 3 + 2 * np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)


def test_outputs_gradients_and_moving_statistics_are_those_of_keras():
    network = small_network()
    fused = with_fused_batch_norm(network)
    assert len(fused_layers(fused)) == 1  # the vector's stays as it is
    expected = trained_once(network, LATENTS, network)
    for found, value in zip(trained_once(fused, LATENTS, network), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-4, atol=2e-5)


def test_it_computes_mean_and_variance_in_float32_from_bfloat16():
    network = keras.Sequential(
        [keras.Input((5,)), layers.Reshape((1, 1, 5)), layers.BatchNormalization(dtype=BFLOAT16)]
    )
    expected = trained_once(network, LATENTS, network)
    found = trained_once(with_fused_batch_norm(network), LATENTS, network)
    assert with_fused_batch_norm(network)(LATENTS, training=True).dtype == tf.bfloat16
    np.testing.assert_allclose(found[0], expected[0], atol=2e-2)
    for ours, keras_s in zip(found[-2:], expected[-2:], strict=True):
        np.testing.assert_allclose(ours, keras_s, rtol=1e-5, atol=1e-6)


def test_all_variables_are_shared():
    network = small_network()
    fused = with_fused_batch_norm(network)
    assert {id(v) for v in fused.variables} == {id(v) for v in network.variables}
    assert [id(v) for v in fused.trainable_variables] == [
        id(v) for v in network.trainable_variables
    ]


def test_outside_of_training_it_is_the_layer_itself():
    network = small_network()
    network(LATENTS, training=True)  # so that the moving statistics are not 0 and 1
    fused = with_fused_batch_norm(network)
    assert np.array_equal(fused(LATENTS, training=False), network(LATENTS, training=False))


def test_functional_networks_of_two_inputs():
    z, labels = keras.Input((5,)), keras.Input((2,))
    x = layers.Reshape((1, 1, 7))(layers.Concatenate()([z, labels]))
    network = keras.Model([z, labels], layers.BatchNormalization()(x))
    fused = with_fused_batch_norm(network)
    assert len(fused_layers(fused)) == 1
    inputs = [tf.constant(LATENTS), tf.one_hot([0, 1, 1, 0, 1, 0], 2)]
    expected = trained_once(network, inputs, network)
    for found, value in zip(trained_once(fused, inputs, network), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(
    "options", [{"center": False}, {"scale": False}, {"axis": 1}, {"synchronized": True}]
)
def test_a_layer_with_something_special_stays_keras_s(options):
    network = small_network(**options)
    assert with_fused_batch_norm(network) is network


def test_a_subclass_keeps_its_own_computation():
    class Shifted(layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training, mask) + 1

    network = keras.Sequential([keras.Input((4, 4, 2)), Shifted()])
    assert with_fused_batch_norm(network) is network


def test_a_frozen_layer_keeps_its_statistics():
    network = small_network()
    network.layers[-1].trainable = False
    assert with_fused_batch_norm(network) is network
