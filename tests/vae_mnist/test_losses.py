import math

import numpy as np
import pytest
import tensorflow as tf

from vae_mnist.losses import (
    MAX_LOG_VAR,
    MIN_LOG_SCALE,
    RECONSTRUCTION_LOSSES,
    bernoulli_cross_entropy,
    beta_at,
    bounded_log_scale,
    free_bits,
    gaussian_nll,
    kl_per_dimension,
    sample_posterior,
    squared_error,
)


def images(values):
    """(N, H * W) numbers as (N, H, W, 1) images of one row."""
    return tf.constant(np.array(values, np.float32)[:, None, :, None])


def gradient(function, *values):
    tensors = [tf.constant(value, tf.float32) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    return [slope.numpy() for slope in tape.gradient(result, tensors)]


def test_squared_error_is_summed_over_pixels_and_not_over_the_batch():
    error = squared_error(images([[0.0, 1.0], [0.5, 0.5]]), images([[0.5, 0.0], [0.5, 0.25]]))
    np.testing.assert_allclose(error, [1.25, 0.0625], atol=1e-7)


def test_sums_run_over_channels_and_both_sides():
    ones, zeros = tf.ones((2, 3, 4, 5)), tf.zeros((2, 3, 4, 5))
    np.testing.assert_allclose(squared_error(ones, zeros), [60.0, 60.0], atol=1e-5)
    np.testing.assert_allclose(
        bernoulli_cross_entropy(ones, zeros), [60 * math.log(2)] * 2, atol=1e-4
    )
    np.testing.assert_allclose(
        gaussian_nll(zeros, zeros, 0.0), [30 * math.log(2 * math.pi)] * 2, atol=1e-4
    )


def test_cross_entropy_by_hand():
    # sigmoid(log 3) = 3/4
    logits = images([[math.log(3.0), math.log(3.0), -math.log(3.0)]])
    loss = bernoulli_cross_entropy(images([[1.0, 0.0, 0.5]]), logits)
    half = -0.5 * math.log(1 / 4) - 0.5 * math.log(3 / 4)
    np.testing.assert_allclose(loss, [-math.log(3 / 4) - math.log(1 / 4) + half], atol=1e-6)


def test_cross_entropy_stays_exact_where_the_sigmoid_has_saturated():
    x, logits = images([[1.0, 0.0, 1.0, 0.0]]), images([[1e4, -1e4, -200.0, 300.0]])
    np.testing.assert_allclose(bernoulli_cross_entropy(x, logits), [500.0], atol=1e-3)
    (slope,) = gradient(lambda value: bernoulli_cross_entropy(x, value), logits)
    np.testing.assert_allclose(slope.reshape(-1), [0.0, 0.0, -1.0, 1.0], atol=1e-6)


def test_gaussian_nll_is_minus_the_log_of_the_normal_density():
    from scipy.stats import norm

    x, means, scale = [0.1, 0.7, 1.0], [0.3, 0.6, 0.2], 0.35
    expected = -norm.logpdf(x, means, scale).sum()
    loss = gaussian_nll(images([x]), images([means]), math.log(scale))
    np.testing.assert_allclose(loss, [expected], atol=1e-5)


def test_the_best_scale_is_the_root_mean_squared_error():
    x, means = images([[0.0, 0.3]]), images([[0.1, 0.6]])
    best = 0.5 * math.log((0.01 + 0.09) / 2)
    (slope,) = gradient(lambda log_scale: gaussian_nll(x, means, log_scale), best)
    assert slope == pytest.approx(0.0, abs=1e-5)
    (above,) = gradient(lambda log_scale: gaussian_nll(x, means, log_scale), best + 0.1)
    (below,) = gradient(lambda log_scale: gaussian_nll(x, means, log_scale), best - 0.1)
    assert below < -0.1 < 0.1 < above


def test_a_gaussian_with_scale_sigma_is_squared_error_with_c():
    x, logits, log_scale = images([[0.2, 0.9]]), images([[0.4, -1.3]]), math.log(0.25)
    gaussian = RECONSTRUCTION_LOSSES["gaussian"](x, logits, log_scale)
    c = 1 / (2 * 0.25**2)
    error = c * RECONSTRUCTION_LOSSES["squared_error"](x, logits, None)
    constant = 2 * (math.log(0.25) + 0.5 * math.log(2 * math.pi))
    np.testing.assert_allclose(gaussian - error, [constant], atol=1e-5)


def test_the_bound_of_the_scale_is_smooth_and_the_identity_far_above():
    values = bounded_log_scale(tf.constant([-1e4, -50.0, MIN_LOG_SCALE, 0.0, 5.0]))
    expected = [MIN_LOG_SCALE, MIN_LOG_SCALE, MIN_LOG_SCALE + math.log(2), 0.00248, 5.0]
    np.testing.assert_allclose(values, expected, atol=2e-5)


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_slopes_agree_with_finite_differences(name):
    rng = np.random.default_rng(1)
    x = images(rng.uniform(size=(1, 6)))
    logits, log_scale, h = rng.normal(size=(1, 6)), -0.4, 1e-2

    def loss(flat, scale):
        return float(RECONSTRUCTION_LOSSES[name](x, images(flat), scale)[0])

    (slope,) = gradient(
        lambda value: RECONSTRUCTION_LOSSES[name](x, value, log_scale), images(logits)
    )
    for pixel in range(6):
        step = h * np.eye(6)[pixel]
        numeric = (loss(logits + step, log_scale) - loss(logits - step, log_scale)) / (2 * h)
        assert slope.reshape(-1)[pixel] == pytest.approx(numeric, abs=2e-4)


def test_kl_by_hand():
    z_mean = tf.constant([[0.0, 0.0], [1.0, -2.0]])
    z_log_var = tf.constant([[0.0, 0.0], [0.0, math.log(4.0)]])
    # (1/2)(1 + 4) from the means, (1/2)(4 - 1 - log 4) from the second variance
    expected = [0.0, 2.5 + 1.5 - math.log(2)]
    kl = tf.reduce_sum(kl_per_dimension(z_mean, z_log_var), axis=1)
    np.testing.assert_allclose(kl, expected, atol=1e-6)


def test_kl_is_the_mean_log_ratio_of_the_densities():
    from scipy.stats import norm

    mean, log_var = 0.7, -1.1
    z = mean + math.exp(0.5 * log_var) * np.random.default_rng(0).normal(size=400_000)
    ratio = norm.logpdf(z, mean, math.exp(0.5 * log_var)) - norm.logpdf(z)
    error = ratio.std() / math.sqrt(len(z))
    kl = float(kl_per_dimension(tf.constant([[mean]]), tf.constant([[log_var]]))[0, 0])
    assert kl == pytest.approx(ratio.mean(), abs=4 * error)


def test_kl_near_the_prior_keeps_its_digits():
    log_var = tf.constant([[1e-3, -1e-3]])
    # v^2 / 4 + v^3 / 12
    expected = [2.5e-7 + 1e-9 / 12, 2.5e-7 - 1e-9 / 12]
    kl = kl_per_dimension(tf.zeros((1, 2)), log_var)
    np.testing.assert_allclose(kl[0], expected, atol=5e-11)


def test_kl_of_extreme_log_variances_is_finite_and_its_slope_points_back():
    log_var = np.array([[-1e30, -1e4, -100.0, 19.0, 21.0, 90.0, 1e4, 1e20]], np.float32)
    kl = kl_per_dimension(tf.zeros_like(log_var), tf.constant(log_var)).numpy()
    (slope,) = gradient(lambda value: kl_per_dimension(tf.zeros_like(value), value), log_var)
    assert np.isfinite(kl).all()
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(kl[0, 1:3], [4999.5, 49.5], atol=1e-3)
    np.testing.assert_allclose(slope[0, :3], [-0.5] * 3, atol=1e-6)
    assert (slope[0, 3:] > 1e7).all()
    assert (np.diff(kl[0, 3:]) > 0).all()


def test_kl_is_smooth_where_its_tangent_takes_over():
    at = np.float32(MAX_LOG_VAR)
    exact = 0.5 * (math.exp(MAX_LOG_VAR) - 1 - MAX_LOG_VAR)
    assert float(kl_per_dimension(0.0, at)) == pytest.approx(exact, rel=1e-6)
    (below,) = gradient(lambda value: kl_per_dimension(0.0, value), at - 1e-3)
    (above,) = gradient(lambda value: kl_per_dimension(0.0, value), at + 1e-3)
    assert below == pytest.approx(above, rel=2e-3)


def test_a_posterior_sample_is_mean_plus_deviation_times_noise():
    z = sample_posterior(
        tf.constant([[1.0, -1.0]]),
        tf.constant([[math.log(9.0), math.log(0.25)]]),
        tf.constant([[2.0, 4.0]]),
    )
    np.testing.assert_allclose(z, [[7.0, 1.0]], atol=1e-5)


def test_a_posterior_sample_is_finite_for_extreme_log_variances():
    log_var = np.array([[-1e30, -300.0, 300.0, 1e30]], np.float32)
    ones = tf.ones_like(log_var)
    z = sample_posterior(ones, tf.constant(log_var), ones).numpy()
    (slope,) = gradient(lambda value: tf.reduce_sum(sample_posterior(ones, value, ones)), log_var)
    np.testing.assert_allclose(z[0, :2], [1.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(z[0, 2:], [math.exp(10.0)] * 2, rtol=1e-3)
    assert np.isfinite(slope).all()


def test_free_bits_by_hand():
    kl = tf.constant([[0.1, 2.0], [0.3, 1.0]])  # means over the batch: 0.2 and 1.5
    assert float(free_bits(kl, 0.5)) == pytest.approx(2.0, abs=1e-6)
    assert float(free_bits(kl, 0.0)) == pytest.approx(1.7, abs=1e-6)
    (slope,) = gradient(lambda value: free_bits(value, 0.5), kl)
    np.testing.assert_allclose(slope, [[0.0, 0.5], [0.0, 0.5]], atol=1e-7)


def test_beta_grows_by_equal_amounts_and_then_stays():
    betas = [float(beta_at(tf.constant(step, tf.int64), 4.0, 3)) for step in range(6)]
    assert betas == pytest.approx([1.0, 2.0, 3.0, 4.0, 4.0, 4.0], abs=1e-6)
    assert float(beta_at(0, 2.5, 0)) == 2.5
