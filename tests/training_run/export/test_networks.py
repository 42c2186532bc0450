import keras
import numpy as np
import pytest

from gan_mnist.networks import build_mlp_generator
from training_run.errors import UserError
from training_run.export.networks import (
    ExportedNetwork,
    exported_names,
    in_float32,
    weights_of,
)
from training_run.run_folder.paths import RunDir
from training_run.step.precision import computing_in
from vae_mnist.networks import build_conv_decoder, build_mlp_encoder

SMALL = {"image_shape": (8, 8, 1), "seed": 3}

BUILDERS = {
    "generator": lambda: build_mlp_generator(latent_dim=4, widths=[16], num_classes=3, **SMALL),
    "decoder": lambda: build_conv_decoder(latent_dim=4, filters=[8, 4], leaky_slope=0.2, **SMALL),
    "encoder": lambda: build_mlp_encoder(
        latent_dim=4, widths=[16], activation="gated", num_classes=3, **SMALL
    ),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_network_of_bfloat16_becomes_the_one_of_float32(name):
    plain = BUILDERS[name]()
    with computing_in("mixed_bfloat16"):
        mixed = BUILDERS[name]()
    examples = ExportedNetwork(name, plain).examples(None, (0, 1))
    exact = ExportedNetwork(name, plain).call(examples)
    rounded = ExportedNetwork(name, mixed).call(examples)
    copied = ExportedNetwork(name, in_float32(mixed)).call(examples)
    for key, expected in exact.items():
        assert np.abs(rounded[key] - expected).max() > 1e-5  # else the test would prove nothing
        np.testing.assert_array_equal(copied[key], expected)


def test_weights_go_by_the_name_of_their_layer():
    z = keras.Input((2,))
    one, other = (keras.layers.Dense(2, name=name)(z) for name in ("one", "other"))
    network = keras.Model(z, [other, one])
    copied = in_float32(network)
    x = np.ones((1, 2), np.float32)
    for before, after in zip(network(x), copied(x), strict=True):
        np.testing.assert_array_equal(before, after)


def test_names_of_weights_do_not_depend_on_when_the_layers_were_built():
    network = BUILDERS["generator"]()
    again = keras.models.model_from_json(in_float32(network).to_json())
    assert list(weights_of(in_float32(network))) == list(weights_of(again))
    assert all(name.count("/") == 1 for name in weights_of(network))


def test_inputs_and_outputs_have_names_and_labels_are_integers():
    exported = ExportedNetwork("encoder", BUILDERS["encoder"]())
    assert exported.num_classes == 3
    model = exported.named_model()
    assert [(name, tensor.dtype) for name, tensor in model.input.items()] == [
        ("images", "float32"),
        ("labels", "int32"),
    ]
    assert set(model.output) == {"z_mean", "z_log_var"}
    examples = exported.examples(None, (-1, 1))
    assert examples["images"].shape == (16, 8, 8, 1)
    assert examples["labels"].tolist() == [0, 1, 2] * 5 + [0]
    named, plain = model(examples), exported.call(examples)
    np.testing.assert_array_equal(named["z_log_var"], plain["z_log_var"])


def test_a_run_without_networks_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"expected a run with one of generator\.keras"):
        exported_names(RunDir(tmp_path))
