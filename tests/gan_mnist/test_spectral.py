from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.losses import get_loss
from gan_mnist.model import GAN
from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from gan_mnist.networks_conv import build_conv_discriminator
from gan_mnist.spectral import SpectralNormalization, plain_network, spectral_layers
from training_run.step.precision import computing_in

OPTIONS = {"image_shape": (8, 8, 1), "seed": 5, "wrap": SpectralNormalization}
DISCRIMINATORS = {
    "mlp": partial(build_mlp_discriminator, widths=(16, 12), **OPTIONS),
    "conv": partial(build_conv_discriminator, filters=(4, 8), **OPTIONS),
}
every_discriminator = pytest.mark.parametrize("name", DISCRIMINATORS)
every_form = pytest.mark.parametrize("num_classes", [None, 3], ids=["plain", "conditional"])


def norm(kernel):
    """Largest singular value of a kernel as a matrix (in, out)."""
    kernel = np.array(kernel, np.float64)
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def arrays_of(network):
    return [np.array(weight) for weight in network.weights]


def example_inputs(network, num=6):
    images = np.random.default_rng(0).uniform(-1, 1, (num, 8, 8, 1)).astype(np.float32)
    return images if len(network.inputs) == 1 else [images, np.arange(num, dtype=np.int32) % 3]


@every_form
@every_discriminator
def test_sigma_is_the_largest_singular_value_and_its_kernel_stays(name, num_classes):
    discriminator = DISCRIMINATORS[name](num_classes=num_classes)
    layers = spectral_layers(discriminator)
    assert len(layers) == (3 if num_classes is None else 4)
    before = [np.array(layer.kernel) for layer in layers]
    for _ in range(300):
        for layer in layers:
            layer.iterate()
    for layer, kernel in zip(layers, before, strict=True):
        np.testing.assert_array_equal(layer.kernel, kernel)
        assert float(layer.sigma()) == pytest.approx(norm(kernel), rel=2e-3)
        assert norm(layer.normalized()[0]) == pytest.approx(1.0, rel=2e-3)


def test_one_iteration_is_that_of_the_algorithm():
    layer = SpectralNormalization(keras.layers.Dense(3, use_bias=False))
    layer.build((None, 2))
    kernel, u = np.array([[2.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), np.array([1.0, 1.0, 0.0])
    layer.kernel.assign(kernel)
    layer.vector_u.assign(u[None])
    layer.iterate()
    expected = kernel.T @ kernel @ u  # (4, 1, 2)
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(layer.vector_u, expected[None], atol=1e-6)
    assert float(layer.sigma()) == pytest.approx(np.linalg.norm(kernel @ expected), rel=1e-6)


@every_discriminator
def test_gradients_pass_through_sigma(name):
    """Against finite differences of a logit that divides by |W u| with u fixed."""
    discriminator = DISCRIMINATORS[name](leaky_slope=1.0)  # without kinks
    inputs, layer = example_inputs(discriminator), spectral_layers(discriminator)[0]
    for one in spectral_layers(discriminator):
        one.iterate()

    def total():
        return tf.reduce_sum(discriminator(inputs, training=True))

    with tf.GradientTape() as tape:
        value = total()
    slope = np.array(tape.gradient(value, layer.kernel.value))
    kernel = np.array(layer.kernel)
    direction = np.random.default_rng(1).normal(size=kernel.shape).astype(np.float32)
    step, sums = 1e-3, []
    for sign in (1, -1):
        layer.kernel.assign(kernel + sign * step * direction)
        sums.append(float(total()))
    numeric = (sums[0] - sums[1]) / (2 * step)
    assert (slope * direction).sum() == pytest.approx(numeric, rel=0.02)
    # W / sigma(W) does not depend on the length of W (but for u): no slope along W itself.
    along = (slope * kernel).sum() / np.linalg.norm(kernel)
    assert abs(along) < 1e-3 * np.linalg.norm(slope)


@pytest.mark.parametrize("name", ["hinge", "wasserstein"])
def test_only_the_discriminators_phase_moves_its_weights(name):
    discriminator = DISCRIMINATORS["mlp"](num_classes=None)
    generator = build_mlp_generator(latent_dim=4, widths=(8,), image_shape=(8, 8, 1), seed=5)
    gan = GAN(generator, discriminator, value_range=(-1, 1), batch_size=6, seed=0)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), get_loss(name))
    batch = {"images": np.full((6, 8, 8, 1), 200, np.uint8), **gan.draw(0)}
    before = arrays_of(discriminator)
    gan.generator_phase(batch)
    for old, new in zip(before, arrays_of(discriminator), strict=True):
        np.testing.assert_array_equal(old, new)
    gan.discriminator_phase(batch)
    kinds = [weight.name for weight in discriminator.weights]
    moved = [
        kind
        for kind, old, new in zip(kinds, before, arrays_of(discriminator), strict=True)
        if not np.array_equal(old, new)
    ]
    assert moved.count("vector_u") == moved.count("kernel") == 3


@every_form
@every_discriminator
def test_what_is_saved_has_plain_layers_and_gives_the_same_logits(name, num_classes):
    discriminator = DISCRIMINATORS[name](num_classes=num_classes)
    for layer in spectral_layers(discriminator):
        layer.iterate()
    plain, inputs = plain_network(discriminator), example_inputs(discriminator)
    assert not [layer for layer in plain.layers if isinstance(layer, keras.layers.Wrapper)]
    assert plain.name == discriminator.name
    np.testing.assert_allclose(plain(inputs), discriminator(inputs), rtol=1e-5, atol=1e-6)
    assert plain_network(plain) is plain


def test_variables_are_those_of_the_layer_of_keras():
    """So that checkpoints made with Keras's layer can be resumed."""
    ours, theirs = (
        build_mlp_discriminator(**OPTIONS | {"wrap": wrap})
        for wrap in (SpectralNormalization, keras.layers.SpectralNormalization)
    )
    shapes = [[(w.name, w.shape) for w in network.variables] for network in (ours, theirs)]
    assert shapes[0] == shapes[1]


@every_discriminator
def test_sigma_keeps_its_precision_in_mixed_precision(name):
    with computing_in("mixed_bfloat16"):
        mixed = DISCRIMINATORS[name](num_classes=None)
    plain = DISCRIMINATORS[name](num_classes=None)
    for one, other in zip(spectral_layers(mixed), spectral_layers(plain), strict=True):
        one.iterate(), other.iterate()
        np.testing.assert_array_equal(one.sigma(), other.sigma())
        assert one.kernel.dtype == "float32"
