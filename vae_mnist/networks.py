"""Encoders and decoders, dense (source 003) and convolutional (source 002).

The same arguments give the same weights, bit for bit. All layers are Keras's own, so
`keras.saving.load_model` needs none of this code. A decoder without labels is `Sequential`, all
others are functional, and so is a gated one.

The label joins the first layer that has weights: a learned vector per class is added to the layer's
output, before the activation. This is the same function as appending the one-hot label to the
layer's input (for an image: as constant planes, except at its borders), and costs almost nothing.

Dense layers are followed by ReLU, tanh or a gate. A gated layer of n units is a dense one of 2 n,
whose first half is multiplied by the sigmoid of its second (Dauphin et al. 2017, arXiv:1612.08083).

A decoder ends in a sigmoid that is a layer of its own. So the saved network gives images in [0, 1],
and `training_run.step.networks.logits_network` can take the logits before it for the losses.
"""

import math

import keras

from training_run.step.networks import one_hot_labels, seeded_initializers


def build_mlp_encoder(
    *,
    latent_dim=32,
    image_shape=(28, 28, 1),
    widths=(256,),
    activation="relu",
    num_classes=None,
    seed,
):
    """The dense encoder: x to mean and log-variance of q(z|x).

    The defaults are the encoder of source 003: 217,408 parameters.

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x.
        widths: units of the hidden layers, from x to z.
        activation: of the hidden layers, "relu", "tanh" or "gated".
        num_classes: None, or the number of classes of a conditional encoder.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "encoder": (N, *image_shape) float32 to [z_mean, z_log_var], both
        (N, latent_dim) float32. The conditional one maps [x, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("encoder", seed)
    layers = [keras.layers.Flatten(), *_dense_layers(widths, activation, initializers)]
    return _assemble_encoder(layers, image_shape, latent_dim, num_classes, initializers)


def build_mlp_decoder(
    *,
    latent_dim=32,
    image_shape=(28, 28, 1),
    widths=(256,),
    activation="relu",
    num_classes=None,
    seed,
):
    """The dense decoder: z to x.

    The defaults are the decoder of source 003: 209,936 parameters.

    Args:
        widths: units of the hidden layers, from z to x.
        latent_dim, image_shape, activation, num_classes, seed: as for `build_mlp_encoder`.

    Returns:
        A network named "decoder": (N, latent_dim) float32 to (N, *image_shape) float32 in [0, 1].
        The conditional one maps [z, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("decoder", seed)
    layers = [
        *_dense_layers(widths, activation, initializers),
        keras.layers.Dense(math.prod(image_shape), kernel_initializer=next(initializers)),
        keras.layers.Reshape(image_shape),
    ]
    return _assemble_decoder(layers, latent_dim, num_classes, initializers)


def build_conv_encoder(
    *,
    latent_dim=32,
    image_shape=(28, 28, 1),
    filters=(32, 64, 64),
    widths=(),
    kernel_size=4,
    leaky_slope=0.0,
    num_classes=None,
    seed,
):
    """The convolutional encoder: x to mean and log-variance of q(z|x), by strides of 2.

    Each convolution halves height and width, rounding up, so any image shape is allowed. Three of
    them take 28 to 14, 7 and 4, and 64 to 32, 16 and 8.

    Source 002 has three convolutions and a dense layer; the sizes are ours. Of eight layouts (one
    run of 1,400 steps each, Adam 1e-4), (32, 64, 64) with 4x4 kernels had the least squared error
    on test digits, 28.6. (32, 64, 128) with 3x3 kernels had 32.0 at 1.16 times the speed, (16, 32,
    64) with 5x5 kernels 32.3 at 1.5 times the speed.

    Args:
        filters: channels of the feature maps, from x to z.
        widths: units of dense hidden layers after the convolutions.
        kernel_size: side of the kernels.
        leaky_slope: slope of LeakyReLU below zero; 0 for ReLU.
        latent_dim, image_shape, num_classes, seed: as for `build_mlp_encoder`.

    Returns:
        A network like that of `build_mlp_encoder`.
    """
    initializers = seeded_initializers("encoder", seed)
    convolutions = [
        keras.layers.Conv2D(
            channels, kernel_size, strides=2, padding="same", kernel_initializer=next(initializers)
        )
        for channels in filters
    ]
    layers = [
        *_rectified(convolutions, leaky_slope),
        keras.layers.Flatten(),
        *_rectified(_denses(widths, initializers), leaky_slope),
    ]
    return _assemble_encoder(layers, image_shape, latent_dim, num_classes, initializers)


def build_conv_decoder(
    *,
    latent_dim=32,
    image_shape=(28, 28, 1),
    filters=(64, 64, 32),
    widths=(),
    kernel_size=4,
    leaky_slope=0.0,
    num_classes=None,
    seed,
):
    """The convolutional decoder: z to x, by a dense layer and transposed convolutions of stride 2.

    Each transposed convolution undoes one halving of the encoder: n becomes 2n, or 2n - 1 where the
    encoder rounded up (28 has 7 and 4 before it: 4 becomes 7).

    Args:
        filters: channels of the feature maps, from z to the one before x.
        widths: units of dense hidden layers before the transposed convolutions.
        leaky_slope: slope of LeakyReLU below zero; 0 for ReLU.
        kernel_size: side of the kernels. A multiple of the stride, 2, reaches every pixel equally
            often; 3 or 5 give checkerboards (Odena et al. 2016,
            distill.pub/2016/deconv-checkerboard).
        latent_dim, image_shape, num_classes, seed: as for `build_mlp_encoder`.

    Returns:
        A network like that of `build_mlp_decoder`.
    """
    initializers = seeded_initializers("decoder", seed)
    sizes = [tuple(image_shape[:2])]
    for _ in filters:
        sizes.append(tuple(math.ceil(side / 2) for side in sizes[-1]))
    sizes.reverse()
    start_shape = (*sizes[0], filters[0])
    denses = _denses([*widths, math.prod(start_shape)], initializers)
    layers = [*_rectified(denses, leaky_slope), keras.layers.Reshape(start_shape)]
    for channels, size in zip([*filters[1:], image_shape[-1]], sizes[1:], strict=True):
        doubling = _doubling(channels, kernel_size, size, next(initializers))
        layers += [*doubling, _rectifier(leaky_slope)]
    layers.pop()  # logits have no activation
    return _assemble_decoder(layers, latent_dim, num_classes, initializers)


def _doubling(channels, kernel_size, size, initializer):
    """Layers that take half of `size` (height, width), rounded up, back to `size`."""
    odd_height, odd_width = (side % 2 for side in size)
    # Keras makes 2 (n - 1) + kernel_size % 2 + output_padding of n. If both sides are odd, this can
    # be 2n - 1 at once: a training step is 10% faster than with 2n and cropping.
    output_padding = 1 - kernel_size % 2 if odd_height and odd_width else None
    convolution = keras.layers.Conv2DTranspose(
        channels,
        kernel_size,
        strides=2,
        padding="same",
        output_padding=output_padding,
        kernel_initializer=initializer,
    )
    if odd_height == odd_width:
        return [convolution]
    return [convolution, keras.layers.Cropping2D(((0, odd_height), (0, odd_width)))]


def _dense_layers(widths, activation, initializers):
    """Dense layers, each followed by its activation; a gate is no layer, but an operation."""
    units = [2 * width if activation == "gated" else width for width in widths]
    layers = _denses(units, initializers)
    after = {
        "relu": keras.layers.ReLU,
        "tanh": lambda: keras.layers.Activation("tanh"),
        "gated": lambda: keras.ops.glu,
    }[activation]
    return [part for layer in layers for part in (layer, after())]


def _denses(widths, initializers):
    return [keras.layers.Dense(width, kernel_initializer=next(initializers)) for width in widths]


def _rectified(layers, slope):
    return [part for layer in layers for part in (layer, _rectifier(slope))]


def _rectifier(slope):
    return keras.layers.LeakyReLU(negative_slope=slope) if slope else keras.layers.ReLU()


def _assemble_encoder(layers, image_shape, latent_dim, num_classes, initializers):
    """The network of these layers with the two heads on top."""
    images = keras.Input(image_shape, name="images")
    inputs, features = _chain(images, layers, num_classes, initializers)
    # float32 under any policy: variances and KL need the precision.
    heads = [
        keras.layers.Dense(
            latent_dim, kernel_initializer=next(initializers), dtype="float32", name=name
        )
        for name in ("z_mean", "z_log_var")
    ]
    return keras.Model(inputs, [head(features) for head in heads], name="encoder")


def _assemble_decoder(layers, latent_dim, num_classes, initializers):
    """The network of these layers, which give the logits of x, with the sigmoid on top."""
    z = keras.Input((latent_dim,), name="z")
    layers = [*layers, keras.layers.Activation("sigmoid", dtype="float32", name="images")]
    if num_classes is None and all(isinstance(layer, keras.Layer) for layer in layers):
        return keras.Sequential([z, *layers], name="decoder")
    inputs, images = _chain(z, layers, num_classes, initializers)
    return keras.Model(inputs, images, name="decoder")


def _chain(x, layers, num_classes, initializers):
    """Inputs and output of the layers in turn; a label joins the first layer that has weights."""
    labels = None if num_classes is None else keras.Input((), dtype="int32", name="labels")
    inputs = x if labels is None else [x, labels]
    for layer in layers:
        x = layer(x)
        if labels is not None and getattr(layer, "weights", None):
            x, labels = _add_label(x, labels, num_classes, next(initializers)), None
    return inputs, x


def _add_label(features, labels, num_classes, initializer):
    """Add a learned vector per class to features (N, ..., channels)."""
    *_, channels = features.shape
    vectors = keras.layers.Dense(channels, use_bias=False, kernel_initializer=initializer)(
        one_hot_labels(labels, num_classes)
    )
    shape = (1,) * (len(features.shape) - 2) + (channels,)
    return keras.layers.Add()([features, keras.layers.Reshape(shape)(vectors)])
