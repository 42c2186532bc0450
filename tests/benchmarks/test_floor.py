"""Operations counted by hand, on networks whose numbers are known."""

import keras
import pytest

from benchmarks.floor import Product, layer_product, num_weights, products, step_products
from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from vae_mnist.networks import build_mlp_decoder, build_mlp_encoder

layers = keras.layers


def test_a_dense_layer_is_a_product_of_the_batch_with_its_kernel():
    network = keras.Sequential([keras.Input((5,)), layers.Dense(7), layers.ReLU()])
    assert products(network, 3) == [Product(3, 5, 7)]
    assert Product(3, 5, 7).operations == 2 * 3 * 5 * 7


def test_a_convolution_is_a_product_for_each_position_it_writes():
    """8x8x2 to 4x4x6 by 3x3 kernels: 16 positions, 18 inputs each."""
    network = keras.Sequential(
        [keras.Input((8, 8, 2)), layers.Conv2D(6, 3, strides=2, padding="same")]
    )
    assert layer_product(network.layers[0], 10) == Product(160, 18, 6)


def test_a_transposed_convolution_is_a_product_for_each_position_it_reads():
    """4x4x6 to 8x8x2 by 4x4 kernels: 16 positions, each writing 16 pixels of 2 channels."""
    network = keras.Sequential(
        [keras.Input((4, 4, 6)), layers.Conv2DTranspose(2, 4, strides=2, padding="same")]
    )
    assert layer_product(network.layers[0], 10) == Product(160, 6, 32)


def test_a_gan_step_on_networks_of_one_layer_each():
    """G 2 -> 4 and D 4 -> 1, batch 3.

    Discriminator's phase: G 3x2x4; D on 6 images and its weight gradient, 6x4x1 each; no gradient
    of the images. Generator's: G, D, the gradient of the images 3x4x1, and G's weight gradient.
    """
    networks = {
        "generator": keras.Sequential([keras.Input((2,)), layers.Dense(4)]),
        "discriminator": keras.Sequential([keras.Input((4,)), layers.Dense(1)]),
    }
    terms = 3 * 2 * 4 + 2 * 6 * 4 + 3 * 2 * 4 + 2 * 3 * 4 + 3 * 2 * 4
    counted = step_products("gan", networks, 3)
    assert sum(product.operations for product in counted) == 2 * terms
    assert num_weights(networks) == 12 + 5


def test_the_default_gan_takes_0_60_gflop_a_step():
    networks = {
        "generator": build_mlp_generator(seed=0),
        "discriminator": build_mlp_discriminator(seed=0),
    }
    counted = step_products("gan", networks, 32)
    assert sum(product.operations for product in counted) / 1e9 == pytest.approx(0.60, abs=0.005)
    assert num_weights(networks) == 1_489_936 + 533_505


def test_the_default_vae_takes_three_products_a_layer_but_two_for_the_first():
    networks = {"encoder": build_mlp_encoder(seed=0), "decoder": build_mlp_decoder(seed=0)}
    first, rest = 784 * 256, 2 * 256 * 32 + 32 * 256 + 256 * 784
    counted = step_products("vae", networks, 128)
    assert sum(product.operations for product in counted) == 2 * 128 * (2 * first + 3 * rest)
