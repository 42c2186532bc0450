"""The convolutional generator and discriminator (source 002; Radford et al. 2016, DCGAN).

One rule gives the layout for any image shape: every entry of `filters` is one halving of the image
(discriminator) or one doubling (generator), so the coarsest feature maps have side
image side / 2 ** len(filters). Two entries take 28 to 7; three take 64 to 8, and four to 4. A side
that cannot be halved that often is refused: rounding up would draw a larger image and crop it.
"""

import math

import keras

from gan_mnist.networks import assemble_discriminator, assemble_generator
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
    num_classes=None,
    seed,
):
    """The convolutional generator: z -> dense -> transposed convolutions of stride 2 -> x.

    Convolutions see an image in parts. Dense hidden layers (`widths`) decide on the whole before
    the parts are drawn: without them strokes are good long before they add up to digits.

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x; both sides divisible by 2 ** len(filters).
        widths: units of dense hidden layers between z and the coarsest feature maps.
        filters: channels of the feature maps, from the coarsest to the one before x.
        kernel_size: side of the kernels. A multiple of the stride, 2, reaches every pixel equally
            often, where 3 or 5 lay a checkerboard (Odena et al. 2016, distill.pub/2016/deconv-
            checkerboard).
        batch_norm_momentum: momentum of the running statistics, or None for no normalisation.
        leaky_slope: slope of LeakyReLU below zero; 0 is the ReLU of the DCGAN paper.
        output_activation: name of a Keras activation; it sets the range of x (tanh: [-1, 1]).
        num_classes: None, or the number of classes of a conditional generator.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "generator": (N, latent_dim) float32 -> (N, *image_shape) float32; the
        conditional one maps [z, labels], with labels (N,) int32.

    Raises:
        ValueError: if the image cannot be halved len(filters) times.

    Source: Radford et al. 2016, arXiv:1511.06434, section 3.
    """
    initializers = seeded_initializers("generator", seed)
    start_shape = (*start_size(image_shape, len(filters)), filters[0])
    use_bias = batch_norm_momentum is None  # BatchNorm brings a bias of its own
    layers = []
    for width in widths:
        layers += [
            keras.layers.Dense(width, use_bias=use_bias, kernel_initializer=next(initializers)),
            *_normalisation(batch_norm_momentum),
            keras.layers.LeakyReLU(negative_slope=leaky_slope),
        ]
    layers += [
        keras.layers.Dense(
            math.prod(start_shape), use_bias=use_bias, kernel_initializer=next(initializers)
        ),
        keras.layers.Reshape(start_shape),
        *_normalisation(batch_norm_momentum),
        keras.layers.LeakyReLU(negative_slope=leaky_slope),
    ]
    for channels in filters[1:]:
        layers += [
            _doubling(channels, kernel_size, next(initializers), use_bias=use_bias),
            *_normalisation(batch_norm_momentum),
            keras.layers.LeakyReLU(negative_slope=leaky_slope),
        ]
    layers += [
        _doubling(image_shape[-1], kernel_size, next(initializers)),
        keras.layers.Activation(output_activation, dtype="float32"),
    ]
    return assemble_generator(layers, latent_dim, num_classes, initializers)


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
    """The convolutional discriminator: x -> convolutions of stride 2 -> dense -> logits.

    Args:
        image_shape: (height, width, channels) of x; both sides divisible by 2 ** len(filters).
        filters: channels of the feature maps, from the finest to the coarsest.
        widths: units of dense hidden layers between the coarsest feature maps and the logit, which
            judge the image as a whole.
        kernel_size: side of the kernels.
        batch_norm_momentum: momentum of the running statistics, or None for no normalisation. As in
            the DCGAN paper the first layer, which sees the image, is not normalised.
        leaky_slope: slope of LeakyReLU below zero.
        dropout: rate of Dropout after each convolution; 0 for none.
        num_classes: None, or the number of classes of a conditional discriminator.
        wrap: layer -> layer, applied to every layer that has a kernel, as in
            `gan_mnist.networks.build_mlp_discriminator`.
        seed: non-negative int; all initial weights and Dropout's masks follow from it.

    Returns:
        A network named "discriminator": (N, *image_shape) float32 -> (N, 1) float32; the
        conditional one maps [x, labels], with labels (N,) int32.

    Raises:
        ValueError: if the image cannot be halved len(filters) times.

    Source: Radford et al. 2016, arXiv:1511.06434, section 3.
    """
    initializers = seeded_initializers("discriminator", seed)
    start_size(image_shape, len(filters))
    layers = []
    for index, channels in enumerate(filters):
        layers.append(wrap(_halving(channels, kernel_size, next(initializers))))
        if index > 0:
            layers += _normalisation(batch_norm_momentum)
        layers.append(keras.layers.LeakyReLU(negative_slope=leaky_slope))
        if dropout > 0.0:
            layers.append(keras.layers.Dropout(dropout, seed=next(initializers).seed))
    layers.append(keras.layers.Flatten())
    for width in widths:
        layers.append(wrap(keras.layers.Dense(width, kernel_initializer=next(initializers))))
        layers.append(keras.layers.LeakyReLU(negative_slope=leaky_slope))
    return assemble_discriminator(layers, image_shape, num_classes, wrap, initializers)


def start_size(image_shape, num_halvings):
    """Height and width of the coarsest feature maps: those of the image, halved so many times.

    Args:
        image_shape: (height, width, channels).
        num_halvings: how often; the number of `filters` of a network.

    Returns:
        (height, width), ints.

    Raises:
        ValueError: if a side cannot be halved that often without remainder.

    Example: start_size((28, 28, 1), 2) is (7, 7); start_size((64, 64, 3), 4) is (4, 4).
    """
    factor = 2**num_halvings
    height, width, _ = image_shape
    if height % factor or width % factor:
        raise ValueError(
            f"{num_halvings} filters need an image whose sides are multiples of {factor}. "
            f"Received: {height}x{width}"
        )
    return height // factor, width // factor


def _doubling(channels, kernel_size, initializer, use_bias=True):
    return keras.layers.Conv2DTranspose(
        channels,
        kernel_size,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=initializer,
    )


def _halving(channels, kernel_size, initializer):
    return keras.layers.Conv2D(
        channels, kernel_size, strides=2, padding="same", kernel_initializer=initializer
    )


def _normalisation(momentum):
    return [] if momentum is None else [keras.layers.BatchNormalization(momentum=momentum)]
