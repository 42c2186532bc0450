import math
from dataclasses import dataclass
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from sample_quality.scores.likelihood import (
    bernoulli_model,
    gaussian_model,
    importance_weighted_nll,
    negative_elbo,
)
from training_run.step.batches import draw_normal, make_batches
from vae_mnist.binarization import binarize_data
from vae_mnist.losses import MIN_LOG_SCALE, VAELoss
from vae_mnist.model import VAE
from vae_mnist.networks import (
    build_conv_decoder,
    build_conv_encoder,
    build_mlp_decoder,
    build_mlp_encoder,
)

BATCH, SHAPE, LATENT = 8, (6, 5, 1), 3


@dataclass(frozen=True)
class TwoSplits:
    """The part of `ImageData` that binarisation looks at."""

    x_train: np.ndarray | None
    x_test: np.ndarray


def make_vae(
    reconstruction="squared_error",
    *,
    kind="mlp",
    num_classes=None,
    binarize="none",
    seed=3,
    optimizer=None,
    jit_compile=False,
    steps_per_execution=1,
    vamp=None,
    **weights,
):
    build_encoder, build_decoder, size = {
        "mlp": (build_mlp_encoder, build_mlp_decoder, {"widths": (16,)}),
        "conv": (build_conv_encoder, build_conv_decoder, {"filters": (4, 4)}),
    }[kind]
    size |= {"latent_dim": LATENT, "image_shape": SHAPE, "num_classes": num_classes, "seed": seed}
    vae = VAE(
        build_encoder(**size),
        build_decoder(**size),
        VAELoss(reconstruction, **weights),
        vamp=vamp,
        binarize=binarize,
        batch_size=BATCH,
        seed=seed,
    )
    vae.compile(
        optimizer or keras.optimizers.Adam(1e-2),
        jit_compile=jit_compile,
        steps_per_execution=steps_per_execution,
    )
    return vae


def make_data(num=40, num_classes=None):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (num, *SHAPE), dtype=np.uint8)
    labels = None if num_classes is None else np.arange(num, dtype=np.int32) % num_classes
    return SimpleNamespace(x_train=images, y_train=labels)


def make_batch(vae, step=0, num_classes=None):
    data = make_data(num_classes=num_classes)
    return next(iter(make_batches(data, BATCH, vae.seed, step, 1, draw=vae.draw)))


def arrays(variables):
    return [np.array(variable) for variable in variables]


def all_changed(before, variables):
    return all((old != new).any() for old, new in zip(before, arrays(variables), strict=True))


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("reconstruction", ["squared_error", "bernoulli", "gaussian"])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_one_step_moves_every_weight_of_both_networks(kind, reconstruction, num_classes):
    vae = make_vae(reconstruction, kind=kind, num_classes=num_classes)
    before = arrays(vae.encoder.weights), arrays(vae.decoder.weights), arrays(vae.learned_weights())
    logs = vae.train_step(make_batch(vae, num_classes=num_classes))
    assert all_changed(before[0], vae.encoder.weights)
    assert all_changed(before[1], vae.decoder.weights)
    assert all_changed(before[2], vae.learned_weights())
    scale = ["log_scale"] if reconstruction == "gaussian" else []
    assert list(logs) == ["loss", "reconstruction_loss", "kl_loss", *scale]
    assert all(math.isfinite(float(value)) for value in logs.values())


def scalar_vae(weights, reconstruction="squared_error", rate=0.25, **loss):
    """One pixel and one latent: mean = a x, log-variance = v x, x^ = sigmoid(w z)."""
    x = keras.Input((1, 1, 1))
    heads = [keras.layers.Dense(1, use_bias=False)(keras.layers.Flatten()(x)) for _ in range(2)]
    encoder = keras.Model(x, heads)
    layers = [
        keras.layers.Dense(1, use_bias=False),
        keras.layers.Reshape((1, 1, 1)),
        keras.layers.Activation("sigmoid"),
    ]
    decoder = keras.Sequential([keras.Input((1,)), *layers])
    encoder.set_weights([np.array([[weight]]) for weight in weights[:2]])
    decoder.set_weights([np.array([[weights[2]]])])
    vae = VAE(encoder, decoder, VAELoss(reconstruction, **loss), batch_size=1, seed=0)
    vae.compile(keras.optimizers.SGD(rate))
    return vae


def scalar_terms(weights, x, epsilon):
    """Squared error and KL of `scalar_vae`, written out."""
    a, v, w = weights
    mean, log_var = a * x, v * x
    z = mean + math.exp(log_var / 2) * epsilon
    kl = (math.exp(log_var) + mean**2 - 1 - log_var) / 2
    return (x - 1 / (1 + math.exp(-w * z))) ** 2, kl


def test_one_step_by_hand():
    weights, x, epsilon, c, beta, rate = (0.7, -0.4, 1.3), 0.8, -0.9, 3.0, 0.5, 0.25

    def loss(point):
        error, kl = scalar_terms(point, x, epsilon)
        return c * error + beta * kl

    h = 1e-5
    slopes = [
        (loss(np.add(weights, h * unit)) - loss(np.subtract(weights, h * unit))) / (2 * h)
        for unit in np.eye(3)
    ]
    vae = scalar_vae(weights, rate=rate, c=c, beta=beta)
    batch = {
        "images": np.full((1, 1, 1, 1), 204, np.uint8),
        "epsilon": np.array([[epsilon]], np.float32),
        "beta": vae.draw(0)["beta"],
    }
    logs = vae.train_step(batch)
    moved = [weight.item() for weight in vae.encoder.get_weights() + vae.decoder.get_weights()]
    np.testing.assert_allclose(moved, np.subtract(weights, np.multiply(rate, slopes)), atol=1e-5)
    error, kl = scalar_terms(weights, x, epsilon)
    assert float(logs["loss"]) == pytest.approx(c * error + beta * kl, abs=1e-6)
    assert float(logs["reconstruction_loss"]) == pytest.approx(error, abs=1e-6)
    assert float(logs["kl_loss"]) == pytest.approx(kl, abs=1e-6)


def test_one_step_of_the_importance_weighted_bound_by_hand():
    weights, x, epsilon, rate = (0.7, -0.4, 1.3), 0.8, np.array([-0.9, 0.3, 1.6]), 0.25

    def terms(point):
        a, v, w = point
        z = a * x + math.exp(v * x / 2) * epsilon
        log_ratio = (z**2 - epsilon**2 - v * x) / 2  # log q(z|x) - log p(z)
        return (x - 1 / (1 + np.exp(-w * z))) ** 2, log_ratio

    def loss(point):
        error, log_ratio = terms(point)
        return -math.log(np.mean(np.exp(-error - log_ratio)))

    h = 1e-5
    slopes = [
        (loss(np.add(weights, h * unit)) - loss(np.subtract(weights, h * unit))) / (2 * h)
        for unit in np.eye(3)
    ]
    vae = scalar_vae(weights, rate=rate, importance_samples=3)
    batch = {
        "images": np.full((1, 1, 1, 1), 204, np.uint8),
        "epsilon": epsilon.reshape(1, 3, 1).astype(np.float32),
        "beta": vae.draw(0)["beta"],
    }
    assert vae.draw(0)["epsilon"].shape == (1, 3, 1)
    logs = vae.train_step(batch)
    moved = [weight.item() for weight in vae.encoder.get_weights() + vae.decoder.get_weights()]
    np.testing.assert_allclose(moved, np.subtract(weights, np.multiply(rate, slopes)), atol=1e-5)
    error, log_ratio = terms(weights)
    assert float(logs["loss"]) == pytest.approx(loss(weights), abs=1e-6)
    assert float(logs["reconstruction_loss"]) == pytest.approx(error.mean(), abs=1e-6)
    assert float(logs["kl_loss"]) == pytest.approx(log_ratio.mean(), abs=1e-6)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_an_evaluation_with_several_samples_is_the_estimate_of_the_likelihood(num_classes):
    vae = make_vae("bernoulli", num_classes=num_classes, importance_samples=20)
    images = binarize_data(TwoSplits(None, make_data(400).x_train), "dynamic").x_test
    labels = None if num_classes is None else np.arange(400, dtype=np.int32) % num_classes
    values = vae.evaluate_arrays(images, labels)
    model = bernoulli_model(vae.encoder, vae.decoder)
    nll = importance_weighted_nll(model, images, labels, num_samples=20)
    # Other noise: the means differ by as much as their standard error allows.
    assert values["val_loss"] == pytest.approx(nll.mean(), abs=0.05)
    elbo = values["val_reconstruction_loss"] + values["val_kl_loss"]
    assert elbo > values["val_loss"] + 0.05
    elbos = negative_elbo(model, images, labels)
    assert elbo == pytest.approx(elbos.total.mean(), abs=0.1)


def test_kl_of_the_metric_is_without_free_bits_and_warm_up():
    weights = (0.1, -0.1, 1.0)
    _, kl = scalar_terms(weights, 1.0, 0.0)
    vae = scalar_vae(weights, c=1.0, beta=2.0, warmup_steps=3, free_bits=0.7)
    batch = {
        "images": np.full((1, 1, 1, 1), 255, np.uint8),
        "epsilon": np.zeros((1, 1), np.float32),
        "beta": vae.draw(0)["beta"],
    }
    logs = {name: float(value) for name, value in vae.train_step(batch).items()}
    assert logs["kl_loss"] == pytest.approx(kl, abs=1e-6)
    # The first of three warm-up steps has beta = 2 / 4, and kl is below the free 0.7.
    assert logs["loss"] == pytest.approx(logs["reconstruction_loss"] + 0.5 * 0.7, abs=1e-6)


def test_the_learned_scale_goes_to_the_root_mean_squared_error():
    vae = make_vae("gaussian", optimizer=keras.optimizers.SGD(1e-2))
    vae.encoder.set_weights([0 * weight for weight in vae.encoder.get_weights()])
    vae.decoder.set_weights([0 * weight for weight in vae.decoder.get_weights()])  # x^ = 1/2
    batch = make_batch(vae)
    before = float(vae.log_scale)
    vae.train_step(batch)
    wanted = 0.5 * math.log(np.mean((np.asarray(batch["images"]) / 255 - 0.5) ** 2))
    assert abs(float(vae.log_scale) - wanted) < abs(before - wanted)
    vae.log_scale_weight.assign(-1e6)
    assert float(vae.log_scale) == pytest.approx(MIN_LOG_SCALE, abs=1e-6)
    assert make_vae("bernoulli").log_scale is None


def test_extreme_encoders_give_finite_losses_and_weights():
    for bias in (-1e4, 1e4):
        vae = make_vae("bernoulli")
        weights = vae.encoder.get_layer("z_log_var").get_weights()
        vae.encoder.get_layer("z_log_var").set_weights([weights[0], weights[1] + bias])
        logs = vae.train_step(make_batch(vae))
        assert all(math.isfinite(float(value)) for value in logs.values())
        assert all(np.isfinite(weight).all() for weight in arrays(vae.learned_weights()))
        moved = vae.encoder.get_layer("z_log_var").get_weights()[1] - bias
        assert (moved * np.sign(bias) < 0).all()


def test_draws_are_a_function_of_seed_and_step():
    draw, again = make_vae(seed=3).draw(7), make_vae(seed=3).draw(7)
    assert np.array_equal(draw["epsilon"], again["epsilon"])
    assert draw["epsilon"].shape == (BATCH, LATENT)
    assert not np.array_equal(draw["epsilon"], make_vae(seed=3).draw(8)["epsilon"])
    assert not np.array_equal(draw["epsilon"], make_vae(seed=4).draw(7)["epsilon"])
    assert set(draw) == {"epsilon", "beta"}


def trained(steps_per_execution=5, **options):
    vae = make_vae("bernoulli", steps_per_execution=steps_per_execution, **options)
    data = make_data(num_classes=options.get("num_classes"))
    batches = make_batches(data, BATCH, vae.seed, 0, 10, draw=vae.draw)
    vae.fit(batches, steps_per_epoch=10, shuffle=False, verbose=0)
    return vae


@pytest.mark.parametrize(
    "options",
    [
        {"jit_compile": True, "num_classes": 3, "warmup_steps": 4, "free_bits": 0.1},
        {"kind": "conv", "binarize": "dynamic"},
        {"jit_compile": True, "num_classes": 3, "importance_samples": 4},
    ],
)
def test_same_seed_same_bytes_and_the_block_does_what_single_steps_do(options):
    one, two = trained(**options), trained(**options)
    for first, second in zip(one.variables, two.variables, strict=True):
        assert np.array_equal(first, second)
    single = trained(**(options | {"jit_compile": False}), steps_per_execution=1)
    for first, second in zip(one.variables, single.variables, strict=True):
        np.testing.assert_allclose(np.array(first), np.array(second), atol=2e-4)


def test_training_lowers_the_loss_on_the_images_it_sees():
    vae, images = make_vae("bernoulli"), make_data().x_train
    before = vae.evaluate_arrays(images)
    batches = make_batches(make_data(), BATCH, 3, 0, 100, draw=vae.draw)
    vae.fit(batches, steps_per_epoch=100, shuffle=False, verbose=0)
    after = vae.evaluate_arrays(images)
    assert after["val_loss"] < before["val_loss"] - 0.5


def test_state_holds_every_variable_once():
    vae = make_vae("gaussian")
    expected = vae.encoder.variables + vae.decoder.variables + [vae.log_scale_weight]
    assert {id(variable) for variable in expected} <= {id(variable) for variable in vae.variables}
    assert len({id(variable) for variable in vae.variables}) == len(vae.variables)
    assert vae.optimizer.built
    assert vae.networks() == {"encoder": vae.encoder, "decoder": vae.decoder}
    assert vae.optimizers() == {"vae": vae.optimizer}
    names = ["loss", "reconstruction_loss", "kl_loss", "log_scale"]
    assert [metric.name for metric in vae.metrics] == names


def test_dynamic_binarisation_shows_a_pixel_as_white_as_often_as_it_is_bright():
    vae = make_vae("bernoulli", binarize="dynamic")
    seen = []
    vae.reconstruction_loss = lambda x, *_: seen.append(x.numpy()) or tf.zeros(len(x))
    images = np.full((BATCH, *SHAPE), 51, np.uint8)  # 0.2
    images[0], images[1] = 0, 255
    for step in range(50):
        vae.elbo_terms({"images": images, **vae.draw(step)}, training=False)
    seen = np.stack(seen)
    assert set(np.unique(seen)) == {0.0, 1.0}
    assert not seen[:, 0].any()
    assert seen[:, 1].all()
    # 50 * 6 * 30 = 9,000 pixels: a standard error of 0.004
    assert seen[:, 2:].mean() == pytest.approx(0.2, abs=0.017)
    assert (seen[0] != seen[1]).any()


def test_binarised_data():
    data = TwoSplits(make_data().x_train, make_data().x_train[:10])
    assert binarize_data(data, "none") is data
    static, dynamic = binarize_data(data, "static"), binarize_data(data, "dynamic")
    assert set(np.unique(static.x_train)) == set(np.unique(static.x_test)) == {0, 255}
    assert np.array_equal(static.x_train, binarize_data(data, "static").x_train)
    assert dynamic.x_train is data.x_train
    assert np.array_equal(dynamic.x_test, static.x_test)
    assert not np.array_equal(static.x_train[:10], static.x_test)


def test_evaluation_is_deterministic_and_leaves_the_metrics_alone():
    vae = make_vae("squared_error", c=2.0, beta=3.0, warmup_steps=100, free_bits=5.0)
    vae.train_step(make_batch(vae))
    logs = {metric.name: float(metric.result()) for metric in vae.metrics}
    images = make_data(1003).x_train  # more than one evaluation batch, the last one short
    values = vae.evaluate_arrays(images)
    assert values == vae.evaluate_arrays(images)
    assert {metric.name: float(metric.result()) for metric in vae.metrics} == logs
    epsilon = draw_normal(vae.seed, "evaluation", 0, (1003, LATENT))
    batch = {"images": images, "epsilon": epsilon}
    error, kl = (term.numpy() for term in vae.elbo_terms(batch, training=False))
    assert values["val_reconstruction_loss"] == pytest.approx(error.mean(), rel=1e-5)
    assert values["val_kl_loss"] == pytest.approx(kl.sum(axis=1).mean(), rel=1e-5)
    assert values["val_loss"] == pytest.approx(
        2 * values["val_reconstruction_loss"] + 3 * values["val_kl_loss"], abs=1e-6
    )


def test_the_loss_of_a_bernoulli_vae_is_the_negative_elbo():
    vae = trained()
    images = binarize_data(TwoSplits(None, make_data(2000).x_train), "dynamic").x_test
    values = vae.evaluate_arrays(images)
    elbo = negative_elbo(bernoulli_model(vae.encoder, vae.decoder), images)
    assert values["val_kl_loss"] == pytest.approx(elbo.kl.mean(), abs=1e-4)
    # Other noise: the means differ by as much as their standard error allows.
    error = elbo.reconstruction.std() / math.sqrt(len(images))
    assert values["val_reconstruction_loss"] == pytest.approx(
        elbo.reconstruction.mean(), abs=3 * error
    )


def test_a_posterior_far_too_wide_is_scored_as_it_is_trained():
    """Its log-variances, 60 above the others, would overflow float32 as exp(60 + ...) squared."""
    vae, images = make_vae("gaussian"), make_data(40).x_train
    bias = vae.encoder.layers[-1].bias
    assert vae.encoder.layers[-1].output is vae.encoder.outputs[1]
    for shift in (0.0, 60.0, 100.0):
        bias.assign(tf.fill(bias.shape, shift))
        trained = vae.evaluate_arrays(images)
        model = gaussian_model(vae.encoder, vae.decoder, float(vae.log_scale))
        elbo = negative_elbo(model, images)
        assert trained["val_kl_loss"] == pytest.approx(elbo.kl.mean(), rel=1e-5)
        error = elbo.reconstruction.std() / math.sqrt(len(images))  # the noise is another
        assert trained["val_reconstruction_loss"] == pytest.approx(
            elbo.reconstruction.mean(), abs=4 * error
        )
        estimate = importance_weighted_nll(model, images, num_samples=50)
        assert (estimate.mean() < elbo.total.mean()) and np.isfinite(estimate).all()


def test_posteriors_are_computed_in_batches():
    vae, images = make_vae(num_classes=3), make_data(1003).x_train
    labels = np.arange(1003, dtype=np.int32) % 3
    z_mean, z_log_var = vae.posterior(images, labels)
    assert z_mean.shape == z_log_var.shape == (1003, LATENT)
    last = vae.posterior(images[1001:], labels[1001:])
    np.testing.assert_allclose((z_mean[1001:], z_log_var[1001:]), last, atol=1e-6)


@pytest.mark.parametrize("num_classes", [None, 3])
def test_samples_and_reconstructions_come_from_the_networks(num_classes):
    vae = make_vae(num_classes=num_classes)
    labels = None if num_classes is None else np.array([0, 2], np.int32)
    z = np.random.default_rng(0).normal(size=(2, LATENT)).astype(np.float32)
    images = make_data().x_train[:2]

    def with_labels(tensor):
        return tensor if labels is None else [np.asarray(tensor), labels]

    np.testing.assert_array_equal(vae.sample(z, labels), vae.decoder(with_labels(z)))
    z_mean, _ = vae.encoder(with_labels((images / 255).astype(np.float32)))
    reconstructed = vae.reconstruct(images, labels)
    assert reconstructed.shape == (2, *SHAPE)
    np.testing.assert_allclose(reconstructed, vae.decoder(with_labels(z_mean)), atol=1e-6)
    if num_classes:
        assert vae.evaluate_arrays(images, labels)["val_loss"] > 0
