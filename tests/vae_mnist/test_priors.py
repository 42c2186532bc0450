import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from training_run.errors import UserError
from vae_mnist import em, priors
from vae_mnist.em import (
    coefficients,
    features,
    maximize,
    neighbours_covariances,
    sum_features,
)
from vae_mnist.priors import (
    FULL,
    Codes,
    check_codes,
    check_components,
    choose_mixture,
    draw_codes,
    fit_mixture,
    nats,
)

CENTRES = np.array([[-12.0, 0, 12], [0, 12, -12], [12, -12, 0]])


def codes_of(num=3000, latent_dim=3, seed=0, variance=0.05, labels=None):
    """Codes of three Gaussian groups, far apart in each dimension."""
    random = np.random.default_rng(seed)
    groups = np.arange(num) % 3
    means = random.normal(size=(num, latent_dim)) * np.array([0.5, 1.0, 1.5])[groups][:, None]
    means += CENTRES[groups, :latent_dim]
    return Codes(
        means.astype(np.float32), np.full(means.shape, variance, np.float32),
        None if labels is None else groups.astype(np.int32),
    )  # fmt: skip


def test_features_are_expectations_of_products():
    means = np.array([[2.0, 3.0]], np.float32)
    variances = np.array([[0.5, 0.25]], np.float32)
    np.testing.assert_array_equal(features(means, variances)[0], [1, 2, 3, 4.5, 6, 9.25])


def test_coefficients_give_the_log_density_of_each_component():
    random = np.random.default_rng(0)
    factors = random.normal(size=(2, 3, 3))
    covariances = factors @ factors.swapaxes(1, 2) + np.eye(3)
    weights, means = np.array([0.3, 0.7]), random.normal(size=(2, 3))
    z = random.normal(size=(5, 3)).astype(np.float32)
    phi = features(z, np.zeros_like(z)).numpy()
    c = coefficients(weights, means, covariances)
    expected = [
        np.log(w) + multivariate_normal(m, s).logpdf(z)
        for w, m, s in zip(weights, means, covariances, strict=True)
    ]
    np.testing.assert_allclose(phi @ c.T, np.transpose(expected), rtol=1e-5)


def test_a_step_of_em_is_that_of_scikit_learn(monkeypatch):
    """Without shrinkage and floor, on codes that are points."""
    monkeypatch.setattr(em, "PSEUDO_COUNT", 0.0)
    monkeypatch.setattr(em, "FLOOR", 0.0)
    z = codes_of(600, seed=1).means
    weights, means = np.full(3, 1 / 3), np.array([[-5.0, 0, 0], [0.0, 0, 0], [5.0, 0, 0]])
    covariances = np.repeat(4 * np.eye(3)[None], 3, axis=0)
    sums = sum_features(z, np.zeros_like(z), coefficients(weights, means, covariances))
    ours = maximize(sums, 3)
    theirs = GaussianMixture(
        3, weights_init=weights, means_init=means, precisions_init=np.linalg.inv(covariances),
        max_iter=1, reg_covar=0,
    )  # fmt: skip
    with pytest.warns(match="did not converge"):
        theirs.fit(z)
    for our, their in zip(ours, (theirs.weights_, theirs.means_, theirs.covariances_), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-3, atol=1e-3)


def test_one_component_has_the_moments_of_the_draws():
    codes = codes_of()
    mixture = fit_mixture(codes, 1, seed=0, iterations=2)
    np.testing.assert_allclose(mixture.means[0], codes.means.mean(axis=0), atol=1e-3)
    expected = np.cov(codes.means.T) + 0.05 * np.eye(3)
    found = mixture.cholesky[0] @ mixture.cholesky[0].T
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.02)


def test_three_groups_are_found(monkeypatch):
    monkeypatch.setattr(em, "PSEUDO_COUNT", 0.0)
    mixture = fit_mixture(codes_of(), 3, seed=0)
    order = np.argsort(mixture.means[:, 0])
    np.testing.assert_allclose(mixture.weights, 1 / 3, atol=0.01)
    np.testing.assert_allclose(mixture.means[order, 0], [-12, 0, 12], atol=0.15)
    deviations = np.linalg.norm(mixture.cholesky[order], axis=2)
    expected = np.sqrt(np.array([0.5, 1.0, 1.5]) ** 2 + 0.05)[:, None]
    np.testing.assert_allclose(deviations, np.repeat(expected, 3, axis=1), rtol=0.06)


def test_the_same_seed_gives_the_same_bytes():
    codes = codes_of()
    first, again = (fit_mixture(codes, 8, seed=4) for _ in range(2))
    other = fit_mixture(codes, 8, seed=5)
    assert first.means.tobytes() == again.means.tobytes()
    assert first.cholesky.tobytes() == again.cholesky.tobytes()
    assert first.means.tobytes() != other.means.tobytes()


def test_em_makes_held_out_codes_likelier_than_one_gaussian():
    codes, held_out = codes_of(), codes_of(seed=1)
    z = draw_codes(held_out, 0)
    one, three = (nats(fit_mixture(codes, num, seed=0), z, None) for num in (1, 3))
    assert three > one + 0.5


def test_a_component_leans_on_its_nearest(monkeypatch):
    monkeypatch.setattr(em, "NUM_NEIGHBOURS", 2)
    counts, means = np.array([10.0, 30.0, 5.0]), np.array([[0.0], [1.0], [9.0]])
    scatters = np.array([20.0, 20.0, 50.0]).reshape(3, 1, 1)
    found = neighbours_covariances(counts, means, scatters)
    np.testing.assert_allclose(found.ravel(), [40 / 40, 40 / 40, 70 / 35])


def test_shrinkage_keeps_components_of_few_codes_proper():
    codes = codes_of(60)
    mixture = fit_mixture(codes, 40, seed=0)
    assert np.isfinite(mixture.log_density(codes.means)).all()
    assert (np.einsum("kii->ki", mixture.cholesky) > 0.05).all()


def test_held_out_codes_choose_the_number(monkeypatch):
    monkeypatch.setattr(priors, "CANDIDATES", (1, 3, 300))
    monkeypatch.setattr(priors, "MIN_CODES", 1)
    codes, held_out = codes_of(1500), codes_of(1500, seed=1)
    mixture = choose_mixture(codes, draw_codes(held_out, 0), None, 0, FULL)
    assert len(mixture.weights) == 3


def test_each_class_has_a_mixture_of_its_own():
    codes = codes_of(labels=True)
    mixture = fit_mixture(codes, 7, seed=0)
    np.testing.assert_array_equal(mixture.classes, [0, 0, 1, 1, 2, 2])
    np.testing.assert_allclose(np.bincount(mixture.classes, mixture.weights), 1, rtol=1e-5)
    z = mixture.latents(np.zeros((3, 3), np.float32), np.full(3, 0.5), np.arange(3))
    np.testing.assert_allclose(z[:, 0], [-12, 0, 12], atol=2)


def test_more_components_than_codes_are_refused():
    codes = codes_of(30, labels=True)
    with pytest.raises(UserError, match=r"at most the 30 codes that .* received 31"):
        check_components(codes._replace(labels=None), 31)
    with pytest.raises(UserError, match=r"at most the 10 codes of class 0 .* received 11"):
        check_components(codes, 33)


def test_codes_that_do_not_vary_are_refused():
    codes = codes_of()
    codes.means[:, 1], codes.variances[:, 1] = 2.0, 0.0
    with pytest.raises(UserError, match="each of the 3 dimensions, received 1 that"):
        check_codes(codes)
    codes.means[0, 0] = np.nan
    with pytest.raises(UserError, match="expected finite codes"):
        check_codes(codes)
    with pytest.raises(UserError, match="each of the 4 classes, received those of 3"):
        check_codes(codes_of(labels=True), 4)
