import math

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import norm

from vae_mnist.bounds import (
    importance_weighted_bound,
    log_mixture,
    log_standard_normal,
    sampled_kl,
)
from vae_mnist.losses import MAX_LOG_VAR, kl_per_dimension, sample_posterior


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_bound_by_hand():
    # weights 1/2 and 1/4: their mean is 3/8; equal losses are the bound
    losses = tf.constant([[math.log(2), math.log(4)], [7.0, 7.0]])
    expected = [math.log(8 / 3), 7.0]
    np.testing.assert_allclose(importance_weighted_bound(losses), expected, atol=1e-6)
    one = tf.constant([[3.5], [-2.0]])
    np.testing.assert_allclose(importance_weighted_bound(one), [3.5, -2.0], atol=1e-6)


def test_the_bound_survives_weights_that_underflow():
    losses = tf.constant([[5000.0, 5000.0 + math.log(3)]])
    np.testing.assert_allclose(
        importance_weighted_bound(losses), [5000 - math.log(2 / 3)], atol=1e-3
    )


def test_each_code_counts_by_its_normalised_weight():
    """The gradient of equation 14 of Burda et al."""
    losses = tf.constant([[1.0, 2.0, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(losses)
        bound = importance_weighted_bound(losses)
    weights = np.exp([-1.0, -2.0, -0.5])
    np.testing.assert_allclose(tape.gradient(bound, losses), [weights / weights.sum()], atol=1e-6)


def test_the_sampled_kl_is_the_difference_of_two_log_densities():
    z_mean, z_log_var, epsilon = normal(4, 1, 3), normal(4, 1, 3, seed=1), normal(4, 5, 3, seed=2)
    z = sample_posterior(z_mean, z_log_var, epsilon)
    log_q = norm.logpdf(z, z_mean, np.exp(z_log_var / 2)).sum(axis=-1)
    log_p = norm.logpdf(z).sum(axis=-1)
    kl = sampled_kl(z, z_log_var, epsilon, log_standard_normal)
    np.testing.assert_allclose(kl, log_q - log_p, atol=1e-5)


def test_the_mean_of_sampled_kls_is_the_kl():
    z_mean, z_log_var, epsilon = normal(2, 1, 3), normal(2, 1, 3, seed=1), normal(2, 20_000, 3)
    z = sample_posterior(z_mean, z_log_var, epsilon)
    kl = sampled_kl(z, z_log_var, epsilon, log_standard_normal).numpy()
    exact = tf.reduce_sum(kl_per_dimension(z_mean[:, 0], z_log_var[:, 0]), axis=1)
    np.testing.assert_allclose(kl.mean(axis=1), exact, atol=4 * kl.std() / math.sqrt(20_000))


def test_extreme_variances_give_finite_kls_that_push_them_back():
    z_log_var = tf.constant([[[3e4]]])
    epsilon = tf.constant([[[0.5]]])
    with tf.GradientTape() as tape:
        tape.watch(z_log_var)
        z = sample_posterior(0.0, z_log_var, epsilon)
        kl = sampled_kl(z, z_log_var, epsilon, log_standard_normal)
    assert np.isfinite(kl).all()
    assert tape.gradient(kl, z_log_var).numpy().item() > math.exp(MAX_LOG_VAR) / 3


@pytest.mark.parametrize("spread", [0.3, 4.0])
def test_the_density_of_a_mixture_is_that_of_scipy(spread):
    means, log_vars = spread * normal(7, 3), normal(7, 3, seed=1) - 1
    z = spread * normal(20, 3, seed=2)
    parts = norm.logpdf(z[:, None], means, np.exp(log_vars / 2)).sum(axis=-1)
    expected = logsumexp(parts, axis=1) - math.log(7)
    np.testing.assert_allclose(log_mixture(z, means, log_vars), expected, atol=1e-4, rtol=1e-5)


def test_one_standard_component_is_the_standard_normal():
    z = normal(5, 4)
    density = log_mixture(z, np.zeros((1, 4), np.float32), np.zeros((1, 4), np.float32))
    np.testing.assert_allclose(density, log_standard_normal(z), atol=1e-5)
    np.testing.assert_allclose(density, norm.logpdf(z).sum(axis=1), atol=1e-5)


def test_a_mixture_of_points_has_a_finite_density():
    density = log_mixture(normal(5, 2), normal(3, 2), np.full((3, 2), -1e4, np.float32))
    assert np.isfinite(density).all()
