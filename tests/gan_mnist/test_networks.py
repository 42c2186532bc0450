import subprocess
import sys
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.losses import get_loss
from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from gan_mnist.networks_conv import build_conv_discriminator, build_conv_generator, start_size
from gan_mnist.spectral import SpectralNormalization, plain_network
from training_run.step.precision import computing_in

SMALL = {"image_shape": (8, 8, 1), "seed": 5}
SPECTRAL = {"wrap": SpectralNormalization}
GENERATORS = {
    "mlp": partial(build_mlp_generator, latent_dim=6, widths=(16, 12), **SMALL),
    "mlp_modes": partial(build_mlp_generator, latent_dim=6, widths=(16,), num_modes=4, **SMALL),
    "conv": partial(build_conv_generator, latent_dim=6, filters=(8, 4), **SMALL),
    "conv_hidden": partial(
        build_conv_generator, latent_dim=6, widths=(7,), filters=(8, 4), **SMALL
    ),
}
DISCRIMINATORS = {
    "mlp": partial(build_mlp_discriminator, widths=(16, 12), **SMALL),
    "conv": partial(build_conv_discriminator, filters=(4, 8), **SMALL),
    "mlp_spectral": partial(build_mlp_discriminator, widths=(16, 12), **SPECTRAL, **SMALL),
    "conv_spectral": partial(build_conv_discriminator, filters=(4, 8), **SPECTRAL, **SMALL),
    "conv_hidden": partial(build_conv_discriminator, filters=(4, 8), widths=(7,), **SMALL),
    "conv_dropout": partial(build_conv_discriminator, filters=(4, 8), dropout=0.5, **SMALL),
    "conv_norm": partial(
        build_conv_discriminator, filters=(4, 8), batch_norm_momentum=0.8, **SMALL
    ),
}
BUILDERS = {f"{name}_generator": build for name, build in GENERATORS.items()} | {
    f"{name}_discriminator": build for name, build in DISCRIMINATORS.items()
}
every_builder = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS.keys())
every_form = pytest.mark.parametrize("num_classes", [None, 3], ids=["plain", "conditional"])


def num_trainable(network):
    return sum(weight.shape.num_elements() for weight in network.trainable_variables)


def weights_of(network):
    return [keras.ops.convert_to_numpy(weight) for weight in network.weights]


def example_inputs(network, num=4):
    rng = np.random.default_rng(0)
    first = rng.uniform(-1, 1, (num, *network.inputs[0].shape[1:])).astype(np.float32)
    return first if len(network.inputs) == 1 else [first, np.arange(num, dtype=np.int32) % 3]


def leaky_relu(x):
    return np.where(x > 0, x, 0.2 * x)


def test_the_networks_of_source_001_have_its_parameter_counts():
    generator, discriminator = build_mlp_generator(seed=0), build_mlp_discriminator(seed=0)
    assert generator.count_params() == 1_493_520
    assert num_trainable(generator) == 1_489_936
    dense = [layer.count_params() for layer in generator.layers if "dense" in layer.name]
    assert dense == [25_856, 131_584, 525_312, 803_600]
    assert discriminator.count_params() == num_trainable(discriminator) == 533_505


def test_the_networks_of_source_000_have_its_parameter_count():
    generator = build_mlp_generator(batch_norm_momentum=None, seed=0)
    discriminator = build_mlp_discriminator(widths=(1024, 512, 256), seed=0)
    assert generator.count_params() + discriminator.count_params() == 2_946_577


def test_the_default_convolutional_networks_have_the_parameters_of_their_layers():
    generator, discriminator = build_conv_generator(seed=0), build_conv_discriminator(seed=0)
    weights = 100 * 7 * 7 * 64 + 4 * 4 * 64 * 32 + 4 * 4 * 32 * 1 + 1
    assert num_trainable(generator) == weights + 2 * 64 + 2 * 32
    assert num_trainable(discriminator) == (
        (4 * 4 * 1 * 32 + 32) + (4 * 4 * 32 * 64 + 64) + (7 * 7 * 64 + 1)
    )


def test_dense_hidden_layers_stand_between_the_latents_and_the_maps_and_after_them():
    generator = build_conv_generator(widths=(512,), filters=(32, 16), seed=0)
    weights = 100 * 512 + 512 * 7 * 7 * 32 + 4 * 4 * 32 * 16 + 4 * 4 * 16 * 1 + 1
    assert num_trainable(generator) == weights + 2 * 512 + 2 * 32 + 2 * 16
    discriminator = build_conv_discriminator(filters=(16, 32), widths=(256,), seed=0)
    assert num_trainable(discriminator) == (
        (4 * 4 * 1 * 16 + 16) + (4 * 4 * 16 * 32 + 32) + (7 * 7 * 32 + 1) * 256 + (256 + 1)
    )


def test_a_latent_is_joined_with_its_mode():
    generator = build_mlp_generator(
        image_shape=(2, 2, 1), latent_dim=6, widths=(), num_modes=3, num_classes=2, seed=1
    )
    (mode,) = (layer for layer in generator.layers if layer.name == "mode")
    label, last = (
        layer for layer in generator.layers if "dense" in layer.name and layer is not mode
    )
    z, labels = example_inputs(generator, 2)
    logits = z @ np.array(mode.kernel) + np.array(mode.bias)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    joined = [z, np.array(label.kernel)[labels], 6**0.5 * shares]
    expected = np.tanh(np.concatenate(joined, axis=1) @ np.array(last.kernel))
    np.testing.assert_allclose(np.array(generator([z, labels])).reshape(2, 4), expected, atol=1e-5)


def test_modes_cost_a_layer_and_are_nearly_one_hot_from_the_start():
    plain, generator = (
        build_conv_generator(widths=(512,), filters=(32, 16), num_modes=num_modes, seed=0)
        for num_modes in (None, 32)
    )
    to_mode, from_mode = 100 * 32 + 32, 32 * 512
    assert num_trainable(generator) - num_trainable(plain) == to_mode + from_mode
    z = np.random.default_rng(0).normal(size=(2_000, 100)).astype(np.float32)
    shares = np.array(generator.get_layer("mode")(z))
    assert (shares.max(axis=1) > 0.9).mean() > 0.5
    assert np.bincount(shares.argmax(axis=1), minlength=32).min() > 20


def test_slope_and_momentum_arrive():
    generator = build_mlp_generator(batch_norm_momentum=0.7, leaky_slope=0.1, seed=0)
    assert [layer.momentum for layer in generator.layers if hasattr(layer, "momentum")] == [0.7] * 3
    slopes = [
        layer.negative_slope for layer in generator.layers if hasattr(layer, "negative_slope")
    ]
    assert slopes == [0.1] * 3


@every_builder
def test_a_plain_network_is_a_named_sequential_and_a_conditional_one_functional(build):
    assert isinstance(build(), keras.Sequential) == ("num_modes" not in build.keywords)
    conditional = build(num_classes=3)
    assert not isinstance(conditional, keras.Sequential)
    assert conditional.inputs[1].dtype == "int32" and conditional.inputs[1].shape == (None,)
    assert conditional.get_layer("labels_one_hot").num_tokens == 3
    assert build().name == conditional.name == build.func.__name__.rsplit("_", 1)[-1]


def test_a_label_starts_half_as_long_as_the_noise():
    generator = build_mlp_generator(widths=(8,), num_classes=10, seed=0)
    (embedding,) = [weight for weight in weights_of(generator) if weight.shape == (10, 100)]
    lengths = np.linalg.norm(embedding, axis=1)  # that of the noise is about sqrt(100)
    np.testing.assert_allclose(lengths, 5, atol=1.2)


@every_form
@pytest.mark.parametrize("build", GENERATORS.values(), ids=GENERATORS.keys())
@pytest.mark.parametrize(
    ("activation", "low", "high"), [("tanh", -1, 1), ("sigmoid", 0, 1)], ids=["tanh", "sigmoid"]
)
def test_a_generator_makes_images_in_its_range(build, num_classes, activation, low, high):
    generator = build(num_classes=num_classes, output_activation=activation)
    inputs = example_inputs(generator)
    z = 100 * inputs if num_classes is None else [100 * inputs[0], inputs[1]]
    images = np.array(generator(z))
    assert images.shape == (4, 8, 8, 1) and images.dtype == np.float32
    assert low <= images.min() < low + 0.1 and high - 0.1 < images.max() <= high


@every_form
@pytest.mark.parametrize("build", DISCRIMINATORS.values(), ids=DISCRIMINATORS.keys())
def test_a_discriminator_gives_one_logit_an_image(build, num_classes):
    discriminator = build(num_classes=num_classes)
    inputs = example_inputs(discriminator)
    assert discriminator(inputs).shape == (4, 1)
    # Unsquashed: a hundred times the image gives logits no sigmoid could.
    inputs = 1000 * inputs if num_classes is None else [1000 * inputs[0], inputs[1]]
    assert np.abs(np.array(discriminator(inputs))).max() > 1.0


def test_the_dense_discriminator_computes_what_it_should():
    discriminator = build_mlp_discriminator(image_shape=(3, 2, 1), widths=(5, 4), seed=2)
    discriminator.set_weights([w + 0.1 for w in discriminator.get_weights()])
    x = example_inputs(discriminator)
    w1, b1, w2, b2, w3, b3 = discriminator.get_weights()
    h = leaky_relu(leaky_relu(x.reshape(4, 6) @ w1 + b1) @ w2 + b2)
    np.testing.assert_allclose(discriminator(x), h @ w3 + b3, atol=1e-6)


def test_the_dense_generator_computes_what_it_should():
    generator = build_mlp_generator(latent_dim=3, image_shape=(2, 2, 1), widths=(5,), seed=2)
    z = example_inputs(generator)
    w1, b1, gamma, beta, mean, variance, w2, b2 = generator.get_weights()
    assert (gamma == 1).all() and (beta == 0).all() and (mean == 0).all() and (variance == 1).all()
    h = leaky_relu(z @ w1 + b1) / np.sqrt(1 + 1e-3)  # Keras's epsilon
    np.testing.assert_allclose(generator(z), np.tanh(h @ w2 + b2).reshape(4, 2, 2, 1), atol=1e-6)


def test_the_conditional_logit_is_the_plain_one_plus_a_projection():
    discriminator = build_mlp_discriminator(
        image_shape=(3, 2, 1), widths=(5,), num_classes=3, seed=2
    )
    x, labels = example_inputs(discriminator)
    weights = {tuple(w.shape): w for w in discriminator.get_weights()}
    h = leaky_relu(x.reshape(4, 6) @ weights[6, 5])  # all biases are zero at the start
    expected = h @ weights[5, 1] + (h * weights[3, 5][labels]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(discriminator([x, labels]), expected, atol=1e-6)


@pytest.mark.parametrize("build", GENERATORS.values(), ids=GENERATORS.keys())
def test_the_label_weighs_from_the_start_and_less_than_the_noise(build):
    generator = build(num_classes=3)
    z = tf.random.stateless_normal((300, 6), [1, 2])
    base = np.array(generator([z, tf.zeros(300, tf.int32)]))
    other_label = np.array(generator([z, tf.ones(300, tf.int32)]))
    other_noise = np.array(generator([tf.reverse(z, [0]), tf.zeros(300, tf.int32)]))
    ratio = np.abs(other_label - base).mean() / np.abs(other_noise - base).mean()
    assert 0.2 < ratio < 1.2


@every_form
@every_builder
def test_weights_follow_from_the_seed_alone(build, num_classes):
    keras.utils.set_random_seed(1)
    first = weights_of(build(num_classes=num_classes))
    keras.utils.set_random_seed(2)
    again = weights_of(build(num_classes=num_classes))
    other = weights_of(build(num_classes=num_classes, seed=6))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(first, other, strict=True):
        assert np.ptp(one) == 0 or (one != two).mean() > 0.99


@every_form
@every_builder
def test_no_two_weights_share_their_draws(build, num_classes):
    starts = [w.ravel()[:3] for w in weights_of(build(num_classes=num_classes)) if np.ptp(w) > 0]
    scaled = {tuple(np.round(start / np.abs(start).max(), 4)) for start in starts}
    assert len(scaled) == len(starts) >= 3


def test_generator_and_discriminator_of_one_seed_share_no_draws():
    generator = build_mlp_generator(latent_dim=64, widths=(16,), **SMALL)
    discriminator = build_mlp_discriminator(widths=(16,), **SMALL)
    one, two = generator.get_weights()[0], discriminator.get_weights()[0]
    assert one.shape == two.shape
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.1


def test_kernels_start_from_glorots_uniform_distribution():
    kernel = build_mlp_discriminator(seed=0).get_weights()[0]
    limit = np.sqrt(6 / (784 + 512))
    assert 0.999 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < 1e-3 * limit * 5
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=5e-3)


@pytest.mark.parametrize(
    ("image_shape", "filters", "start"),
    [
        ((28, 28, 1), (6, 4), (7, 7)),
        ((64, 64, 1), (8, 6, 4), (8, 8)),
        ((64, 64, 3), (8, 6, 4, 2), (4, 4)),
        ((12, 20, 3), (6, 4), (3, 5)),
    ],
)
def test_convolutional_networks_double_and_halve_any_image_shape(image_shape, filters, start):
    generator = build_conv_generator(latent_dim=5, image_shape=image_shape, filters=filters, seed=0)
    maps = [layer.output.shape[1:] for layer in generator.layers if "conv" in layer.name]
    assert generator.get_layer(index=1).output.shape[1:] == (*start, filters[0])
    expected = [(start[0] * 2**k, start[1] * 2**k) for k in range(1, len(filters) + 1)]
    assert [shape[:2] for shape in maps] == expected
    assert [shape[2] for shape in maps] == [*filters[1:], image_shape[2]]
    assert generator(tf.zeros((2, 5))).shape == (2, *image_shape)

    discriminator = build_conv_discriminator(image_shape=image_shape, filters=filters[::-1], seed=0)
    maps = [layer.output.shape[1:] for layer in discriminator.layers if "conv" in layer.name]
    assert maps[-1] == (*start, filters[0]) and len(maps) == len(filters)
    assert discriminator(tf.zeros((2, *image_shape))).shape == (2, 1)


def test_a_side_that_cannot_be_halved_is_refused():
    assert start_size((28, 28, 1), 2) == (7, 7)
    with pytest.raises(ValueError, match=r"3 filters need .* multiples of 8. Received: 28x28"):
        build_conv_generator(filters=(8, 4, 2), seed=0)
    with pytest.raises(ValueError, match=r"3 filters need .* multiples of 8. Received: 28x28"):
        build_conv_discriminator(filters=(2, 4, 8), seed=0)
    with pytest.raises(ValueError, match="Received: 30x28"):
        start_size((30, 28, 1), 2)


def test_batch_normalisation_is_where_it_is_asked_for_and_brings_the_bias():
    def names(network):
        return [layer.name.rsplit("_", 1)[0] for layer in network.layers if "batch" in layer.name]

    assert len(names(build_conv_generator(seed=0))) == 2
    without = build_conv_generator(batch_norm_momentum=None, seed=0)
    assert names(without) == []
    assert [layer.use_bias for layer in without.layers if hasattr(layer, "kernel")] == [True] * 3
    assert names(build_mlp_discriminator(seed=0)) == names(build_conv_discriminator(seed=0)) == []
    assert len(names(build_mlp_discriminator(batch_norm_momentum=0.8, seed=0))) == 2
    # The first convolution of a discriminator is never normalised.
    assert len(names(build_conv_discriminator(batch_norm_momentum=0.8, seed=0))) == 1


@pytest.mark.parametrize("loss", ["hinge", "wasserstein"])
@pytest.mark.parametrize("widths", [(16,), (16, 12)], ids=str)
def test_losses_linear_in_the_logit_have_a_gradient_with_batch_norm(loss, widths):
    """Right before the logit, BatchNorm would make the batch's mean logit constant."""
    discriminator = build_mlp_discriminator(widths=widths, batch_norm_momentum=0.8, **SMALL)
    real, fake = example_inputs(discriminator, 32), -0.3 * example_inputs(discriminator, 32) ** 2
    fake, game = tf.constant(fake), get_loss(loss)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        real_logits, fake_logits = (discriminator(x, training=True) for x in (real, fake))
        d_loss = game.discriminator(real_logits, fake_logits)
        g_loss = game.generator(fake_logits)
    weights = discriminator.trainable_variables
    assert float(tf.linalg.global_norm(tape.gradient(d_loss, weights))) > 0.1
    assert float(tf.norm(tape.gradient(g_loss, fake))) > 1e-2


def test_dropout_works_in_training_only():
    discriminator = DISCRIMINATORS["conv_dropout"]()
    x = example_inputs(discriminator)
    np.testing.assert_array_equal(discriminator(x), discriminator(x))
    assert not np.array_equal(discriminator(x, training=True), discriminator(x, training=True))
    again = DISCRIMINATORS["conv_dropout"]()
    fresh = DISCRIMINATORS["conv_dropout"]()
    np.testing.assert_array_equal(again(x, training=True), fresh(x, training=True))


def inputs_of(network):
    return network.inputs[0] if len(network.inputs) == 1 else network.inputs


def share_rounded(values):
    """Share of the values that bfloat16 holds exactly."""
    values = np.asarray(values, np.float32)
    return np.mean(values == np.array(tf.cast(tf.cast(values, tf.bfloat16), tf.float32)))


@every_form
@pytest.mark.parametrize("build", GENERATORS.values(), ids=GENERATORS.keys())
def test_mixed_precision_rounds_the_layers_of_a_generator_but_not_its_images(build, num_classes):
    with computing_in("mixed_bfloat16"):
        generator = build(num_classes=num_classes)
    before = keras.Model(inputs_of(generator), generator.layers[-1].input)
    inputs = example_inputs(generator)
    assert share_rounded(before(inputs)) == 1.0
    assert share_rounded(generator(inputs)) < 0.2
    assert {weight.dtype for weight in generator.trainable_variables} == {"float32"}


@every_form
@pytest.mark.parametrize("build", DISCRIMINATORS.values(), ids=DISCRIMINATORS.keys())
def test_mixed_precision_rounds_the_features_but_no_part_of_the_logit(build, num_classes):
    with computing_in("mixed_bfloat16"):
        discriminator = build(num_classes=num_classes)
    # Of a plain network the last layer makes the logit; of a conditional one to_logit does,
    # together with the embedding and the product.
    kinds = (keras.layers.Dense, keras.layers.SpectralNormalization)
    to_logit = next(
        layer
        for layer in discriminator.layers[::-1]
        if isinstance(layer, kinds) and layer.output.shape[-1] == 1
    )
    features_of = keras.Model(inputs_of(discriminator), to_logit.input)
    inputs = example_inputs(discriminator)
    features = np.array(tf.cast(features_of(inputs), tf.float32))
    assert share_rounded(features) == 1.0
    width = features.shape[-1]
    by_shape = {weight.shape: weight for weight in plain_network(discriminator).get_weights()}
    logits = features @ by_shape[width, 1] + by_shape[1,]
    if num_classes is not None:
        embedded = by_shape[num_classes, width][inputs[1]]
        logits += (features * embedded).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(discriminator(inputs), logits, rtol=1e-5, atol=1e-6)
    assert {weight.dtype for weight in discriminator.trainable_variables} == {"float32"}


def test_saved_networks_load_without_this_package_and_give_the_same(tmp_path):
    for index, (name, build) in enumerate(BUILDERS.items()):
        network = build(num_classes=(None, 3)[index % 2])
        inputs = example_inputs(network)
        network(inputs, training=True)  # so that moving statistics have moved
        network = plain_network(network)
        network.save(tmp_path / f"{name}.keras")
        named = inputs if isinstance(inputs, list) else [inputs]
        np.savez(tmp_path / f"{name}.npz", *named, output=np.array(network(inputs)))
    script = """
import glob, sys
sys.path = [path for path in sys.path if path not in ("", ".")]
import keras, numpy as np
for path in sorted(glob.glob("*.keras")):
    arrays = dict(np.load(path.replace(".keras", ".npz")))
    expected = arrays.pop("output")
    inputs = list(arrays.values())
    output = np.array(keras.saving.load_model(path)(inputs if len(inputs) > 1 else inputs[0]))
    assert np.array_equal(output, expected), (path, np.abs(output - expected).max())
    print(path)
assert not [name for name in sys.modules if name.startswith(("gan_mnist", "training_run"))]
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == len(BUILDERS)
