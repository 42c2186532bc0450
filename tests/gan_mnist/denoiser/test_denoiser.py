import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.denoiser.corruption import (
    CORRUPTIONS,
    add_gaussian_noise,
    add_salt_and_pepper,
    mask_pixels,
)
from gan_mnist.denoiser.model import Denoiser, denoise, reconstruction_loss
from gan_mnist.denoiser.network import build_denoiser
from training_run.data.image_data import ImageData

SHAPE = (8, 8, 1)
BATCH = 16
ALL_KINDS = {"gaussian": 0.2, "masking": 0.1, "salt_and_pepper": 0.1}


def make_denoiser(corruptions=ALL_KINDS, learning_rate=1e-2, seed=3, **compile_options):
    model = Denoiser(
        build_denoiser(image_shape=SHAPE, num_hidden=12, seed=seed),
        corruptions=corruptions,
        batch_size=BATCH,
        seed=seed,
    )
    model.compile(keras.optimizers.Adam(learning_rate), **compile_options)
    return model


def pictures(num=200):
    """Uint8 images of one of four bright bars on black."""
    images = np.zeros((num, *SHAPE), np.uint8)
    for index in range(num):
        images[index, 2 * (index % 4) : 2 * (index % 4) + 2] = 255
    return images


def make_batch(model, step=0):
    images = pictures(BATCH)
    return {"images": images, **{name: np.array(v) for name, v in model.draw(step).items()}}


def fit(model, num_steps, first_step=0):
    steps = tf.data.Dataset.range(first_step, first_step + num_steps)
    images = tf.constant(pictures(BATCH))
    batches = steps.map(lambda step: {"images": images, **model.draw(step)})
    return model.fit(batches, verbose=0).history["reconstruction_loss"][-1]


def test_the_denoiser_of_source_000():
    network = build_denoiser(seed=0)
    assert network.count_params() == 79_234
    assert [w.shape for w in network.get_weights()] == [(784, 50), (50,), (50, 784), (784,)]
    assert isinstance(network, keras.Sequential) and network.name == "denoiser"
    assert network(tf.zeros((2, 28, 28, 1))).shape == (2, 28, 28, 1)


def test_it_is_relu_then_sigmoid():
    network = build_denoiser(image_shape=(2, 3, 1), num_hidden=5, seed=1)
    network.set_weights([w + 0.1 for w in network.get_weights()])
    x = np.random.default_rng(0).uniform(size=(4, 2, 3, 1)).astype(np.float32)
    w1, b1, w2, b2 = network.get_weights()
    logits = np.maximum(x.reshape(4, 6) @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(network(x), 1 / (1 + np.exp(-logits.reshape(4, 2, 3, 1))), atol=1e-6)


def test_weights_follow_from_the_seed_alone():
    first, again, other = (build_denoiser(seed=seed).get_weights() for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (first[0] != other[0]).mean() > 0.99 and (first[2] != other[2]).mean() > 0.99


GREY = tf.fill((50, 20, 20, 1), 0.4)
UNIFORM = tf.random.stateless_uniform(GREY.shape, [0, 1])
NORMAL = tf.random.stateless_normal(GREY.shape, [0, 2])


def test_gaussian_noise_has_its_standard_deviation_and_is_clipped():
    noisy = np.array(add_gaussian_noise(GREY, NORMAL, 0.05))
    assert noisy.mean() == pytest.approx(0.4, abs=0.002)
    assert noisy.std() == pytest.approx(0.05, abs=0.001)
    wild = np.array(add_gaussian_noise(GREY, NORMAL, 5.0))
    assert wild.min() == 0.0 and wild.max() == 1.0
    one = add_gaussian_noise(tf.constant([0.5]), tf.constant([-1.5]), 0.2)
    np.testing.assert_allclose(one, [0.2], atol=1e-7)


def test_masking_blackens_its_fraction_and_leaves_the_rest():
    masked = np.array(mask_pixels(GREY, UNIFORM, 0.3))
    assert (masked == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert set(np.unique(masked)) == {np.float32(0), np.float32(0.4)}
    np.testing.assert_array_equal(mask_pixels(GREY, UNIFORM, 0.0), GREY)
    assert not np.any(mask_pixels(GREY, UNIFORM, 1.0))


def test_salt_and_pepper_are_equally_many():
    grains = np.array(add_salt_and_pepper(GREY, UNIFORM, 0.2))
    assert (grains == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (grains == 1).mean() == pytest.approx(0.1, abs=0.01)
    assert (grains == np.float32(0.4)).mean() == pytest.approx(0.8, abs=0.01)
    np.testing.assert_array_equal(add_salt_and_pepper(GREY, UNIFORM, 0.0), GREY)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_noise_of_a_step_is_a_pure_function_of_seed_and_step(kind):
    model = make_denoiser({kind: 0.5})
    (noise,) = model.draw(7).values()
    assert noise.shape == (BATCH, *SHAPE)
    np.testing.assert_array_equal(noise, *make_denoiser({kind: 0.5}).draw(7).values())
    np.testing.assert_array_equal(noise, *model.draw(tf.constant(7, tf.int64)).values())
    assert not np.array_equal(noise, *model.draw(8).values())
    assert not np.array_equal(noise, *make_denoiser({kind: 0.5}, seed=4).draw(7).values())


def test_kinds_of_corruption_draw_apart_and_follow_each_other():
    model = make_denoiser()
    batch = model.draw(0)
    assert list(batch) == ["noise_gaussian", "noise_masking", "noise_salt_and_pepper"]
    assert not np.array_equal(batch["noise_masking"], batch["noise_salt_and_pepper"])
    clean = tf.fill((BATCH, *SHAPE), 0.5)
    expected = add_gaussian_noise(clean, batch["noise_gaussian"], 0.2)
    expected = mask_pixels(expected, batch["noise_masking"], 0.1)
    expected = add_salt_and_pepper(expected, batch["noise_salt_and_pepper"], 0.1)
    np.testing.assert_array_equal(model.corrupt(clean, batch), expected)


def test_the_loss_is_summed_over_pixels_and_averaged_over_the_batch():
    rng = np.random.default_rng(0)
    clean = rng.uniform(size=(3, 2, 2, 1)).astype(np.float32)
    logits = rng.normal(size=(3, 4)).astype(np.float32)
    p, x = 1 / (1 + np.exp(-logits)), clean.reshape(3, 4)
    by_hand = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    assert float(reconstruction_loss(clean, logits)) == pytest.approx(by_hand, rel=1e-6)
    # Undecided about everything: log 2 a pixel.
    zeros = tf.zeros((3, 4))
    assert float(reconstruction_loss(clean, zeros)) == pytest.approx(4 * np.log(2), rel=1e-6)


def test_the_slope_of_the_loss_in_the_logits_is_restored_minus_clean():
    clean = tf.constant([[0.0, 0.3, 1.0, 1.0]])
    logits = tf.constant([[1e4, 0.5, -1e4, 30.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = reconstruction_loss(clean, logits)
    assert float(loss) == pytest.approx(2e4, rel=1e-3)
    np.testing.assert_allclose(tape.gradient(loss, logits), tf.sigmoid(logits) - clean, atol=1e-6)


def test_a_step_reports_the_loss_it_descends_and_moves_all_weights():
    model = make_denoiser()
    batch = make_batch(model)
    clean = batch["images"] / np.float32(255)
    before = model.denoiser.get_weights()
    restored = np.array(model.denoiser(model.corrupt(clean, batch)))
    by_hand = -np.log(np.where(clean == 1, restored, 1 - restored)).sum(axis=(1, 2, 3)).mean()
    metrics = model.train_step(batch)
    assert float(metrics["reconstruction_loss"]) == pytest.approx(by_hand, rel=1e-5)
    for old, new in zip(before, model.denoiser.get_weights(), strict=True):
        assert (old != new).mean() > 0.5


def test_the_composite_has_no_weights_but_its_networks():
    model = make_denoiser()
    assert [id(v) for v in model.variables[:4]] == [id(v) for v in model.denoiser.variables]
    assert len(model.trainable_variables) == 4
    assert model.networks() == {"denoiser": model.denoiser}
    assert len(model.optimizers()["denoiser"].variables) == 2 + 2 * 4  # built before any step
    assert model.optimizer is None


def test_training_teaches_it_to_clean():
    model = make_denoiser()
    first, last = fit(model, 1), fit(model, 300, first_step=1)
    assert last < 0.6 * first
    clean = pictures(BATCH) / np.float32(255)
    noisy = np.array(model.corrupt(clean, model.draw(10_000)))
    cleaned = np.array(denoise(model.denoiser, noisy, (0.0, 1.0)))
    assert np.square(cleaned - clean).mean() < 0.2 * np.square(noisy - clean).mean()


def test_the_same_seed_gives_the_same_weights_also_when_resumed():
    one, two, other = (make_denoiser(seed=seed, steps_per_execution=5) for seed in (3, 3, 4))
    fit(one, 10)
    fit(two, 5)
    fit(two, 5, first_step=5)
    fit(other, 10)
    for a, b in zip(one.denoiser.get_weights(), two.denoiser.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.denoiser.get_weights()[0], other.denoiser.get_weights()[0])


def test_it_trains_from_the_batches_of_the_fit_loop():
    from training_run.step.batches import make_batches

    images = pictures()
    data = ImageData(
        x_train=images,
        y_train=None,
        x_test=images[:10],
        y_test=None,
        num_classes=None,
        source="drawn by the test",
        checksum="",
    )
    model = make_denoiser()
    batches = make_batches(data, BATCH, seed=3, first_step=0, num_steps=4, draw=model.draw)
    history = model.fit(batches, steps_per_epoch=4, shuffle=False, verbose=0).history
    assert list(history) == ["reconstruction_loss"]
    assert 0 < history["reconstruction_loss"][-1] < 2 * 64 * np.log(2)


@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_any_range_is_mapped_to_the_unit_interval_and_clipped(value_range):
    low, high = value_range
    network = build_denoiser(image_shape=SHAPE, seed=0)
    unit = np.random.default_rng(0).uniform(-0.5, 1.5, (4, *SHAPE)).astype(np.float32)
    expected = network(np.clip(unit, 0, 1))
    images = unit * (high - low) + low
    np.testing.assert_allclose(denoise(network, images, value_range), expected, atol=1e-5)


def test_the_saved_network_loads_and_gives_the_same(tmp_path):
    network = build_denoiser(image_shape=SHAPE, seed=0)
    network.save(tmp_path / "denoiser.keras")
    loaded = keras.saving.load_model(tmp_path / "denoiser.keras")
    x = np.random.default_rng(0).uniform(size=(4, *SHAPE)).astype(np.float32)
    np.testing.assert_array_equal(loaded(x), network(x))
    layers = {type(layer).__module__.split(".")[0] for layer in loaded.layers}
    assert layers == {"keras"}
