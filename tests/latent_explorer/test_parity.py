"""The page's JavaScript gives what Keras gives: every preset's networks, every layer.

It runs in node and in a browser; see `tests.browser` for what happens without them.
"""

import json
import shutil
import subprocess
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gan_mnist.build import build_discriminator, build_generator
from gan_mnist.config import GANConfig
from gan_mnist.spectral import plain_network
from latent_explorer.fold import fold_batch_normalization
from latent_explorer.page import join_modules
from latent_explorer.plan import plan_network
from latent_explorer.quantise import ByteStore, pack_plan, round_plan
from latent_explorer.reference import run_plan
from tests.browser import give_up
from training_run.config.load import find_config, load_config
from training_run.data.image_data import DataSpec
from vae_mnist.build import build_networks
from vae_mnist.config import VAEConfig

NUM, NUM_IN_BROWSER = 100, 20
"""Latents of a comparison."""

RUNNER = Path(__file__).parent / "run_network.mjs"

DIGITS, FACES = DataSpec(60_000, (28, 28, 1), 10), DataSpec(360, (64, 64, 1), 40)


def pack(plan, examples, form="float16"):
    """(description, base64, rows) of a network and of examples, a list of (N, ...) arrays, one for
    each input."""
    store = ByteStore()
    description = pack_plan(plan, form, store)
    rows = [[part[n].ravel().tolist() for part in examples] for n in range(len(examples[0]))]
    return description, store.base64(), rows


def run_in_node(folder, plan, examples, form="float16", gradient=False):
    """What the page's network gives for examples: a list of (N, numbers) arrays, one an output."""
    if not shutil.which("node"):
        give_up("node is needed (Debian: nodejs)")
    description, data, rows = pack(plan, examples, form)
    job = {"description": description, "data": data, "examples": rows, "gradient": gradient}
    (folder / "network.json").write_text(json.dumps(job))
    command = ["node", RUNNER, folder / "network.json", folder / "results.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "results.json").read_text())
    return [np.array(output, np.float32) for output in zip(*results, strict=True)]


def run_in_browser(browser, plan, examples):
    """As `run_in_node`, by the same modules in a browser."""
    script = join_modules("network") + (
        "const [description, data, examples] = arguments;"
        "const { Network } = modules.network, { decodeBase64 } = modules.weights;"
        "const network = new Network(description, decodeBase64(data));"
        "return examples.map((inputs) => network.run(inputs).map((out) => Array.from(out)));"
    )
    results = browser.execute_script(script, *pack(plan, examples))
    return [np.array(output, np.float32) for output in zip(*results, strict=True)]


def enliven(network, seed=0):
    """Give an untrained network's kernels, biases and BatchNorm statistics the spread that trained
    ones have, so that its results differ and an error would show."""
    random = np.random.default_rng(seed)
    for layer in network.layers:
        weights = []
        for variable in layer.weights:
            value = random.normal(size=variable.shape)
            if variable.name == "kernel":
                is_transposed = isinstance(layer, layers.Conv2DTranspose)
                # A pixel of a 4x4 kernel with stride 2 is reached by 4 of its places.
                fan_in = variable.shape[-1] * 4 if is_transposed else np.prod(variable.shape[:-1])
                value *= np.sqrt(1.6 / fan_in)
            elif variable.name in ("gamma", "moving_variance"):
                value = random.uniform(0.5, 1.5, variable.shape)
            else:
                value *= 0.1
            weights.append(value)
        layer.set_weights(weights)
    return network


def examples_of(network, num, seed=1):
    random = np.random.default_rng(seed)
    first = random.normal(size=(num, *network.inputs[0].shape[1:])).astype(np.float32)
    labels = [np.arange(num, dtype=np.int32) % 10] if len(network.inputs) == 2 else []
    return [first, *labels]


def outputs_of(network, examples):
    inputs = examples if len(examples) > 1 else examples[0]
    outputs = network.predict(inputs, verbose=0, batch_size=50)
    return [o.reshape(len(o), -1) for o in (outputs if isinstance(outputs, list) else [outputs])]


def networks_of(preset, conditional=False):
    """The two networks of a preset, lively: the one that draws first."""
    overrides = ["model.conditional=true"] if conditional else []
    spec = FACES if preset.endswith("faces") else DIGITS
    if preset.startswith("gan"):
        config = load_config(GANConfig, find_config(preset), overrides)
        networks = build_generator(config, spec), build_discriminator(config, spec)
        networks = map(plain_network, networks)  # as a run saves them
    else:
        config = load_config(VAEConfig, find_config(preset), overrides)
        networks = reversed(build_networks(config, spec))
    return [enliven(network) for network in networks]


def range_of(results):
    """1 for pictures from a sigmoid, 2 for those from a tanh, and what is usual for others."""
    if np.abs(results).max() > 1:
        return 4 * results.std()
    return 2 if results.min() < 0 else 1


PRESETS = [
    path.stem
    for path in sorted(Path("configs").glob("*.yaml"))
    if path.stem.startswith(("gan", "vae"))
]


@cache
def expectations(preset):
    """(plan, examples, what Keras gives) of both networks of a preset."""
    num = 10 if preset.endswith("faces") else NUM
    found = []
    for network in networks_of(preset):
        examples = examples_of(network, num)
        plan = fold_batch_normalization(plan_network(network, preset))
        found.append((plan, examples, outputs_of(network, examples)))
    return found


def check_against_keras(preset, run, num=NUM):
    for plan, examples, expected in expectations(preset):
        found = run(plan, [values[:num] for values in examples])
        for ours, keras_output in zip(found, expected, strict=True):
            assert keras_output.std() > 0.1  # there is something to be wrong about
            assert np.abs(ours - keras_output[:num]).max() < range_of(keras_output) / 255


@pytest.mark.parametrize("preset", PRESETS)
def test_float16_results_in_node_are_those_of_keras(preset, tmp_path):
    check_against_keras(preset, partial(run_in_node, tmp_path))


@pytest.mark.parametrize("preset", PRESETS)
def test_float16_results_in_a_browser_are_those_of_keras(preset, browser):
    check_against_keras(preset, partial(run_in_browser, browser), num=NUM_IN_BROWSER)


@pytest.mark.parametrize("preset", ["gan_mlp", "gan_dcgan", "vae_mlp", "vae_conv", "vae_fast"])
def test_a_class_reaches_the_networks(preset, tmp_path):
    for network in networks_of(preset, conditional=True):
        examples = examples_of(network, 10)
        expected = outputs_of(network, examples)[0]
        plan = fold_batch_normalization(plan_network(network, preset))
        found = run_in_node(tmp_path, plan, examples)[0]
        assert np.abs(found - expected).max() < range_of(expected) / 255
        other = [examples[0], (examples[1] + 1) % 10]
        assert np.abs(run_in_node(tmp_path, plan, other)[0] - expected).max() > 0.05


def chain(*parts, shape):
    return keras.Sequential([keras.Input(shape), *parts])


IMAGE = (5, 6, 3)

LAYERS = {
    "convolution, odd kernel": chain(layers.Conv2D(4, 3, padding="same"), shape=IMAGE),
    "convolution, valid, strides 2 and 1": chain(layers.Conv2D(4, (2, 3), (2, 1)), shape=IMAGE),
    "convolution, 5x5, stride 2": chain(layers.Conv2D(2, 5, 2, padding="same"), shape=IMAGE),
    "transposed, 4x4": chain(layers.Conv2DTranspose(4, 4, 2, padding="same"), shape=IMAGE),
    "transposed, 3x3": chain(layers.Conv2DTranspose(4, 3, 2, padding="same"), shape=IMAGE),
    "transposed, 5x5": chain(layers.Conv2DTranspose(2, 5, 2, padding="same"), shape=IMAGE),
    "transposed, odd": chain(
        layers.Conv2DTranspose(2, 4, 2, padding="same", output_padding=1), shape=IMAGE
    ),
    "transposed, valid": chain(layers.Conv2DTranspose(2, 3, 2), shape=IMAGE),
    "batch norm, then convolution": chain(
        layers.BatchNormalization(), layers.Conv2D(2, 3, padding="same"), shape=IMAGE
    ),
    "batch norm in all places": chain(
        layers.Conv2D(4, 3, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(0.1),
        layers.Flatten(), layers.BatchNormalization(), layers.Dense(6, activation="tanh"),
        layers.BatchNormalization(), layers.Dense(12), layers.Reshape((2, 2, 3)),
        layers.BatchNormalization(), layers.Dropout(0.5), layers.BatchNormalization(),
        shape=IMAGE,
    ),
    "sizes": chain(
        layers.UpSampling2D((2, 3)), layers.Cropping2D(((1, 2), (0, 3))),
        layers.ZeroPadding2D(((0, 1), (2, 1))), layers.AveragePooling2D(2), shape=IMAGE,
    ),
    "softmax": chain(
        layers.Dense(8, activation="softmax"), layers.Rescaling(3.0, 0.5), layers.Dense(3),
        layers.Activation("softmax"), shape=(5,),
    ),
    **{
        f"activation {name}": chain(layers.Dense(8), layers.Activation(name), shape=(5,))
        for name in ("relu", "tanh", "sigmoid", "softplus", "silu", "elu")
    },
}  # fmt: skip


def two_branches():
    image = keras.Input(IMAGE)
    a = layers.Conv2D(4, 3, padding="same")(image)
    b = layers.Conv2D(2, 3, padding="same")(image)
    gated = keras.ops.glu(a)
    joined = layers.Concatenate()([layers.Multiply()([gated, b]), layers.Add()([b, gated]), a])
    left, right = layers.Dense(7)(layers.Flatten()(joined)), layers.Dense(7)(layers.Flatten()(b))
    return keras.Model(image, layers.Dot(axes=1)([left, right]))


@pytest.mark.parametrize("name", [*LAYERS, "two branches"])
def test_each_layer_and_its_gradient_are_those_of_keras(name, tmp_path):
    network = enliven(LAYERS[name] if name in LAYERS else two_branches())
    examples = examples_of(network, 3)
    plan = fold_batch_normalization(plan_network(network, name))
    half = round_plan(plan, "float16")
    (expected,) = outputs_of(network, examples)
    (exact,) = run_plan(plan, examples)
    np.testing.assert_allclose(exact.reshape(3, -1), expected, atol=1e-5)
    (rounded,) = run_plan(half, examples)
    (found,) = run_in_node(tmp_path, plan, examples)
    np.testing.assert_allclose(found, rounded.reshape(3, -1), atol=1e-5)
    (slope,) = run_in_node(tmp_path, plan, examples, gradient=True)
    np.testing.assert_allclose(slope, gradient_in_keras(network, examples[0]), atol=5e-3)


def gradient_in_keras(network, images):
    """Gradient of the first output number with respect to each image, (N, pixels)."""
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        first = tf.reshape(network(images, training=False), (len(images), -1))[:, 0]
    return tape.gradient(first, images).numpy().reshape(len(images), -1)


def test_eight_bits_in_the_page_are_those_that_were_measured(tmp_path):
    (network, _) = networks_of("gan_fast")
    plan, examples = fold_batch_normalization(plan_network(network, "x")), examples_of(network, 5)
    (expected,) = run_plan(round_plan(plan, "int8"), examples)
    (found,) = run_in_node(tmp_path, plan, examples, form="int8")
    np.testing.assert_allclose(found, expected.reshape(5, -1), atol=1e-4)
