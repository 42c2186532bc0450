"""From networks and data to what the page reads."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from latent_explorer.fold import fold_batch_normalization
from latent_explorer.material import choose_images, pixel_directions, principal_directions
from latent_explorer.networks import TOLERANCE, export_network
from latent_explorer.page import json_for_html
from latent_explorer.plan import plan_network
from latent_explorer.quantise import ByteStore, quantise
from training_run.errors import UserError


def test_eight_bits_are_at_most_half_a_scale_away():
    kernel = np.array([[0.5, -3.0], [-1.27, 0.02]], np.float32)
    whole, scales = quantise(kernel)
    np.testing.assert_allclose(scales, [0.01, 3 / 127], atol=1e-7)
    assert whole.tolist() == [[50, -127], [-127, 1]]
    assert (np.abs(whole * scales - kernel) <= scales / 2 + 1e-7).all()


def test_a_channel_of_zeros_stays_zeros():
    whole, scales = quantise(np.zeros((3, 2), np.float32))
    assert not whole.any() and np.isfinite(scales).all()


def test_arrays_start_at_places_that_a_browser_can_read_in_place():
    store = ByteStore()
    first = store.add(np.array([1, 2, 3], np.int8))
    second = store.add(np.array([1.0], np.float32))
    assert (first["at"], second["at"]) == (0, 4)
    assert second == {"type": "float32", "at": 4, "shape": [1]}
    assert store.base64() == "AQIDAAAAgD8="


def test_batch_normalization_is_gone_where_it_can_be():
    network = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8), layers.BatchNormalization(), layers.LeakyReLU(),
            layers.BatchNormalization(), layers.Dense(12), layers.Reshape((2, 2, 3)),
            layers.BatchNormalization(), layers.Conv2D(2, 3, padding="same"),
        ]
    )  # fmt: skip
    kinds = [step.kind for step in fold_batch_normalization(plan_network(network, "x")).steps]
    assert kinds == ["dense", "activation", "dense", "reshape", "convolution"]


def test_batch_normalization_before_a_padded_convolution_stays():
    parts = [layers.ReLU(), layers.BatchNormalization(), layers.Conv2D(2, 3, padding="same")]
    network = keras.Sequential([keras.Input((4, 4, 1)), *parts])
    kinds = [step.kind for step in fold_batch_normalization(plan_network(network, "x")).steps]
    assert kinds == ["activation", "scale_shift", "convolution"]


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (layers.LayerNormalization(name="odd_one"), "LayerNormalization 'odd_one'"),
        (layers.Conv2D(2, 3, dilation_rate=2, name="far"), "Conv2D 'far' with these options"),
        (layers.Activation("softmax", name="soft"), "Activation 'soft' with these options"),
    ],
)
def test_an_unknown_layer_is_refused_by_its_name(layer, named):
    network = keras.Sequential([keras.Input((8, 8, 2)), layer])
    with pytest.raises(UserError, match=r"^generator.keras: expected layers") as error:
        plan_network(network, "generator.keras")
    assert str(error.value).endswith(f"received {named}")


@pytest.mark.parametrize(
    ("spread", "form"),
    [(1.0, "int8"), (1e-4, "float16")],
    ids=["near enough", "too far for a small range"],
)
def test_eight_bits_only_where_results_stay_near(spread, form):
    network = keras.Sequential([keras.Input((6,)), layers.Dense(4)])
    examples = [np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)]
    exported = export_network(network, "x", ByteStore(), examples, spread)
    assert exported.form == exported.description["weights"] == form
    assert form == "float16" or 0 < exported.mean < TOLERANCE
    assert export_network(network, "x", ByteStore(), examples, 1.0, "float16").form == "float16"


def test_principal_directions_are_the_widest_first():
    random = np.random.default_rng(0)
    codes = random.normal(size=(2000, 3)) * [1.0, 5.0, 2.0] + 7
    np.testing.assert_allclose(
        np.abs(principal_directions(codes)), [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=0.1
    )


def test_a_generators_directions_are_those_that_move_pixels():
    random = np.random.default_rng(0)
    latents = random.normal(size=(2000, 3))
    images = np.tanh(latents @ np.diag([0.1, 0.01, 0.5]))[:, :, None, None]
    np.testing.assert_allclose(
        pixel_directions(latents, images), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=0.05
    )


def test_images_are_chosen_from_all_classes_in_turn():
    labels = np.array([2, 2, 0, 1, 0, 2, 1])
    assert choose_images(labels, labels, 5).tolist() == [2, 3, 0, 4, 6]
    assert choose_images(labels, None, 3).tolist() == [0, 1, 2]


def test_json_of_a_script_element_cannot_end_it():
    name = "</script><script>alert(1)</script>"
    text = json_for_html({"title": name})
    assert "<" not in text
    assert json.loads(text) == {"title": name}
