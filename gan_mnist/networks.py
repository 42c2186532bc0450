"""The dense generator and discriminator, and what the builders of all networks share.

Builders are pure: arguments in, an uncompiled named network out. The same arguments give the same
weights, bit for bit. Networks have Keras's own layers only, so `keras.saving.load_model` needs none
of this code (`gan_mnist.spectral` brings spectrally normalised ones to that form). They are
`Sequential` where the graph is a chain, and functional where the class label
is a second input or latents have modes.
"""

import math

import keras

from training_run.step.networks import one_hot_labels, seeded_initializers

SHARPNESS = 10.0
"""Standard deviation of the logits that decide on a latent's mode, before training."""


def build_mlp_generator(
    *,
    latent_dim=100,
    image_shape=(28, 28, 1),
    widths=(256, 512, 1024),
    batch_norm_momentum=0.8,
    leaky_slope=0.2,
    output_activation="tanh",
    num_modes=None,
    num_classes=None,
    seed,
):
    """The dense generator: z to x.

    The defaults are the generator of source 001: 1,493,520 parameters, 1,489,936 of them trainable.
    Without batch normalisation it is that of source 000.

    Args:
        latent_dim: length of z.
        image_shape: (height, width, channels) of x.
        widths: units of the hidden layers, from z to x.
        batch_norm_momentum: momentum of the running statistics, or None for no normalisation.
        leaky_slope: slope of LeakyReLU below zero.
        output_activation: name of a Keras activation; it sets the range of x (tanh: [-1, 1]).
        num_modes: None, or the number of modes that z is sorted into; see `mode_of`.
        num_classes: None, or the number of classes of a conditional generator.
        seed: non-negative int; all initial weights follow from it.

    Returns:
        A network named "generator": (N, latent_dim) float32 to (N, *image_shape) float32; the
        conditional one maps [z, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("generator", seed)
    layers = []
    for width in widths:
        layers += [
            keras.layers.Dense(width, kernel_initializer=next(initializers)),
            keras.layers.LeakyReLU(negative_slope=leaky_slope),
            *batch_normalization(batch_norm_momentum),
        ]
    layers += [
        keras.layers.Dense(math.prod(image_shape), kernel_initializer=next(initializers)),
        keras.layers.Reshape(image_shape),
        # float32 under any policy: bfloat16 rounds tanh(3.5) to 1, where its slope is 0.
        keras.layers.Activation(output_activation, dtype="float32"),
    ]
    return assemble_generator(layers, latent_dim, num_modes, num_classes, initializers)


def build_mlp_discriminator(
    *,
    image_shape=(28, 28, 1),
    widths=(512, 256),
    batch_norm_momentum=None,
    leaky_slope=0.2,
    num_classes=None,
    wrap=lambda layer: layer,
    seed,
):
    """The dense discriminator: x to logits.

    The defaults are the discriminator of source 001 (533,505 parameters); widths (1024, 512, 256)
    are that of source 000. The sources end in a sigmoid; here the losses take logits, which stay
    exact where a probability would round to 0 or 1.

    Args:
        widths: units of the hidden layers, from x to the logit.
        batch_norm_momentum: momentum of the running statistics, or None for no normalisation. It
            comes before each activation, as in the DCGAN paper. Right before the logit it would
            make the batch's mean logit a constant, so that losses linear in it have no gradient.
        wrap: layer to layer, applied to every layer that has a kernel, such as
            `gan_mnist.spectral.SpectralNormalization`.
        image_shape, leaky_slope, num_classes, seed: as for `build_mlp_generator`.

    Returns:
        A network named "discriminator": (N, *image_shape) float32 to (N, 1) float32; the
        conditional one maps [x, labels], with labels (N,) int32.
    """
    initializers = seeded_initializers("discriminator", seed)
    layers = [
        keras.layers.Flatten(),
        *hidden_dense_layers(widths, initializers, leaky_slope, batch_norm_momentum, wrap),
    ]
    return assemble_discriminator(layers, image_shape, num_classes, wrap, initializers)


def hidden_dense_layers(
    widths, initializers, leaky_slope, batch_norm_momentum=None, wrap=lambda layer: layer
):
    """A discriminator's Dense, BatchNorm (if it has a momentum) and LeakyReLU for each width."""
    layers = []
    for width in widths:
        layers += [
            wrap(keras.layers.Dense(width, kernel_initializer=next(initializers))),
            *batch_normalization(batch_norm_momentum),
            keras.layers.LeakyReLU(negative_slope=leaky_slope),
        ]
    return layers


def batch_normalization(momentum):
    """A BatchNorm layer in a list; an empty list without a momentum."""
    return [] if momentum is None else [keras.layers.BatchNormalization(momentum=momentum)]


def assemble_generator(layers, latent_dim, num_modes, num_classes, initializers):
    """Chain the layers behind z, or behind z joined with its mode and an embedding of the label.

    The embedding starts as normal vectors half as long as z. So the label weighs from the first
    step on, and less than the noise: with vectors as long as z, a class has less variety.

    Source of the conditional form: Mirza & Osindero 2014, arXiv:1411.1784, section 3.2.
    """
    z = keras.Input((latent_dim,), name="z")
    if num_modes is None and num_classes is None:
        return keras.Sequential([z, *layers], name="generator")
    inputs, joined = [z], [z]
    if num_classes is not None:
        inputs.append(keras.Input((), dtype="int32", name="labels"))
        normal = keras.initializers.RandomNormal(stddev=0.5, seed=next(initializers).seed)
        embedding = keras.layers.Dense(latent_dim, use_bias=False, kernel_initializer=normal)
        joined.append(embedding(one_hot_labels(inputs[1], num_classes)))
    if num_modes is not None:
        joined.append(mode_of(z, num_modes, initializers))
    x = keras.layers.Concatenate()(joined)
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs if num_classes else z, x, name="generator")


def mode_of(z, num_modes, initializers):
    """The mode of z, nearly one-hot and about as long as z: sqrt(latent_dim) softmax(W z + b).

    A continuous generator maps the connected space of latents to digits, which lie apart. So some
    latents give an image between two digits, which is none. The softmax divides the latents into
    regions with sharp borders, where the generator can jump. W and b are learned; the logits start
    with a standard deviation of `SHARPNESS`.

    Returns:
        (N, num_modes) float32, 0 or more.

    Source of the problem, and of generators of several parts against it: Khayatkhoei et al. 2018,
    arXiv:1806.00880; Tanielian et al. 2020, arXiv:2006.04596.
    """
    length = z.shape[-1] ** 0.5
    seed = next(initializers).seed
    normal = keras.initializers.RandomNormal(stddev=SHARPNESS / length, seed=seed)
    to_mode = keras.layers.Dense(  # float32: bfloat16 rounds a logit of 20 by up to 0.06
        num_modes, activation="softmax", kernel_initializer=normal, dtype="float32", name="mode"
    )
    return keras.layers.Rescaling(length)(to_mode(z))


def assemble_discriminator(layers, image_shape, num_classes, wrap, initializers):
    """Chain the layers, which end in (N, features), and put the logit on top.

    The conditional logit is the plain one plus the inner product of the features with an embedding
    of the label: the projection discriminator, Miyato & Koyama 2018, arXiv:1802.05637, section 3.

    All of the logit is float32 under any policy, since the losses need its full precision. These
    layers cast the features.
    """
    x = keras.Input(image_shape, name="images")
    to_logit = wrap(keras.layers.Dense(1, kernel_initializer=next(initializers), dtype="float32"))
    if num_classes is None:
        network = keras.Sequential([x, *layers, to_logit], name="discriminator")
        return seed_power_iterations(network, initializers)
    labels = keras.Input((), dtype="int32", name="labels")
    features = x
    for layer in layers:
        features = layer(features)
    embedding = wrap(
        keras.layers.Dense(
            features.shape[-1],
            use_bias=False,
            kernel_initializer=next(initializers),
            dtype="float32",
        )
    )
    projection = keras.layers.Dot(axes=1, dtype="float32")(
        [features, embedding(one_hot_labels(labels, num_classes))]
    )
    logits = keras.layers.Add(dtype="float32")([to_logit(features), projection])
    network = keras.Model([x, labels], logits, name="discriminator")
    return seed_power_iterations(network, initializers)


def seed_power_iterations(network, initializers):
    """Redraw the start vectors of spectral normalisation, which Keras draws without a seed."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            normal = keras.initializers.TruncatedNormal(stddev=0.02, seed=next(initializers).seed)
            layer.vector_u.assign(normal(layer.vector_u.shape))
    return network
