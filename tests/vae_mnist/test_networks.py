import subprocess
import sys

import keras
import numpy as np
import pytest

from training_run.step.networks import logits_network
from vae_mnist.networks import (
    build_conv_decoder,
    build_conv_encoder,
    build_mlp_decoder,
    build_mlp_encoder,
)

BUILDERS = {
    "mlp": (build_mlp_encoder, build_mlp_decoder),
    "conv": (build_conv_encoder, build_conv_decoder),
}
SHAPES = [(28, 28, 1), (64, 64, 1), (64, 64, 3), (27, 30, 3), (9, 8, 1)]


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def uniform(*shape):
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


def test_the_dense_networks_are_those_of_source_003_to_the_digit():
    encoder, decoder = build_mlp_encoder(seed=0), build_mlp_decoder(seed=0)
    counts = {layer.name: layer.count_params() for layer in encoder.layers}
    assert [count for count in counts.values() if count] == [200_960, 8_224, 8_224]
    assert counts["z_mean"] == counts["z_log_var"] == 8_224
    counts = [layer.count_params() for layer in decoder.layers]
    assert [count for count in counts if count] == [8_448, 201_488]
    assert encoder.count_params() + decoder.count_params() == 427_344


@pytest.mark.parametrize("activation", ["relu", "tanh", "gated"])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_activations_of_dense_networks_by_hand(activation, num_classes):
    function = {
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "gated": lambda x: x[:, :5] / (1 + np.exp(-x[:, 5:])),
    }[activation]
    decoder = build_mlp_decoder(
        latent_dim=2, widths=(5,), activation=activation, num_classes=num_classes, seed=3
    )
    layers = [layer for layer in decoder.layers if isinstance(layer, keras.layers.Dense)]
    units = {layer.units: layer for layer in layers if layer.use_bias}
    hidden, last = units[10 if activation == "gated" else 5], units[784]
    z, labels, inputs = normal(4, 2), np.array([0, 1, 2, 2], np.int32), hidden(normal(4, 2))
    if num_classes:
        (vectors,) = next(layer for layer in layers if not layer.use_bias).get_weights()
        inputs = inputs + vectors[labels]
    expected = last(function(np.asarray(inputs)))
    images = decoder(z if num_classes is None else [z, labels])
    np.testing.assert_allclose(
        np.reshape(images, (4, -1)), 1 / (1 + np.exp(-np.asarray(expected))), atol=1e-6
    )
    assert isinstance(decoder, keras.Sequential) == (num_classes is None and activation != "gated")


def test_the_gated_networks_are_those_of_the_vamp_prior():
    encoder = build_mlp_encoder(latent_dim=40, widths=(300, 300), activation="gated", seed=0)
    # two dense layers of 300 units to each gated one, and two heads
    assert encoder.count_params() == 2 * (785 * 300 + 301 * 300 + 301 * 40)


def test_the_convolutional_networks_have_the_layers_of_source_002():
    encoder, decoder = build_conv_encoder(seed=0), build_conv_decoder(seed=0)
    weighted = [type(layer).__name__ for layer in encoder.layers if layer.weights]
    assert weighted == ["Conv2D"] * 3 + ["Dense"] * 2
    weighted = [type(layer).__name__ for layer in decoder.layers if layer.weights]
    assert weighted == ["Dense"] + ["Conv2DTranspose"] * 3
    # 4x4 kernels: 16 * (1 * 32) + 32, 16 * 32 * 64 + 64, 16 * 64 * 64 + 64, two of 1024 * 32 + 32
    assert encoder.count_params() == 544 + 32_832 + 65_600 + 2 * 32_800
    # 32 * 1024 + 1024, 16 * 64 * 64 + 64, 16 * 64 * 32 + 32, 16 * 32 * 1 + 1
    assert decoder.count_params() == 33_792 + 65_600 + 32_800 + 513


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("num_classes", [None, 4])
def test_shapes_and_ranges(kind, shape, num_classes):
    build_encoder, build_decoder = BUILDERS[kind]
    kwargs = {"latent_dim": 3, "image_shape": shape, "num_classes": num_classes, "seed": 1}
    encoder, decoder = build_encoder(**kwargs), build_decoder(**kwargs)
    labels = np.array([0, 3], np.int32)
    x, z = uniform(2, *shape), 100 * normal(2, 3)
    z_mean, z_log_var = encoder(x if num_classes is None else [x, labels])
    images = np.asarray(decoder(z if num_classes is None else [z, labels]))
    assert z_mean.shape == z_log_var.shape == (2, 3)
    assert images.shape == (2, *shape)
    assert 0.0 <= images.min() < 0.5 < images.max() <= 1.0
    assert (encoder.name, decoder.name) == ("encoder", "decoder")
    assert isinstance(decoder, keras.Sequential) == (num_classes is None)


@pytest.mark.parametrize("kind", BUILDERS)
def test_every_pixel_depends_on_the_code(kind):
    shape = (27, 30, 3)
    decoder = BUILDERS[kind][1](latent_dim=8, image_shape=shape, seed=1)
    images = np.asarray(decoder(normal(20, 8)))
    assert (images.std(axis=0) > 0).all()


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(kind):
    for build in BUILDERS[kind]:
        one, two, other = build(seed=5), build(seed=5), build(seed=6)
        for first, second in zip(one.get_weights(), two.get_weights(), strict=True):
            assert np.array_equal(first, second)
        kernels = [
            (a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True) if a.any()
        ]
        assert kernels
        assert not any(np.array_equal(a, b) for a, b in kernels)


def test_the_two_heads_start_out_different():
    encoder = build_mlp_encoder(seed=5)
    mean, log_var = (encoder.get_layer(name).get_weights()[0] for name in ("z_mean", "z_log_var"))
    assert not np.array_equal(mean, log_var)


@pytest.mark.parametrize("kind", BUILDERS)
def test_labels_change_what_conditional_networks_do(kind):
    encoder, decoder = (build(num_classes=3, seed=2) for build in BUILDERS[kind])
    x, z = np.repeat(uniform(1, 28, 28, 1), 3, axis=0), np.repeat(normal(1, 32), 3, axis=0)
    labels = np.arange(3, dtype=np.int32)
    for outputs in (*encoder([x, labels]), decoder([z, labels])):
        zero, one, two = np.asarray(outputs)
        assert np.abs(zero - one).max() > 1e-4
        assert np.abs(one - two).max() > 1e-4


def test_a_label_is_a_constant_plane_beside_the_image():
    encoder = build_conv_encoder(image_shape=(8, 8, 1), filters=(5,), num_classes=3, seed=2)
    kernel, bias = next(layer for layer in encoder.layers if "conv" in layer.name).get_weights()
    (vectors,) = next(
        layer for layer in encoder.layers if layer.name.startswith("dense")
    ).get_weights()
    x, label = uniform(1, 8, 8, 1), 2
    plain = np.asarray(keras.ops.conv(x, kernel, strides=2, padding="same"))
    features = np.maximum(plain + bias + vectors[label], 0).reshape(1, -1)
    weights, offset = encoder.get_layer("z_mean").get_weights()
    z_mean, _ = encoder([x, np.array([label], np.int32)])
    np.testing.assert_allclose(z_mean, features @ weights + offset, atol=1e-5)


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("num_classes", [None, 3])
def test_logits_come_before_the_sigmoid_and_share_the_weights(kind, num_classes):
    decoder = BUILDERS[kind][1](num_classes=num_classes, seed=3)
    logits = logits_network(decoder)
    z = normal(3, 32)
    inputs = z if num_classes is None else [z, np.arange(3, dtype=np.int32)]
    np.testing.assert_allclose(
        decoder(inputs), 1 / (1 + np.exp(-np.asarray(logits(inputs)))), atol=1e-6
    )
    assert [id(weight) for weight in logits.weights] == [id(weight) for weight in decoder.weights]


def test_codes_and_logits_are_float32_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder, decoder = build_conv_encoder(seed=0), build_conv_decoder(seed=0)
    finally:
        keras.config.set_dtype_policy(before)
    outputs = [*encoder(uniform(2, 28, 28, 1)), decoder(normal(2, 32))]
    outputs.append(logits_network(decoder)(normal(2, 32)))
    assert [keras.backend.standardize_dtype(output.dtype) for output in outputs] == ["float32"] * 4


def test_logits_of_a_network_without_a_sigmoid_are_refused():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="sigmoid")])
    with pytest.raises(ValueError, match="Received"):
        logits_network(network)


LOADER = """
import sys
import keras, numpy as np
for path in sys.argv[1:]:
    arrays = np.load(path + ".npz")
    network = keras.saving.load_model(path + ".keras", safe_mode=True)
    inputs = [arrays[f"input_{i}"] for i in range(len(network.inputs))]
    outputs = network(inputs if len(inputs) > 1 else inputs[0])
    for i, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
        assert np.array_equal(np.asarray(output), arrays[f"output_{i}"]), path
assert not any(name.startswith(("vae_mnist", "training_run")) for name in sys.modules)
print("loaded", len(sys.argv) - 1)
"""


def test_saved_networks_load_without_our_code_and_give_the_same_bytes(tmp_path):
    paths = []
    sorts = {kind: (builders, {}) for kind, builders in BUILDERS.items()}
    sorts["gated"] = (BUILDERS["mlp"], {"activation": "gated"})
    for kind, (builders, options) in sorts.items():
        for num_classes in (None, 3):
            for build, data in zip(builders, (uniform(3, 28, 28, 1), normal(3, 32)), strict=True):
                network = build(num_classes=num_classes, seed=4, **options)
                inputs = [data] if num_classes is None else [data, np.arange(3, dtype=np.int32)]
                outputs = network(inputs if len(inputs) > 1 else inputs[0])
                outputs = outputs if isinstance(outputs, list) else [outputs]
                paths.append(str(tmp_path / f"{kind}_{num_classes}_{network.name}"))
                network.save(paths[-1] + ".keras")
                arrays = {f"input_{i}": array for i, array in enumerate(inputs)}
                arrays |= {f"output_{i}": np.asarray(array) for i, array in enumerate(outputs)}
                np.savez(paths[-1] + ".npz", **arrays)
    # -I: neither this folder nor PYTHONPATH is searched for modules.
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOADER, *paths], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "loaded 12\n"
