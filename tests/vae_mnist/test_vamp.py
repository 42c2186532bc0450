import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from sample_quality.scores.likelihood import (
    bernoulli_model,
    importance_weighted_nll,
    negative_elbo,
)
from tests.vae_mnist.test_model import (
    BATCH,
    LATENT,
    SHAPE,
    all_changed,
    arrays,
    make_batch,
    make_vae,
)
from training_run.step.batches import make_batches
from vae_mnist.vamp import VampPrior, vamp_prior

NUM = 6


def vamp_vae(**options):
    return make_vae("bernoulli", vamp=VampPrior(NUM, SHAPE, seed=1), **options)


def binary_data(num=60):
    random = np.random.default_rng(2)
    images = 255 * random.integers(0, 2, (num, *SHAPE)).astype(np.uint8)
    return SimpleNamespace(x_train=images, y_train=None, x_test=images)


def trained(steps, **options):
    vae, data = vamp_vae(**options), binary_data()
    batches = make_batches(data, BATCH, vae.seed, 0, steps, draw=vae.draw)
    vae.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    return vae


def test_pseudo_inputs_start_dark_and_follow_the_seed():
    one, same, other = (VampPrior(NUM, SHAPE, seed).pseudo_inputs.numpy() for seed in (1, 1, 2))
    assert one.shape == (NUM, *SHAPE)
    assert one.mean() == pytest.approx(0.05, abs=0.005)
    assert one.std() == pytest.approx(0.01, abs=0.003)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_prior_is_the_mean_of_the_posteriors_of_the_pseudo_inputs():
    vae = vamp_vae()
    vae.vamp.pseudo_inputs.assign(np.random.default_rng(0).uniform(size=(NUM, *SHAPE)))
    z = np.random.default_rng(1).normal(size=(9, LATENT)).astype(np.float32)
    means, log_vars = (np.asarray(head) for head in vae.encoder(vae.vamp.pseudo_inputs.numpy()))
    parts = norm.logpdf(z[:, None], means, np.exp(log_vars / 2)).sum(axis=-1)
    expected = logsumexp(parts, axis=1) - math.log(NUM)
    np.testing.assert_allclose(vae.vamp.log_density(vae.encoder)(z), expected, atol=1e-4)
    saved = vamp_prior(vae, binary_data(), 10).mixture
    np.testing.assert_allclose(saved.log_density(z), expected, atol=1e-4)


def test_one_step_moves_networks_and_pseudo_inputs_together():
    vae = vamp_vae()
    assert (
        len(vae.learned_weights())
        == len(vae.encoder.trainable_variables + vae.decoder.trainable_variables) + 1
    )
    before = arrays(vae.learned_weights())
    logs = vae.train_step(make_batch(vae))
    assert all_changed(before, vae.learned_weights())
    assert list(logs) == ["loss", "reconstruction_loss", "kl_loss"]
    total = float(logs["reconstruction_loss"]) + float(logs["kl_loss"])
    assert float(logs["loss"]) == pytest.approx(total, rel=1e-5)


def test_pseudo_inputs_stay_images():
    vae = trained(20, optimizer=keras.optimizers.Adam(0.1))
    pixels = vae.vamp.pseudo_inputs.numpy()
    assert pixels.min() == 0.0
    assert 0.5 < pixels.max() <= 1.0


def test_same_seed_same_bytes_and_xla_does_what_single_steps_do():
    options = {"jit_compile": True, "steps_per_execution": 5, "warmup_steps": 4}
    one, two, single = trained(10, **options), trained(10, **options), trained(10, warmup_steps=4)
    for first, second in zip(one.variables, two.variables, strict=True):
        assert np.array_equal(first, second)
    for first, second in zip(one.variables, single.variables, strict=True):
        np.testing.assert_allclose(np.array(first), np.array(second), atol=5e-4)


def test_the_loss_is_the_bound_that_is_scored():
    vae, data = trained(60), binary_data(1000)
    values = vae.evaluate_arrays(data.x_train)
    model = bernoulli_model(vae.encoder, vae.decoder)
    log_prior = vamp_prior(vae, data, 10).mixture.log_density
    bound = negative_elbo(model, data.x_train, log_prior=log_prior)
    error = bound.total.std() / math.sqrt(1000)
    assert values["val_loss"] == pytest.approx(bound.total.mean(), abs=4 * error)
    assert values["val_kl_loss"] == pytest.approx(bound.kl.mean(), abs=0.2)
    nll = importance_weighted_nll(model, data.x_train, num_samples=20, log_prior=log_prior)
    assert nll.mean() < bound.total.mean()
    tighter = trained(1, importance_samples=20)
    tighter.set_weights(vae.get_weights()[: len(tighter.get_weights())])
    assert tighter.evaluate_arrays(data.x_train)["val_loss"] == pytest.approx(
        nll.mean(), abs=4 * error
    )


def test_the_record_says_what_the_prior_gains_on_codes_of_test_images():
    vae, data = trained(60), binary_data()
    prior = vamp_prior(vae, data, 40)
    record = prior.record
    assert (record.kind, record.components, record.latent_dim) == ("vamp", NUM, LATENT)
    assert (record.codes, record.held_out_codes) == (60, 40)
    assert math.isfinite(record.held_out_nats)
    assert -30 < record.held_out_nats_normal < 0
    factors = prior.mixture.cholesky
    assert np.array_equal(factors, factors * np.eye(LATENT))
