"""The network of the denoising autoencoder (source 000)."""

import math

import keras

from training_run.step.networks import seeded_initializers


def build_denoiser(*, image_shape=(28, 28, 1), num_hidden=50, seed):
    """The autoencoder of source 000: dense, ReLU, dense, sigmoid; 79,234 parameters.

    50 hidden units cannot represent noise, only digits.

    Args:
        image_shape: (height, width, channels).
        num_hidden: units of the hidden layer.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A Sequential named "denoiser": (N, *image_shape) float32 in [0, 1] to the same. Its layer
        "logits" gives the inputs of the sigmoid.
    """
    initializers = seeded_initializers("denoiser", seed)
    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            keras.layers.Flatten(),
            keras.layers.Dense(
                num_hidden, activation="relu", kernel_initializer=next(initializers)
            ),
            keras.layers.Dense(
                math.prod(image_shape), kernel_initializer=next(initializers), name="logits"
            ),
            keras.layers.Activation("sigmoid", dtype="float32"),
            keras.layers.Reshape(image_shape, dtype="float32"),
        ],
        name="denoiser",
    )
