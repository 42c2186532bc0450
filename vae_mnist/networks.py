"""Encoders and decoders, dense (source 003) and convolutional (source 002).

Builders are pure: arguments in, an uncompiled named network out. The same arguments give the same
weights, bit for bit, and only Keras's own layers are used, so `keras.saving.load_model` needs none
of this code.

An encoder has two outputs and is functional; a decoder is a chain and `Sequential`, unless a class
label comes in as a second input. The label joins the first layer that has weights: a learned vector
for each class is added to that layer's output, before the activation. That is the function one gets
by appending the one-hot label to the layer's input (as a constant plane to an image, up to its
borders), at next to no cost.

A decoder ends in a sigmoid that is a layer of its own. The saved network thus gives images in
[0, 1], while `training_run.step.networks.logits_network` takes the logits before it, for the
losses.
"""

import math

import keras

from training_run.step.networks import one_hot_labels, seeded_initializers


def build_mlp_encoder(
    *, latent_dim=32, image_shape=(28, 28, 1), widths=(256,), num_classes=None, seed
):
    """The dense encoder: x -> mean and log-variance of q(z|x).

    The defaults are the encoder of source 003: 217,408 parameters, and 427,344 with its decoder.

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x.
        widths: units of the hidden layers, from x to z.
        num_classes: None, or the number of classes of a conditional encoder.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "encoder": (N, *image_shape) float32 -> [z_mean, z_log_var], both
        (N, latent_dim) float32; the conditional one maps [x, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("encoder", seed)
    denses = [keras.layers.Dense(width, kernel_initializer=next(initializers)) for width in widths]
    layers = [keras.layers.Flatten(), *_with_relus(denses)]
    return _assemble_encoder(layers, image_shape, latent_dim, num_classes, initializers)


def build_mlp_decoder(
    *, latent_dim=32, image_shape=(28, 28, 1), widths=(256,), num_classes=None, seed
):
    """The dense decoder: z -> x.

    The defaults are the decoder of source 003: 209,936 parameters.

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x.
        widths: units of the hidden layers, from z to x.
        num_classes: None, or the number of classes of a conditional decoder.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "decoder": (N, latent_dim) float32 -> (N, *image_shape) float32 in [0, 1];
        the conditional one maps [z, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("decoder", seed)
    denses = [keras.layers.Dense(width, kernel_initializer=next(initializers)) for width in widths]
    layers = [
        *_with_relus(denses),
        keras.layers.Dense(math.prod(image_shape), kernel_initializer=next(initializers)),
        keras.layers.Reshape(image_shape),
    ]
    return _assemble_decoder(layers, latent_dim, num_classes, initializers)


def build_conv_encoder(
    *,
    latent_dim=32,
    image_shape=(28, 28, 1),
    filters=(32, 64, 64),
    kernel_size=4,
    num_classes=None,
    seed,
):
    """The convolutional encoder: x -> convolutions of stride 2 -> mean and log-variance of q(z|x).

    Each convolution halves the sides, rounding up, so any image shape will do: three of them take
    28 to 14, 7 and 4, and 64 to 32, 16 and 8. `build_conv_decoder` goes the same way back.

    Three convolutions and a dense layer are source 002's; their sizes are ours. Of eight layouts
    tried on digits (one run of 1,400 steps each, Adam 1e-4), (32, 64, 64) with 4x4 kernels had the
    least squared error on test digits, 28.6; (32, 64, 128) with 3x3 kernels had 32.0 with 1.3 times
    the weights, and is 1.16 times as quick; (16, 32, 64) with 5x5 kernels had 32.3 and is 1.5 times
    as quick.

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x.
        filters: channels of the feature maps, from x to z.
        kernel_size: side of the kernels.
        num_classes: None, or the number of classes of a conditional encoder.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "encoder": (N, *image_shape) float32 -> [z_mean, z_log_var], both
        (N, latent_dim) float32; the conditional one maps [x, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("encoder", seed)
    convolutions = [
        keras.layers.Conv2D(
            channels,
            kernel_size,
            strides=2,
            padding="same",
            kernel_initializer=next(initializers),
        )
        for channels in filters
    ]
    layers = [*_with_relus(convolutions), keras.layers.Flatten()]
    return _assemble_encoder(layers, image_shape, latent_dim, num_classes, initializers)


def build_conv_decoder(
    *,
    latent_dim=32,
    image_shape=(28, 28, 1),
    filters=(64, 64, 32),
    kernel_size=4,
    num_classes=None,
    seed,
):
    """The convolutional decoder: z -> dense -> transposed convolutions of stride 2 -> x.

    Each transposed convolution undoes one halving of the encoder: n becomes 2n, or 2n - 1 where the
    halving had rounded up (4 becomes 7 on the way to 28).

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x.
        filters: channels of the feature maps, from z to the one before x.
        kernel_size: side of the kernels. A multiple of the stride, 2, reaches every pixel equally
            often, where 3 or 5 lay a checkerboard (Odena et al. 2016,
            distill.pub/2016/deconv-checkerboard).
        num_classes: None, or the number of classes of a conditional decoder.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "decoder": (N, latent_dim) float32 -> (N, *image_shape) float32 in [0, 1];
        the conditional one maps [z, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("decoder", seed)
    sizes = [tuple(image_shape[:2])]
    for _ in filters:
        sizes.append(tuple(math.ceil(side / 2) for side in sizes[-1]))
    sizes.reverse()
    start_shape = (*sizes[0], filters[0])
    layers = [
        keras.layers.Dense(math.prod(start_shape), kernel_initializer=next(initializers)),
        keras.layers.ReLU(),
        keras.layers.Reshape(start_shape),
    ]
    for channels, size in zip([*filters[1:], image_shape[-1]], sizes[1:], strict=True):
        layers += [*_doubling(channels, kernel_size, size, next(initializers)), keras.layers.ReLU()]
    layers.pop()  # the last ones are the logits
    return _assemble_decoder(layers, latent_dim, num_classes, initializers)


def _doubling(channels, kernel_size, size, initializer):
    """Layers that take (height, width) rounded up from half of `size` back to `size`."""
    odd_height, odd_width = (side % 2 for side in size)
    # n becomes 2 (n - 1) + kernel_size % 2 + output_padding: 2n - 1 for both sides at once, which
    # is 10% of a training step quicker than 2n and a cut. Keras cannot say 2n - 1 for one side.
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


def _with_relus(layers):
    return [part for layer in layers for part in (layer, keras.layers.ReLU())]


def _assemble_encoder(layers, image_shape, latent_dim, num_classes, initializers):
    """Chain the layers, which may end in any shape, and put the two heads on top."""
    images = keras.Input(image_shape, name="images")
    inputs, features = _chain(images, layers, num_classes, initializers)
    # float32 whatever the policy: variances and divergences need the precision.
    heads = [
        keras.layers.Dense(
            latent_dim, kernel_initializer=next(initializers), dtype="float32", name=name
        )
        for name in ("z_mean", "z_log_var")
    ]
    return keras.Model(inputs, [head(features) for head in heads], name="encoder")


def _assemble_decoder(layers, latent_dim, num_classes, initializers):
    """Chain the layers, which end in the logits of x, and put the sigmoid on top."""
    z = keras.Input((latent_dim,), name="z")
    layers = [*layers, keras.layers.Activation("sigmoid", dtype="float32", name="images")]
    if num_classes is None:
        return keras.Sequential([z, *layers], name="decoder")
    inputs, images = _chain(z, layers, num_classes, initializers)
    return keras.Model(inputs, images, name="decoder")


def _chain(x, layers, num_classes, initializers):
    """Apply the layers in turn; the label joins behind the first one that has weights."""
    if num_classes is None:
        inputs = x
        for layer in layers:
            x = layer(x)
        return inputs, x
    labels = keras.Input((), dtype="int32", name="labels")
    inputs, joined = [x, labels], False
    for layer in layers:
        x = layer(x)
        if layer.weights and not joined:
            x, joined = _add_label(x, labels, num_classes, next(initializers)), True
    return inputs, x


def _add_label(features, labels, num_classes, initializer):
    """Add a learned vector per class to features (N, ..., channels)."""
    *_, channels = features.shape
    vectors = keras.layers.Dense(channels, use_bias=False, kernel_initializer=initializer)(
        one_hot_labels(labels, num_classes)
    )
    shape = (1,) * (len(features.shape) - 2) + (channels,)
    return keras.layers.Add()([features, keras.layers.Reshape(shape)(vectors)])
