"""The convolutional generator and discriminator (source 002; Radford et al. 2016, DCGAN).

One rule gives the layout for any image shape: every entry of `filters` halves the image once
(discriminator) or doubles it once (generator). So the coarsest feature maps have side
image side / 2 ** len(filters): two entries take 28 to 7, three take 64 to 8. Other sides are
refused: rounding up would draw a larger image and crop it.
"""

import math
from functools import partial

import keras

from gan_mnist.networks import (
    assemble_discriminator,
    assemble_generator,
    batch_normalization,
    hidden_dense_layers,
)
from training_run.step.networks import seeded_initializers


def build_conv_generator(
    *,
    latent_dim=100,
    image_shape=(28, 28, 1),
    widths=(),
    filters=(64, 32),
    kernel_size=4,
    batch_norm_momentum=0.8,
    leaky_slope=0.2,
    output_activation="tanh",
    num_modes=None,
    num_classes=None,
    seed,
):
    """The convolutional generator: z to dense to transposed convolutions of stride 2 to x.

    Convolutions see an image in parts. Dense hidden layers (`widths`) decide on the whole before
    the parts are drawn: without them strokes are good long before they add up to digits.

    Args:
        image_shape: (height, width, channels) of x; both sides divisible by 2 ** len(filters).
        widths: units of dense hidden layers between z and the coarsest feature maps.
        filters: channels of the feature maps, from the coarsest to the one before x.
        kernel_size: side of the kernels. A multiple of the stride, 2, reaches every pixel equally
            often; 3 or 5 give a checkerboard (Odena et al. 2016, distill.pub/2016/deconv-
            checkerboard).
        leaky_slope: slope of LeakyReLU below zero; 0 is the ReLU of the DCGAN paper.
        latent_dim, batch_norm_momentum, output_activation, num_modes, num_classes, seed: as for
            `gan_mnist.networks.build_mlp_generator`.

    Returns:
        A network named "generator", as from `build_mlp_generator`.

    Raises:
        ValueError: if the image cannot be halved len(filters) times.

    Source: Radford et al. 2016, arXiv:1511.06434, section 3.
    """
    initializers = seeded_initializers("generator", seed)
    start_shape = (*start_size(image_shape, len(filters)), filters[0])
    use_bias = batch_norm_momentum is None  # BatchNorm brings a bias of its own
    doubling = partial(
        keras.layers.Conv2DTranspose, kernel_size=kernel_size, strides=2, padding="same"
    )

    def dense(units):
        return keras.layers.Dense(units, use_bias=use_bias, kernel_initializer=next(initializers))

    def normalized():
        return [
            *batch_normalization(batch_norm_momentum),
            keras.layers.LeakyReLU(negative_slope=leaky_slope),
        ]

    layers = []
    for width in widths:
        layers += [dense(width), *normalized()]
    layers += [dense(math.prod(start_shape)), keras.layers.Reshape(start_shape), *normalized()]
    for channels in filters[1:]:
        layers.append(doubling(channels, use_bias=use_bias, kernel_initializer=next(initializers)))
        layers += normalized()
    layers += [
        doubling(image_shape[-1], kernel_initializer=next(initializers)),
        keras.layers.Activation(output_activation, dtype="float32"),
    ]
    return assemble_generator(layers, latent_dim, num_modes, num_classes, initializers)


def build_conv_discriminator(
    *,
    image_shape=(28, 28, 1),
    filters=(32, 64),
    widths=(),
    kernel_size=4,
    batch_norm_momentum=None,
    leaky_slope=0.2,
    dropout=0.0,
    num_classes=None,
    wrap=lambda layer: layer,
    seed,
):
    """The convolutional discriminator: x to convolutions of stride 2 to dense to logits.

    Args:
        image_shape: (height, width, channels) of x; both sides divisible by 2 ** len(filters).
        filters: channels of the feature maps, from the finest to the coarsest.
        widths: units of dense hidden layers between the coarsest feature maps and the logit, which
            see the image as a whole.
        kernel_size: side of the kernels.
        batch_norm_momentum: momentum of the running statistics, or None for no normalisation. As in
            the DCGAN paper the first layer, which sees the image, is not normalised.
        dropout: rate of Dropout after each convolution; 0 for none.
        leaky_slope, num_classes, wrap, seed: as for `gan_mnist.networks.build_mlp_discriminator`;
            Dropout's masks follow from the seed too.

    Returns:
        A network named "discriminator", as from `build_mlp_discriminator`.

    Raises:
        ValueError: if the image cannot be halved len(filters) times.

    Source: Radford et al. 2016, arXiv:1511.06434, section 3.
    """
    initializers = seeded_initializers("discriminator", seed)
    start_size(image_shape, len(filters))
    halving = partial(keras.layers.Conv2D, kernel_size=kernel_size, strides=2, padding="same")
    layers = []
    for index, channels in enumerate(filters):
        layers.append(wrap(halving(channels, kernel_initializer=next(initializers))))
        if index > 0:
            layers += batch_normalization(batch_norm_momentum)
        layers.append(keras.layers.LeakyReLU(negative_slope=leaky_slope))
        if dropout > 0.0:
            layers.append(keras.layers.Dropout(dropout, seed=next(initializers).seed))
    layers.append(keras.layers.Flatten())
    layers += hidden_dense_layers(widths, initializers, leaky_slope, wrap=wrap)
    return assemble_discriminator(layers, image_shape, num_classes, wrap, initializers)


def start_size(image_shape, num_halvings):
    """Height and width of the coarsest feature maps: start_size((28, 28, 1), 2) is (7, 7).

    Raises:
        ValueError: if a side cannot be halved that often without remainder.
    """
    factor = 2**num_halvings
    height, width, _ = image_shape
    if height % factor or width % factor:
        raise ValueError(
            f"{num_halvings} filters need an image whose sides are multiples of {factor}. "
            f"Received: {height}x{width}"
        )
    return height // factor, width // factor
