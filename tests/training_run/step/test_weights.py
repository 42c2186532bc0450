"""Saved networks: loaded safely, and copied into others of the same layers."""

import keras
import numpy as np
import pytest

from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from gan_mnist.networks_conv import build_conv_discriminator, build_conv_generator
from gan_mnist.spectral import SpectralNormalization, plain_network
from training_run.errors import UserError
from training_run.step.weights import copy_weights, load_safely
from vae_mnist.networks import build_conv_decoder, build_conv_encoder

Z = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
IMAGES = np.random.default_rng(1).uniform(-1, 1, (3, 8, 8, 1)).astype(np.float32)
LABELS = np.array([0, 1, 2])


def generator(seed, num_classes=None, **changes):
    return build_mlp_generator(
        **{"latent_dim": 4, "image_shape": (8, 8, 1), "widths": (6, 5)} | changes,
        num_classes=num_classes,
        seed=seed,
    )


def discriminator(seed, num_classes=None, **changes):
    shape = {"image_shape": (8, 8, 1), "widths": (5,), "num_classes": num_classes}
    return build_mlp_discriminator(**shape | changes, seed=seed)


@pytest.mark.parametrize(
    ("build", "inputs"),
    [
        (generator, Z),
        (lambda seed: generator(seed, 3), [Z, LABELS]),
        (lambda seed: discriminator(seed, 3), [IMAGES, LABELS]),
        (lambda seed: build_conv_generator(latent_dim=4, filters=(3, 2), seed=seed), Z),
        (
            lambda seed: build_conv_discriminator(
                image_shape=(8, 8, 1), filters=(2,), batch_norm_momentum=0.9, seed=seed
            ),
            IMAGES,
        ),
        (
            lambda seed: build_conv_encoder(
                image_shape=(8, 8, 1), filters=(2, 3), latent_dim=4, num_classes=3, seed=seed
            ),
            [IMAGES, LABELS],
        ),
        (
            lambda seed: build_conv_decoder(
                image_shape=(8, 8, 1), filters=(3, 2), latent_dim=4, num_classes=3, seed=seed
            ),
            [Z, LABELS],
        ),
    ],
)
def test_equal_layers_then_give_equal_outputs(build, inputs):
    saved, network = build(0), build(1)
    for weight in saved.weights:  # BatchNorm's statistics among them
        weight.assign(weight + 0.1)
    assert copy_weights(saved, network) == []
    for ours, theirs in zip(outputs(network, inputs), outputs(saved, inputs), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def outputs(network, inputs):
    result = network.predict_on_batch(inputs)
    return result if isinstance(result, list) else [result]


def test_layers_of_other_classes_keep_their_weights():
    saved, network = generator(0, 3), generator(1, 5)
    own = generator(1, 5)
    (kept,) = copy_weights(saved, network)
    assert network.get_layer(kept).kernel.shape == (5, 4)
    for layer, before, fresh in zip(network.layers, saved.layers, own.layers, strict=True):
        expected = fresh if layer.name == kept else before
        for weight, value in zip(layer.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, value)


def test_a_generator_that_learns_classes_keeps_what_its_latents_meant():
    """Its first layer copies the rows of z; without the label it draws the same."""
    saved, network = generator(0), generator(1, 3)
    kept = copy_weights(saved, network)
    assert len(kept) == 2
    network.get_layer(kept[1]).kernel.assign(np.zeros((3, 4)))
    expected = saved.predict_on_batch(Z)
    np.testing.assert_allclose(network.predict_on_batch([Z, LABELS]), expected, atol=1e-6)


def test_a_generator_without_classes_starts_from_one_with_them():
    saved, network = generator(0, 3), generator(1)
    assert copy_weights(saved, network) == []
    dense = next(layer for layer in saved.layers if getattr(layer, "use_bias", False))
    np.testing.assert_array_equal(network.layers[0].kernel, dense.kernel[:4])


def test_a_discriminator_that_learns_classes_keeps_its_features():
    saved, network = discriminator(0), discriminator(1, 3)
    (kept,) = copy_weights(saved, network)
    network.get_layer(kept).kernel.assign(np.zeros((3, 5)))
    expected = saved.predict_on_batch(IMAGES)
    np.testing.assert_allclose(network.predict_on_batch([IMAGES, LABELS]), expected, atol=1e-6)


def test_a_normalised_discriminator_starts_from_its_saved_form():
    trained = discriminator(0, wrap=SpectralNormalization)
    saved, network = plain_network(trained), discriminator(1, wrap=SpectralNormalization)
    assert copy_weights(saved, network) == []
    kernels = [layer.layer.kernel for layer in network.layers if hasattr(layer, "layer")]
    for kernel, layer in zip(kernels, [each for each in saved.layers if each.weights], strict=True):
        np.testing.assert_array_equal(kernel, layer.kernel)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"widths": (6, 7)}, "with weights 6x7 and 7 where this one has 6x5 and 5"),
        ({"latent_dim": 9}, "with weights 9x6 and 6 where this one has 4x6 and 6"),
        ({"widths": (6,)}, "3 layers with weights where this one has 5"),
        ({"image_shape": (8, 8, 3)}, "with weights 5x192 and 192 where this one has 5x64 and 64"),
        ({"latent_dim": 9, "num_classes": 3}, "with weights 18x6 and 6 where"),
    ],
)
def test_other_layers_are_refused_and_nothing_is_changed(changes, text):
    network = generator(1)
    before = network.get_weights()
    with pytest.raises(ValueError, match=text):
        copy_weights(generator(0, **changes), network)
    for ours, theirs in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_network_that_was_never_built_is_refused(tmp_path):
    path = tmp_path / "network.keras"
    with pytest.warns(UserWarning, match="has not yet been built"):
        keras.Sequential([keras.layers.Dense(3)]).save(path)
    with pytest.raises(UserError, match="has no defined inputs yet") as refused:
        load_safely(path)
    assert str(refused.value).startswith(f"{path}: expected a network that Keras can load safely")
