import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.networks import build_mlp_discriminator
from gan_mnist.networks_conv import build_conv_discriminator
from gan_mnist.regularizers import (
    gradient_penalty,
    instance_noise_stddev,
    r1_penalty,
    r2_penalty,
    squared_gradient_norms,
)
from gan_mnist.spectral import SpectralNormalization
from training_run.step.networks import seeded_initializers

SHAPE = (4, 3, 2)
rng = np.random.default_rng(0)
REAL = rng.normal(size=(5, *SHAPE)).astype(np.float32)
FAKE = rng.normal(size=(5, *SHAPE)).astype(np.float32)
REAL_T, FAKE_T = tf.constant(REAL), tf.constant(FAKE)
EPSILON = rng.uniform(size=5).astype(np.float32)
W = rng.normal(size=24).astype(np.float32)


def linear(weights):
    """D(x) = w.x: its gradient is w everywhere."""
    return lambda x: tf.reshape(x, (-1, 24)) @ tf.reshape(weights, (24, 1))


def half_square(x):
    """D(x) = |x|^2 / 2: its gradient is x."""
    return 0.5 * tf.reduce_sum(tf.square(tf.reshape(x, (-1, 24))), axis=1, keepdims=True)


def flat_squares(images):
    return np.square(images.reshape(len(images), -1)).sum(axis=1)


def test_a_linear_discriminator_has_the_norm_of_its_weights():
    norm = float(np.linalg.norm(W))
    penalty = gradient_penalty(linear(W), REAL_T, FAKE_T, tf.constant(EPSILON))
    assert float(penalty) == pytest.approx((norm - 1) ** 2, rel=1e-5)
    assert float(r1_penalty(linear(W), REAL_T)) == pytest.approx(norm**2 / 2, rel=1e-5)


def test_norms_are_taken_per_image_over_all_pixels_and_channels():
    norms = squared_gradient_norms(half_square, REAL_T)
    np.testing.assert_allclose(norms, flat_squares(REAL), rtol=1e-5)
    for penalty, images in ((r1_penalty, REAL), (r2_penalty, FAKE)):
        value = float(penalty(half_square, tf.constant(images)))
        assert value == pytest.approx(flat_squares(images).mean() / 2, rel=1e-5)


def test_each_image_is_mixed_by_its_own_coefficient():
    share = EPSILON[:, None, None, None]
    norms = np.sqrt(flat_squares(share * REAL + (1 - share) * FAKE))
    penalty = gradient_penalty(half_square, REAL_T, FAKE_T, tf.constant(EPSILON))
    assert float(penalty) == pytest.approx(np.square(norms - 1).mean(), rel=1e-5)


@pytest.mark.parametrize(("share", "images"), [(1.0, REAL), (0.0, FAKE)], ids=["real", "fake"])
def test_the_ends_of_the_segment_are_the_real_and_the_fake_image(share, images):
    penalty = gradient_penalty(half_square, REAL_T, FAKE_T, tf.fill((5,), share))
    expected = np.square(np.sqrt(flat_squares(images)) - 1).mean()
    assert float(penalty) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_a_flat_discriminator_is_penalised_without_nan(jit_compile):
    weights = tf.Variable(np.zeros(24, np.float32))

    @tf.function(jit_compile=jit_compile)
    def evaluate():
        with tf.GradientTape(persistent=True) as tape:
            penalty = gradient_penalty(linear(weights), REAL_T, FAKE_T, tf.constant(EPSILON))
            r1 = r1_penalty(linear(weights), REAL_T)
        return penalty, r1, tape.gradient(penalty, weights), tape.gradient(r1, weights)

    penalty, r1, penalty_slope, r1_slope = evaluate()
    assert float(penalty) == 1.0 and float(r1) == 0.0
    np.testing.assert_array_equal(penalty_slope, np.zeros(24))
    np.testing.assert_array_equal(r1_slope, np.zeros(24))


@pytest.mark.parametrize("scale", [1e-15, 1e-6, 1.0, 1e6])
def test_second_order_gradients_of_a_linear_discriminator(scale):
    weights = tf.Variable(scale * W)
    norm = np.linalg.norm(scale * W.astype(np.float64))
    with tf.GradientTape(persistent=True) as tape:
        penalty = gradient_penalty(linear(weights), REAL_T, FAKE_T, tf.constant(EPSILON))
        r1 = r1_penalty(linear(weights), REAL_T)
    expected = 2 * (norm - 1) * W / np.linalg.norm(W)
    np.testing.assert_allclose(
        tape.gradient(penalty, weights), expected, rtol=1e-4, atol=1e-4 * abs(norm - 1)
    )
    np.testing.assert_allclose(tape.gradient(r1, weights), scale * W, rtol=1e-5)


def conv_discriminator():
    return build_conv_discriminator(image_shape=(8, 8, 1), filters=(4, 6), seed=1)


def mlp_discriminator():
    return build_mlp_discriminator(image_shape=(8, 8, 1), widths=(12, 6), seed=1)


def spectral_discriminator():
    return build_conv_discriminator(
        image_shape=(8, 8, 1), filters=(4, 6), wrap=SpectralNormalization, seed=1
    )


def penalties(discriminator, training=False):
    real = tf.random.stateless_normal((6, 8, 8, 1), [0, 1])
    fake = tf.random.stateless_normal((6, 8, 8, 1), [0, 2])
    epsilon = tf.random.stateless_uniform((6,), [0, 3])

    def logits(x):
        return discriminator(x, training=training)

    return {
        "gradient_penalty": lambda: gradient_penalty(logits, real, fake, epsilon),
        "r1_penalty": lambda: r1_penalty(logits, real),
        "r2_penalty": lambda: r2_penalty(logits, fake),
    }


def gradient_of(penalty, weights):
    with tf.GradientTape() as tape:
        value = penalty()
    # A penalty on slopes does not depend on the last bias: its gradient is None.
    return [gradient for gradient in tape.gradient(value, weights) if gradient is not None]


def smooth_discriminator():
    """Finite differences need a slope without jumps, which LeakyReLU has."""
    initializers = seeded_initializers("smooth", 3)
    options = {"activation": "tanh", "padding": "same", "strides": 2}
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, **options, kernel_initializer=next(initializers)),
            keras.layers.Conv2DTranspose(3, 3, **options, kernel_initializer=next(initializers)),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer=next(initializers)),
        ]
    )


@pytest.mark.parametrize("name", ["gradient_penalty", "r1_penalty", "r2_penalty"])
def test_second_order_gradients_of_a_network_by_finite_differences(name):
    discriminator = smooth_discriminator()
    penalty = tf.function(penalties(discriminator)[name])
    weights = discriminator.trainable_variables[:-1]
    step = 1e-2
    for index, (weight, slope) in enumerate(
        zip(weights, gradient_of(penalty, weights), strict=True)
    ):
        direction = tf.random.stateless_normal(weight.shape, [7, index])
        start, values = tf.identity(weight), []
        for sign in (1, -1):
            weight.assign(start + sign * step * direction)
            values.append(float(penalty()))
        weight.assign(start)
        expected = float(tf.reduce_sum(slope * direction))
        assert abs(expected) > 2e-3
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", ["gradient_penalty", "r1_penalty", "r2_penalty"])
@pytest.mark.parametrize("build", [conv_discriminator, mlp_discriminator])
def test_xla_gives_the_same_penalties_and_gradients(build, name):
    discriminator = build()
    penalty = penalties(discriminator)[name]
    weights = discriminator.trainable_variables

    def evaluate():
        return [penalty(), *gradient_of(penalty, weights)]

    compiled = tf.function(evaluate, jit_compile=True)()
    for one, two in zip(evaluate(), compiled, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["gradient_penalty", "r1_penalty", "r2_penalty"])
def test_penalties_go_with_spectral_normalisation(name):
    discriminator = spectral_discriminator()
    penalty = penalties(discriminator, training=True)[name]
    gradients = tf.function(lambda: gradient_of(penalty, discriminator.trainable_variables))()
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert max(np.abs(gradient).max() for gradient in gradients) > 1e-3


def test_instance_noise_fades_linearly_and_stays_out():
    noise = [float(instance_noise_stddev(s, initial=0.4, num_steps=100)) for s in (0, 25, 100, 900)]
    np.testing.assert_allclose(noise, [0.4, 0.3, 0.0, 0.0], atol=1e-7)
    step = tf.constant(50, tf.int64)
    assert float(instance_noise_stddev(step, initial=0.4, num_steps=100)) == pytest.approx(0.2)
