"""Which precision a run computes in, and that it stays inside the run's own networks."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.config import GANConfig
from gan_mnist.family import FAMILY
from training_run.config.load import find_config, load_config
from training_run.data.image_data import DataSpec
from training_run.family import build_model
from training_run.step import precision
from training_run.step.precision import (
    computing_in,
    machine_has_bfloat16,
    processor_info,
    resolve_compilation,
    resolve_precision,
)

SPEC = DataSpec(1000, (28, 28, 1), 10)


def config(*overrides):
    return load_config(GANConfig, find_config("gan_dcgan_smoke"), overrides)


def resolved(setting):
    return resolve_precision(config(f"training.precision={setting}")).training.precision


@pytest.mark.parametrize(("has_it", "expected"), [(True, "mixed_bfloat16"), (False, "float32")])
def test_auto_is_what_the_machine_has(monkeypatch, has_it, expected):
    monkeypatch.setattr(precision, "machine_has_bfloat16", lambda: has_it)
    assert resolved("auto") == expected
    assert resolved("float32") == "float32"
    assert resolved("mixed_bfloat16") == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("preset", "gpus", "expected"),
    [
        ("gan_mlp_smoke", [], True),
        ("gan_dcgan_smoke", [], False),
        ("gan_dcgan_smoke", ["GPU:0"], True),
    ],
)
def test_xla_compiles_what_it_makes_quicker(monkeypatch, preset, gpus, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    asked = load_config(GANConfig, find_config(preset), ["training.jit_compile=auto"])
    assert resolve_compilation(asked).training.jit_compile is expected
    as_set = load_config(
        GANConfig, find_config(preset), [f"training.jit_compile={str(not expected).lower()}"]
    )
    assert resolve_compilation(as_set).training.jit_compile is not expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx512_bf16 sse", True), ("fpu amx_bf16", True), ("fpu avx512f avx2", False)],
)
def test_a_processor_has_bfloat16_by_its_flags(monkeypatch, tmp_path, flags, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    (tmp_path / "cpuinfo").write_text(f"model name\t: Some: one\nflags\t\t: {flags}\n\n" * 2)
    read = partial(processor_info, path=tmp_path / "cpuinfo")
    assert (read("model name"), read("flags"), read("other")) == ("Some: one", flags, "")
    monkeypatch.setattr(precision, "processor_info", read)
    assert machine_has_bfloat16() is expected


def test_systems_that_do_not_tell_have_none(monkeypatch, tmp_path):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(precision, "processor_info", partial(processor_info, path=tmp_path / "no"))
    assert machine_has_bfloat16() is False


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True)])
def test_a_gpu_goes_before_the_processor(monkeypatch, capability, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda device: {"compute_capability": capability},
    )
    assert machine_has_bfloat16() is expected


def test_the_policy_ends_with_the_block_also_when_it_fails():
    with pytest.raises(RuntimeError), computing_in("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise RuntimeError
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_weights_logits_and_images_stay_float32_and_what_is_between_does_not():
    gan = build_model(FAMILY, config("training.precision=mixed_bfloat16"), SPEC, 1)
    convolution = gan.discriminator.layers[0]
    assert (convolution.compute_dtype, convolution.variable_dtype) == ("bfloat16", "float32")
    assert {w.dtype for network in gan.networks().values() for w in network.weights} == {"float32"}
    z = gan.draw(0)["z_generator"]
    images = gan.generator(z, training=True)
    assert images.dtype == gan.discriminator(images, training=True).dtype == tf.float32


def test_a_step_is_that_of_float32_to_bfloat16s_precision():
    losses = []
    for setting in ("float32", "mixed_bfloat16"):
        gan = build_model(FAMILY, config(f"training.precision={setting}"), SPEC, 1)
        batch_size = gan.batch_size
        images = np.random.default_rng(0).integers(0, 256, (batch_size, 28, 28, 1), dtype=np.uint8)
        logs = gan.train_step({"images": images, **gan.draw(0)})
        losses.append([float(logs["d_loss"]), float(logs["g_loss"])])
    np.testing.assert_allclose(*losses, atol=0.02)
    assert losses[0] != losses[1], "the precisions must differ to compare"
