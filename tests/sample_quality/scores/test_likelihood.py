import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from sample_quality.mixture import Mixture
from sample_quality.scores.likelihood import (
    LatentModel,
    active_units,
    as_float,
    bernoulli_model,
    binarize_images,
    gaussian_model,
    importance_weighted_nll,
    negative_elbo,
)

SHAPE, LATENT, SCALE = (2, 3, 1), 2, 0.4


class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(W z + b, s^2 I): everything about it is known.

    Its p(x) is N(b, W W' + s^2 I), and its posterior N(S W' (x - b) / s^2, S) with
    S = (I + W' W / s^2)^-1. The columns of W are orthogonal, so S is diagonal.
    """

    def __init__(self):
        random = np.random.default_rng(5)
        orthogonal, _ = np.linalg.qr(random.normal(size=(6, LATENT)))
        self.weights = orthogonal * np.array([1.5, 0.3])
        self.bias = random.normal(size=6)
        self.posterior_cov = np.linalg.inv(
            np.eye(LATENT) + self.weights.T @ self.weights / SCALE**2
        )
        self.to_mean = self.posterior_cov @ self.weights.T / SCALE**2
        self.log_prior = None

    def draw(self, num, seed=0):
        random = np.random.default_rng(seed)
        x = random.normal(size=(num, LATENT)) @ self.weights.T + self.bias
        return (x + SCALE * random.normal(size=x.shape)).astype(np.float32).reshape(num, *SHAPE)

    def nll(self, images):
        cov = self.weights @ self.weights.T + SCALE**2 * np.eye(6)
        return -multivariate_normal(self.bias, cov).logpdf(images.reshape(len(images), 6))

    def model(self, shift=0.0, log_var_shift=0.0):
        """As two Keras networks; the shifts take q(z|x) away from the posterior."""
        x = keras.Input(SHAPE)
        flat = keras.layers.Flatten()(x)
        heads = [keras.layers.Dense(LATENT)(flat) for _ in range(2)]
        encoder = keras.Model(x, heads)
        log_var = np.log(np.diag(self.posterior_cov)) + log_var_shift
        encoder.set_weights(
            [
                self.to_mean.T,
                shift - self.to_mean @ self.bias,
                np.zeros((6, LATENT)),
                log_var,
            ]
        )
        decoder = keras.Sequential(
            [keras.Input((LATENT,)), keras.layers.Dense(6), keras.layers.Reshape(SHAPE)]
        )
        decoder.set_weights([self.weights.T, self.bias])
        return gaussian_model(encoder, decoder, math.log(SCALE))

    def gap(self, shift, log_var_shift):
        """KL(q(z|x) || p(z|x)), by which -ELBO exceeds -log p(x)."""
        precision = 1 / np.diag(self.posterior_cov)
        ratio = math.exp(log_var_shift)
        return 0.5 * np.sum(ratio - 1 - log_var_shift + shift**2 * precision)


def test_the_posterior_of_the_test_model_is_diagonal():
    cov = LinearGaussian().posterior_cov
    assert abs(cov[0, 1]) < 1e-12
    assert cov[0, 0] < 0.1 < 0.6 < cov[1, 1]


@pytest.mark.parametrize("num_samples", [1, 7])
def test_with_the_exact_posterior_every_sample_gives_log_p(num_samples):
    linear = LinearGaussian()
    images = linear.draw(50)
    nll = importance_weighted_nll(linear.model(), images, num_samples=num_samples)
    np.testing.assert_allclose(nll, linear.nll(images), atol=2e-5)


def test_with_the_exact_posterior_the_bound_is_tight():
    linear = LinearGaussian()
    images = linear.draw(4000)
    elbo = negative_elbo(linear.model(), images)
    gaps = elbo.total - linear.nll(images)
    assert gaps.mean() == pytest.approx(0.0, abs=4 * gaps.std() / math.sqrt(len(gaps)))
    assert gaps.std() < 1.5


def test_the_gap_of_a_wrong_posterior_is_its_divergence_from_the_right_one():
    linear, shift, log_var_shift = LinearGaussian(), 0.1, 0.8
    images = linear.draw(4000)
    gaps = negative_elbo(linear.model(shift, log_var_shift), images).total - linear.nll(images)
    expected = linear.gap(shift, log_var_shift)
    assert expected > 0.4
    assert gaps.mean() == pytest.approx(expected, abs=4 * gaps.std() / math.sqrt(len(gaps)))


def test_the_two_terms_are_the_expected_nll_and_the_kl():
    linear = LinearGaussian()
    images = linear.draw(3000)
    elbo = negative_elbo(linear.model(), images)
    mean = (images.reshape(-1, 6) - linear.bias) @ linear.to_mean.T
    variance = np.diag(linear.posterior_cov)
    kl = 0.5 * np.sum(variance + mean**2 - 1 - np.log(variance), axis=1)
    np.testing.assert_allclose(elbo.kl, kl, atol=1e-4)
    np.testing.assert_allclose(elbo.total, elbo.reconstruction + elbo.kl, atol=1e-12)
    # E_q ||x - W z - b||^2 = ||x - W mean - b||^2 + tr(W S W')
    residuals = images.reshape(-1, 6) - mean @ linear.weights.T - linear.bias
    spread = np.trace(linear.weights @ linear.posterior_cov @ linear.weights.T)
    expected = (np.sum(residuals**2, axis=1) + spread) / (2 * SCALE**2)
    expected += 6 * (math.log(SCALE) + 0.5 * math.log(2 * math.pi))
    difference = elbo.reconstruction - expected
    assert difference.mean() == pytest.approx(0.0, abs=4 * difference.std() / math.sqrt(3000))


def test_more_samples_close_the_gap():
    linear = LinearGaussian()
    images, model = linear.draw(200), linear.model(shift=0.2, log_var_shift=1.0)
    exact = linear.nll(images).mean()
    gaps = [
        importance_weighted_nll(model, images, num_samples=k).mean() - exact for k in (1, 10, 500)
    ]
    assert gaps[0] > 0.5
    assert gaps[0] > 2 * gaps[1] > 0
    assert gaps[2] == pytest.approx(0.0, abs=0.02)


class LinearMixture(LinearGaussian):
    """The same p(x|z), with p(z) = sum_j w_j N(m_j, S_j).

    Its p(x) is sum_j w_j N(W m_j + b, W S_j W' + s^2 I).
    """

    prior_weights = np.array([0.7, 0.3])
    prior_means = np.array([[0.5, -1.0], [-0.3, 1.2]])
    prior_covs = np.array([[[0.6, 0.3], [0.3, 0.8]], [[1.1, -0.2], [-0.2, 0.4]]])

    def __init__(self):
        super().__init__()
        arrays = self.prior_weights, self.prior_means, np.linalg.cholesky(self.prior_covs)
        self.log_prior = Mixture(*(array.astype(np.float32) for array in arrays)).log_density

    def draw(self, num, seed=0):
        random = np.random.default_rng(seed)
        chosen = random.choice(2, num, p=self.prior_weights)
        factors = np.linalg.cholesky(self.prior_covs)[chosen]
        z = self.prior_means[chosen] + (factors @ random.normal(size=(num, LATENT, 1)))[..., 0]
        x = z @ self.weights.T + self.bias + SCALE * random.normal(size=(num, 6))
        return x.astype(np.float32).reshape(num, *SHAPE)

    def nll(self, images):
        flat = images.reshape(len(images), 6)
        parts = [
            multivariate_normal(
                self.weights @ mean + self.bias,
                self.weights @ cov @ self.weights.T + SCALE**2 * np.eye(6),
            ).logpdf(flat)
            for mean, cov in zip(self.prior_means, self.prior_covs, strict=True)
        ]
        return -logsumexp(np.stack(parts), axis=0, b=self.prior_weights[:, None])


@pytest.mark.parametrize(
    ("family", "num_samples", "num"),
    [
        (LinearGaussian, 1, 4000),
        (LinearGaussian, 10, 2000),
        (LinearGaussian, 1000, 200),
        (LinearMixture, 1, 4000),
        (LinearMixture, 10, 2000),
    ],
)
def test_the_estimate_of_p_has_no_bias_for_any_number_of_samples(family, num_samples, num):
    linear = family()
    images, model = linear.draw(num), linear.model(shift=0.1, log_var_shift=0.8)
    nll = importance_weighted_nll(
        model, images, num_samples=num_samples, log_prior=linear.log_prior
    )
    ratios = np.exp(linear.nll(images) - nll)  # estimate over truth
    assert ratios.std() < 1.5 / math.sqrt(num_samples)  # with 1,000: 0.05 nats an image
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / math.sqrt(num))


def test_with_another_prior_the_kl_is_that_of_the_sample():
    linear = LinearMixture()
    images, model = linear.draw(50), linear.model(log_var_shift=0.8)
    bound = negative_elbo(model, images, log_prior=linear.log_prior)
    one = importance_weighted_nll(model, images, num_samples=1, log_prior=linear.log_prior)
    np.testing.assert_allclose(bound.total, one, atol=1e-4)  # it has the same noise
    np.testing.assert_allclose(bound.reconstruction + bound.kl, bound.total, atol=1e-12)
    exact = negative_elbo(model, images)
    assert np.array_equal(bound.reconstruction, exact.reconstruction)
    assert np.abs(bound.kl - exact.kl).max() > 0.1


def test_log_sum_exp_survives_weights_that_underflow():
    # log p(x|z) = -5000 for all z and q = p(z): exp(-5000) is 0 in float64.
    model = LatentModel(
        encode=lambda x, y: (tf.zeros((len(x), 2)), tf.zeros((len(x), 2))),
        log_likelihood=lambda x, z, y: tf.fill((len(x),), -5000.0),
    )
    nll = importance_weighted_nll(model, np.zeros((3, *SHAPE), np.float32), num_samples=5)
    np.testing.assert_allclose(nll, [5000.0] * 3, atol=1e-3)


def one_pixel_bernoulli(weight, bias):
    """p(x = 1|z) = sigmoid(weight z + bias), with q(z|x) = N(0.3 x, 1.5)."""
    x = keras.Input((1, 1, 1))
    flat = keras.layers.Flatten()(x)
    encoder = keras.Model(x, [keras.layers.Dense(1)(flat) for _ in range(2)])
    values = ([[0.3]], [0.0], [[0.0]], [math.log(1.5)])
    encoder.set_weights([np.array(value) for value in values])
    layers = [
        keras.layers.Dense(1),
        keras.layers.Reshape((1, 1, 1)),
        keras.layers.Activation("sigmoid"),
    ]
    decoder = keras.Sequential([keras.Input((1,)), *layers])
    decoder.set_weights([np.array([[weight]]), np.array([bias])])
    return encoder, decoder


def test_a_bernoulli_model_agrees_with_quadrature():
    weight, bias = 2.0, -1.0
    z = np.linspace(-9, 9, 20_001)
    white = np.sum(norm.pdf(z) / (1 + np.exp(-weight * z - bias))) * (z[1] - z[0])
    model = bernoulli_model(*one_pixel_bernoulli(weight, bias))
    images = np.repeat(np.array([0, 255], np.uint8), 400).reshape(800, 1, 1, 1)
    nll = importance_weighted_nll(model, images, num_samples=100)
    # 400 estimates of each, whose standard deviation is 0.06: a standard error of 0.003
    expected = [-math.log(1 - white), -math.log(white)]
    np.testing.assert_allclose(nll.reshape(2, 400).mean(axis=1), expected, atol=0.012)


def test_saturated_decoders_keep_finite_exact_likelihoods():
    # sigmoid(300) is 1 in float32, whose log(1 - 1) would be infinite.
    model = bernoulli_model(*one_pixel_bernoulli(0.0, 300.0))
    elbo = negative_elbo(model, np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
    np.testing.assert_allclose(elbo.reconstruction, [300.0, 0.0], atol=1e-3)


def test_a_bernoulli_model_refuses_grey_images():
    model = bernoulli_model(*one_pixel_bernoulli(1.0, 0.0))
    with pytest.raises(ValueError, match="binary"):
        negative_elbo(model, np.full((1, 1, 1, 1), 128, np.uint8))


def test_scores_are_reproducible_and_samples_of_a_smaller_k_come_first():
    linear = LinearGaussian()
    images, model = linear.draw(30), linear.model(log_var_shift=3.0)
    three = importance_weighted_nll(model, images, num_samples=3, seed=1)
    assert np.array_equal(three, importance_weighted_nll(model, images, num_samples=3, seed=1))
    assert not np.array_equal(three, importance_weighted_nll(model, images, num_samples=3, seed=2))
    assert np.array_equal(negative_elbo(model, images).total, negative_elbo(model, images).total)
    # The third weight, as a share of the mean of three: not negative, if the other two are shared.
    two, other = (importance_weighted_nll(model, images, num_samples=2, seed=s) for s in (1, 2))
    assert (3 - 2 * np.exp(three - two)).min() > -1e-5
    assert (3 - 2 * np.exp(three - other)).min() < -1


def test_no_more_than_a_batch_is_decoded_at_once(monkeypatch):
    monkeypatch.setattr("sample_quality.scores.likelihood.BATCH", 10)
    sizes, linear = [], LinearGaussian()
    inner = linear.model()

    def log_likelihood(x, z, y):
        sizes.append((x.shape[0], z.shape[0]))
        return inner.log_likelihood(x, z, y)

    model = inner._replace(log_likelihood=log_likelihood)
    images = linear.draw(25)
    nll = importance_weighted_nll(model, images, num_samples=2)
    assert nll.shape == (25,)
    np.testing.assert_allclose(nll, linear.nll(images), atol=2e-5)
    assert set(sizes) == {(10, 10), (5, 5)}
    assert len(sizes) == 2  # traced once for each size, not for each sample


def test_labels_reach_both_networks(monkeypatch):
    monkeypatch.setattr("sample_quality.scores.likelihood.BATCH", 3)
    labels = np.arange(7, dtype=np.int32)
    model = LatentModel(
        encode=lambda x, y: (tf.cast(y, tf.float32)[:, None], tf.fill((len(x), 1), -60.0)),
        log_likelihood=lambda x, z, y: 10 * tf.cast(y, tf.float32) + z[:, 0],
    )
    images = np.zeros((7, *SHAPE), np.float32)
    elbo = negative_elbo(model, images, labels)
    np.testing.assert_allclose(elbo.reconstruction, -11.0 * labels, atol=1e-5)


def test_active_units_are_those_whose_mean_varies():
    """q(z|x) = N(x scaled by each unit's factor + 7, 1)."""
    factors = np.array([1.0, 0.2, 0.05, 0.0], np.float32)
    model = LatentModel(
        encode=lambda x, y: (tf.reshape(x, (-1, 4)) * factors + 7, tf.zeros((len(x), 4))),
        log_likelihood=None,
    )
    images = np.random.default_rng(0).normal(size=(5000, 2, 2, 1)).astype(np.float32)
    np.testing.assert_array_equal(active_units(model, images), [True, True, False, False])


def test_bytes_are_scaled_and_floats_are_not():
    np.testing.assert_allclose(as_float(np.array([0, 51, 255], np.uint8)), [0, 0.2, 1], atol=1e-7)
    np.testing.assert_allclose(as_float(np.array([-3.0, 2.0])), [-3.0, 2.0])


def test_binarised_images_are_white_as_often_as_they_are_bright():
    images = np.broadcast_to(np.array([0, 51, 204, 255], np.uint8), (2500, 1, 4))[..., None]
    binary = binarize_images(images, "train")
    assert binary.dtype == np.uint8
    assert set(np.unique(binary)) == {0, 255}
    # standard error of 2,500 pixels: 0.008
    np.testing.assert_allclose(binary.mean((0, 1, 3)) / 255, [0, 0.2, 0.8, 1], atol=0.035)
    assert binary[:, :, 0].max() == 0
    assert binary[:, :, 3].min() == 255


def test_binarised_images_are_fixed_and_do_not_depend_on_what_follows():
    images = np.random.default_rng(0).integers(0, 256, (1010, 3, 3, 1), dtype=np.uint8)
    binary = binarize_images(images, "test")
    np.testing.assert_array_equal(binary, binarize_images(images, "test"))
    np.testing.assert_array_equal(binary[:1003], binarize_images(images[:1003], "test"))
    assert not np.array_equal(binary, binarize_images(images, "train"))
    assert not np.array_equal(binary[:10], binary[1000:])


def mixture_of_two():
    factors = np.array([[[0.8, 0.0], [0.2, 0.9]], [[0.7, 0.0], [-0.1, 0.6]]], np.float32)
    means = np.array([[0.4, -0.3], [-0.5, 0.2]], np.float32)
    return Mixture(np.array([0.3, 0.7], np.float32), means, factors)


def test_under_a_learned_prior_the_estimate_reaches_the_exact_log_density():
    """p(z) = sum w_k N(m_k, S_k) gives p(x) = sum w_k N(W m_k + b, W S_k W' + s^2 I)."""
    exact, mixture = LinearGaussian(), mixture_of_two()
    images = exact.draw(200)
    terms = [
        np.log(weight)
        + multivariate_normal(
            exact.weights @ mean + exact.bias,
            exact.weights @ factor @ factor.T @ exact.weights.T + SCALE**2 * np.eye(6),
        ).logpdf(images.reshape(len(images), 6))
        for weight, mean, factor in zip(
            mixture.weights, mixture.means, mixture.cholesky.astype(float), strict=True
        )
    ]
    nll = -np.logaddexp.reduce(terms, axis=0)
    one, ten, thousand = (
        importance_weighted_nll(
            exact.model(), images, num_samples=num, log_prior=mixture.log_density
        )
        for num in (1, 10, 1000)
    )
    assert one.mean() > ten.mean() + 0.02 > thousand.mean() + 0.02
    np.testing.assert_allclose(thousand, nll, atol=0.15)
    assert thousand.mean() == pytest.approx(nll.mean(), abs=0.01)
    assert np.abs(exact.nll(images) - nll).max() > 0.3  # N(0, I) gives others


def test_a_learned_prior_that_is_standard_normal_changes_nothing():
    one = np.ones(1, np.float32)
    standard = Mixture(one, np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None])
    model, images = LinearGaussian().model(0.3, 0.2), LinearGaussian().draw(50)
    estimates = [
        importance_weighted_nll(model, images, num_samples=5, log_prior=log_prior)
        for log_prior in (None, standard.log_density)
    ]
    np.testing.assert_allclose(*estimates, atol=1e-5)
