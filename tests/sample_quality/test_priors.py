import json

import keras
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from sample_quality.mixture import Mixture
from sample_quality.priors import (
    Prior,
    PriorRecord,
    describe,
    latents_of,
    load_prior,
    prior_checksum,
    save_prior,
)
from training_run.errors import UserError
from training_run.files import sha256_of_file
from training_run.run_folder.networks import weights_sha256
from training_run.run_folder.paths import RunDir
from training_run.step.sampling import generate, sample_batches


def mixture(num=3, latent_dim=4, classes=None, seed=0, spread=3.0):
    random = np.random.default_rng(seed)
    factors = 0.5 / np.sqrt(latent_dim) * np.tril(random.normal(size=(num, latent_dim, latent_dim)))
    diagonal = np.arange(latent_dim)
    factors[:, diagonal, diagonal] = random.uniform(0.1, 1.5, (num, latent_dim))
    weights = random.uniform(0.2, 1, num)
    if classes is None:
        weights /= weights.sum()
    else:
        weights /= np.bincount(classes, weights)[classes]
        classes = np.array(classes, np.int32)
    means = spread * random.normal(size=(num, latent_dim))
    arrays = (each.astype(np.float32) for each in (weights, means, factors))
    return Mixture(*arrays, classes)


def expected_log_density(mixed, z, numbers):
    terms = [
        np.log(np.float64(mixed.weights[k]))
        + multivariate_normal(
            mixed.means[k], mixed.cholesky[k].astype(float) @ mixed.cholesky[k].astype(float).T
        ).logpdf(z)
        for k in numbers
    ]
    return np.logaddexp.reduce(terms, axis=0)


@pytest.mark.parametrize("latent_dim", [1, 2, 24])
def test_the_density_is_that_of_scipy(latent_dim):
    mixed = mixture(5, latent_dim)
    z = 3 * np.random.default_rng(1).normal(size=(200, latent_dim)).astype(np.float32)
    z[:50] = mixed.means[:1] + 0.1 * z[:50]
    expected = expected_log_density(mixed, z, range(5)).reshape(-1)
    np.testing.assert_allclose(mixed.log_density(z), expected, rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("latent_dim", [2, 40])
def test_the_density_of_diagonal_components_is_that_of_scipy(latent_dim):
    full = mixture(5, latent_dim)
    mixed = Mixture(full.weights, full.means, full.cholesky * np.eye(latent_dim, dtype="f"))
    z = 3 * np.random.default_rng(1).normal(size=(200, latent_dim)).astype(np.float32)
    z[:50] = mixed.means[:1] + 0.1 * z[:50]
    expected = expected_log_density(mixed, z, range(5))
    np.testing.assert_allclose(mixed.log_density(z), expected, rtol=2e-6, atol=2e-5)


def test_narrow_components_far_from_the_origin_lose_no_digits():
    """A quadratic form in float32 would be wrong by 0.1 nats here."""
    factor = np.diag([0.03, 0.05]).astype(np.float32)[None]
    mixed = Mixture(np.ones(1, np.float32), np.array([[6, -5]], np.float32), factor)
    z = (mixed.means + np.random.default_rng(0).normal(size=(100, 2)) * 0.05).astype(np.float32)
    expected = expected_log_density(mixed, z, [0])
    np.testing.assert_allclose(mixed.log_density(z), expected, atol=2e-3)


def test_one_standard_component_is_the_standard_normal():
    mixed = Mixture(
        np.ones(1, np.float32), np.zeros((1, 3), np.float32), np.eye(3, dtype=np.float32)[None]
    )
    noise = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    expected = multivariate_normal(np.zeros(3), np.eye(3)).logpdf(noise)
    np.testing.assert_allclose(mixed.log_density(noise), expected, atol=1e-5)
    np.testing.assert_array_equal(mixed.latents(noise, np.full(50, 0.7)), noise)


def test_the_density_of_many_codes_is_computed_in_parts(monkeypatch):
    mixed, z = mixture(), np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    whole = mixed.log_density(z)
    monkeypatch.setattr("sample_quality.mixture.MAX_NUMBERS", 84)  # 7 rows
    np.testing.assert_allclose(mixed.log_density(z), whole, rtol=1e-6)


def test_draws_have_the_moments_of_the_mixture():
    mixed, random = mixture(), np.random.default_rng(0)
    num = 200_000
    noise = random.standard_normal((num, 4), dtype=np.float32)
    z = mixed.latents(noise, random.random(num, dtype=np.float32))
    mean = mixed.weights @ mixed.means
    second = np.einsum("k,kij,klj->il", mixed.weights, mixed.cholesky, mixed.cholesky)
    second += np.einsum("k,ki,kj->ij", mixed.weights, mixed.means, mixed.means)
    covariance = second - np.outer(mean, mean)
    error = 5 * np.sqrt(np.diag(covariance) / num)
    assert (np.abs(z.mean(axis=0) - mean) < error).all()
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.02 * np.diag(covariance).max())
    counts = np.bincount(mixed.components(random.random(num)), minlength=3)
    np.testing.assert_allclose(counts / num, mixed.weights, atol=0.005)


@pytest.mark.parametrize(("uniform", "chosen"), [(0.0, 0), (0.25, 1), (0.74, 1), (0.9999999, 2)])
def test_a_uniform_number_chooses_by_the_cumulative_weights(uniform, chosen):
    weights = np.array([0.25, 0.5, 0.25], np.float32)
    mixed = Mixture(weights, np.zeros((3, 1), np.float32), np.ones((3, 1, 1), np.float32))
    assert mixed.components(np.array([uniform]))[0] == chosen


def test_a_conditional_prior_uses_the_components_of_the_class():
    mixed = mixture(5, 4, classes=[0, 0, 1, 1, 1])
    labels = np.arange(60, dtype=np.int32) % 2
    random = np.random.default_rng(0)
    chosen = mixed.components(random.random(60), labels)
    assert (mixed.classes[chosen] == labels).all()
    z = random.normal(size=(60, 4)).astype(np.float32)
    expected = np.where(
        labels == 0,
        expected_log_density(mixed, z, [0, 1]),
        expected_log_density(mixed, z, [2, 3, 4]),
    )
    np.testing.assert_allclose(mixed.log_density(z, labels), expected, rtol=2e-6, atol=2e-5)


def decoder(seed=0, latent_dim=4):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [keras.Input((latent_dim,)), keras.layers.Dense(4), keras.layers.Reshape((2, 2, 1))],
        name="decoder",
    )


def prior_of(network, mixed):
    num, latent_dim = mixed.means.shape
    checksum = weights_sha256(network)
    record = PriorRecord(
        kind="mixture", components=num, latent_dim=latent_dim, codes=9, held_out_codes=1,
        held_out_nats=-1.0, held_out_nats_normal=-2.0, seconds=0.1,
        encoder_sha256=checksum, decoder_sha256=checksum,
    )  # fmt: skip
    return Prior(mixed, record)


@pytest.fixture
def saved(tmp_path):
    """A run folder with a prior, and the network that it belongs to."""
    network = decoder()
    save_prior(RunDir(tmp_path), prior_of(network, mixture()))
    return RunDir(tmp_path), network


def test_a_sample_is_a_function_of_seed_and_number():
    network, mixed = decoder(), mixture()
    few, many = (
        generate(network, num, 3, (-9, 9), latents=mixed.from_noise) for num in (1001, 2100)
    )
    np.testing.assert_array_equal(few, many[:1001])
    (again,) = sample_batches(network, 5, 3, latents=lambda z, seed, batch, labels: z)
    (plain,) = sample_batches(network, 5, 3)
    np.testing.assert_array_equal(again, plain)


@pytest.mark.parametrize("classes", [None, [0, 1, 1]])
def test_a_saved_prior_comes_back(tmp_path, classes):
    network, mixed = decoder(), mixture(classes=classes)
    save_prior(RunDir(tmp_path), prior_of(network, mixed))
    prior = load_prior(RunDir(tmp_path), {"decoder": network})
    for name in ("weights", "means", "cholesky", "classes"):
        np.testing.assert_array_equal(getattr(prior.mixture, name), getattr(mixed, name))
    assert prior.record.prior_sha256 == prior_checksum(RunDir(tmp_path))
    assert describe(prior) == "mixture of 3 Gaussians"


def test_temperature_scales_the_distance_from_the_mean_of_a_component(tmp_path):
    network, mixed = decoder(), mixture()
    save_prior(RunDir(tmp_path), prior_of(network, mixed).with_temperature(0.25))
    prior = load_prior(RunDir(tmp_path), {"decoder": network})
    assert describe(prior) == "mixture of 3 Gaussians at temperature 0.25"
    noise = np.random.default_rng(0).standard_normal((100, 4)).astype(np.float32)
    middle = mixed.from_noise(np.zeros_like(noise), 3, 0)
    expected = middle + 0.25 * (mixed.from_noise(noise, 3, 0) - middle)
    np.testing.assert_allclose(latents_of(prior)(noise, 3, 0), expected, atol=1e-5)


def test_the_same_mixture_gives_the_same_file(saved, tmp_path):
    run, network = saved
    (tmp_path / "other").mkdir()
    save_prior(RunDir(tmp_path / "other"), prior_of(network, mixture()))
    assert (tmp_path / "other/prior.npz").read_bytes() == (run.path / "prior.npz").read_bytes()


def test_a_run_without_a_prior_has_none(tmp_path):
    assert load_prior(RunDir(tmp_path), {"decoder": decoder()}) is None
    assert describe(None) == "N(0, I)" and prior_checksum(RunDir(tmp_path)) is None


def test_weights_in_16_bits_are_the_same_network(saved):
    run, network = saved
    network.set_weights([w.astype(np.float16).astype(np.float32) for w in network.get_weights()])
    assert load_prior(run, {"encoder": network, "decoder": network})


def rewrite(run, **changes):
    """Change arrays of prior.npz, and its checksum in prior.json."""
    with np.load(run.path / "prior.npz") as file:
        arrays = dict(file)
    np.savez(run.path / "prior.npz", **arrays | changes)
    record = json.loads((run.path / "prior.json").read_text())
    record["prior_sha256"] = sha256_of_file(run.path / "prior.npz")
    (run.path / "prior.json").write_text(json.dumps(record))


def truncate(run):
    path = run.path / "prior.npz"
    path.write_bytes(path.read_bytes()[:-100])


DAMAGES = {
    "pickled": (lambda run: rewrite(run, weights=np.array([{}, 1], object)), "Python objects"),
    "truncated": (truncate, "a damaged one"),
    "no .npz": (lambda run: (run.path / "prior.npz").unlink(), "a damaged one"),
    "no .json": (lambda run: (run.path / "prior.json").unlink(), "prior.json: cannot be read"),
    "another .npz": (
        lambda run: np.savez(run.path / "prior.npz", **vars(mixture(seed=1)) | {"classes": []}),
        "received other arrays",
    ),
    "NaN": (lambda run: rewrite(run, means=np.full((3, 4), np.nan, "f4")), "finite weights"),
    "flat": (lambda run: rewrite(run, cholesky=np.zeros((3, 4, 4), "f4")), "lower triangular"),
    "sum": (lambda run: rewrite(run, weights=np.full(3, 0.5, "f4")), "expected finite weights"),
    "shape": (lambda run: rewrite(run, means=np.zeros((2, 4), "f4")), "expected finite weights"),
    "extra": (lambda run: rewrite(run, more=np.zeros(1)), "expected the arrays"),
    "missing": (lambda run: np.savez(run.path / "prior.npz", means=1), "expected the arrays"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_prior_is_refused_in_one_sentence(saved, damage):
    (run, network), (spoil, words) = saved, DAMAGES[damage]
    spoil(run)
    with pytest.raises(UserError, match=words) as caught:
        load_prior(run, {"decoder": network})
    assert "\n" not in str(caught.value) and str(run.path) in str(caught.value)


def test_a_prior_of_another_run_is_refused(saved):
    run, network = saved
    other = decoder(seed=1)
    with pytest.raises(UserError, match="fitted with this decoder, received one fitted with anoth"):
        load_prior(run, {"decoder": other})
    with pytest.raises(UserError, match="with this encoder"):
        load_prior(run, {"encoder": other, "decoder": network})


def test_another_mixture_under_the_same_record_is_refused(saved):
    run, network = saved
    arrays = vars(mixture(seed=1))
    np.savez(run.path / "prior.npz", **{n: arrays[n] for n in ("weights", "means", "cholesky")})
    with pytest.raises(UserError, match=r"the file that prior\.json describes"):
        load_prior(run, {"decoder": network})


def test_codes_of_another_length_are_refused(saved):
    run, network = saved
    save_prior(run, Prior(mixture(latent_dim=3), prior_of(network, mixture()).record))
    with pytest.raises(UserError, match="3 components of 4 dimensions"):
        load_prior(run, {"decoder": network})
