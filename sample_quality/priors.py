"""A learned prior of a VAE: its density, its draws, and its files `prior.npz` and `prior.json`.

A trained VAE's codes are not distributed as N(0, I), which its samples are drawn from by habit. A
mixture of Gaussians fitted to the codes (`vae_mnist.priors`) is a better p(z). What such a prior is
for samples, scores and reports stands here; nothing here knows how it was fitted.

A prior belongs to one run's networks. Its record holds their checksums, so that a prior of another
run, or of the same run at another step, is refused.
"""

import math
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from training_run.config.records import Record, read_record, write_record
from training_run.errors import UserError
from training_run.files import atomic_path, sha256_of_file
from training_run.run_folder.networks import weights_sha256

FORMAT = 1

NORMAL = "N(0, I)"
"""The name of the standard normal prior."""

SUFFIX = "_normal_prior"
"""Ends the name of a score of samples of N(0, I), where a run has a learned prior as well."""

MAX_NUMBERS = 2**23
"""Numbers in memory at once for a density: 32 MB."""

TOLERANCE = 1e-3
"""Largest distance from 1 of a sum of float32 weights."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """p(z) = sum_k w_k N(z; m_k, L_k L_k'), or one such mixture for each class.

    Attributes:
        weights: (K,) float32, positive; their sum is 1, with `classes` in each class.
        means: (K, d) float32.
        cholesky: (K, d, d) float32, lower triangular, positive diagonals.
        classes: (K,) int32, the class that each component belongs to; None for a prior that does
            not depend on the class.
    """

    weights: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray
    classes: np.ndarray | None = None

    def log_density(self, z, labels=None):
        """log p(z), or log p(z | class).

        The distance from a component is the length of L_k^-1 (z - m_k). All components together are
        one matrix product, and large terms never cancel, as they do in a quadratic form of z.

        Args:
            z: (n, d) float32.
            labels: (n,) int32, where there are `classes`.

        Returns:
            (n,) float32, nats.
        """
        rows = max(1, MAX_NUMBERS // self.means.size)
        parts = [slice(start, start + rows) for start in range(0, len(z), rows)]
        return np.concatenate(
            [self._log_density(z[part], None if labels is None else labels[part]) for part in parts]
        )

    def _log_density(self, z, labels):
        import tensorflow as tf

        if self.classes is None and self._is_diagonal:
            return self._diagonal_log_density(z)
        whitening, offsets, log_scales = self._whitening
        num_components, latent_dim = self.means.shape
        y = tf.matmul(tf.convert_to_tensor(z, tf.float32), whitening) - offsets
        y = tf.reshape(y, (-1, num_components, latent_dim))
        terms = log_scales - 0.5 * tf.reduce_sum(tf.square(y), axis=2)
        if self.classes is not None:
            terms = tf.where(np.asarray(labels)[:, None] == self.classes, terms, -np.inf)
        return tf.reduce_logsumexp(terms, axis=1).numpy()

    @cached_property
    def _is_diagonal(self):
        off_diagonal = ~np.eye(self.means.shape[1], dtype=bool)
        return not self.cholesky[:, off_diagonal].any()

    def _diagonal_log_density(self, z):
        """As `log_density`, d times cheaper: a quadratic form, whose terms float64 lets cancel."""
        z, means = np.asarray(z, np.float64), self.means.astype(np.float64)
        scales = np.einsum("kii->ki", self.cholesky).astype(np.float64)
        precisions = scales**-2
        normalizers = (means**2 * precisions + 2 * np.log(scales) + math.log(2 * math.pi)).sum(1)
        quadratic = z**2 @ precisions.T - 2 * z @ (means * precisions).T + normalizers
        terms = np.log(self.weights.astype(np.float64)) - 0.5 * quadratic
        largest = terms.max(axis=1, keepdims=True)
        sums = np.exp(terms - largest).sum(axis=1)
        return (largest[:, 0] + np.log(sums)).astype(np.float32)

    @cached_property
    def _whitening(self):
        """(d, K d) and (K d,): z times the first, less the second, is every L_k^-1 (z - m_k).
        (K,): log w_k less log |L_k| and the normalising constant. All float32."""
        latent_dim = self.means.shape[1]
        inverses = np.linalg.inv(self.cholesky.astype(np.float64))
        offsets = np.einsum("kij,kj->ki", inverses, self.means)
        log_determinants = np.log(np.einsum("kii->ki", self.cholesky, dtype=np.float64)).sum(axis=1)
        constant = 0.5 * latent_dim * math.log(2 * math.pi)
        log_scales = np.log(self.weights.astype(np.float64)) - log_determinants - constant
        arrays = inverses.reshape(-1, latent_dim).T, offsets.ravel(), log_scales
        return tuple(np.ascontiguousarray(array, np.float32) for array in arrays)

    def latents(self, noise, uniform, labels=None):
        """Draws of the prior, each a function of its own row of random numbers.

        The uniform number chooses a component by the inverse of the cumulative weights; the draw is
        its mean + L times the normal numbers.

        Args:
            noise: (n, d) float32, standard normal.
            uniform: (n,) float32 in [0, 1).
            labels: (n,) int32, where there are `classes`.

        Returns:
            (n, d) float32.
        """
        noise, chosen = np.asarray(noise), self.components(np.asarray(uniform), labels)
        moved = np.matmul(self.cholesky[chosen], noise[:, :, None])[:, :, 0]
        return self.means[chosen] + moved

    def components(self, uniform, labels=None):
        """Number of the component that each of (n,) uniform numbers chooses, (n,) int."""
        if self.classes is None:
            return choose(self.weights, uniform)
        labels, chosen = np.asarray(labels), np.empty(len(uniform), int)
        for label in np.unique(labels):
            numbers, rows = np.flatnonzero(self.classes == label), labels == label
            chosen[rows] = numbers[choose(self.weights[numbers], uniform[rows])]
        return chosen

    def from_noise(self, noise, seed, batch, labels=None):
        """`latents` with uniform numbers that are a function of (seed, batch).

        Arguments and result are those of the `latents` of `training_run.step.sampling.generate`.
        """
        from training_run.step.batches import draw_uniform

        uniform = draw_uniform(seed, "component", batch, (len(noise),))
        return self.latents(noise, uniform, labels)


def choose(weights, uniform):
    """Index of the weight that each uniform number falls on, (n,) int."""
    cumulative = np.cumsum(weights, dtype=np.float64)
    chosen = np.searchsorted(cumulative / cumulative[-1], uniform, side="right")
    return np.minimum(chosen, len(weights) - 1)


class PriorRecord(Record):
    """The content of a `prior.json`.

    Attributes:
        format: version of the two files.
        kind: how the prior was made: "mixture".
        components: number of Gaussians.
        latent_dim: length of a code.
        codes: number of images whose codes it was fitted to.
        held_out_codes: number of other images that it was tried on.
        held_out_nats, held_out_nats_normal: mean log-density of a code of theirs under the prior,
            and under N(0, I).
        seconds: time of the fit.
        temperature: factor of the standard deviations of each Gaussian where samples are drawn.
            The densities, `held_out_nats` among them, are those of temperature 1.
        encoder_sha256, decoder_sha256: of the networks' weights, see `weights_sha256`.
        prior_sha256: of `prior.npz`.
    """

    format: int = FORMAT
    kind: str
    components: int
    latent_dim: int
    codes: int
    held_out_codes: int
    held_out_nats: float
    held_out_nats_normal: float
    seconds: float
    temperature: Annotated[float, Field(gt=0, le=1)] = 1.0
    encoder_sha256: str
    decoder_sha256: str
    prior_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Prior:
    """A learned prior: its `Mixture` and its `PriorRecord`."""

    mixture: Mixture
    record: PriorRecord

    def with_temperature(self, temperature):
        """The same prior, drawn from at another temperature.

        Below 1 samples are more typical and less diverse: precision rises, recall falls. Source:
        Kingma & Dhariwal 2018, "Glow", section 5 (sampling at reduced temperature).
        """
        return replace(self, record=self.record.model_copy(update={"temperature": temperature}))

    def from_noise(self, noise, seed, batch, labels=None):
        """Draws of the mixture at the record's temperature; see `Mixture.from_noise`."""
        cooled = np.float32(self.record.temperature) * np.asarray(noise)
        return self.mixture.from_noise(cooled, seed, batch, labels)


def describe(prior):
    """A prior in words, of a `Prior` or None."""
    if prior is None:
        return NORMAL
    num = len(prior.mixture.weights)
    plural = "s" if num > 1 else ""
    return f"mixture of {num:,} Gaussian{plural}{at_temperature(prior.record.temperature)}"


def at_temperature(temperature):
    """The end of a description; empty for 1, the temperature of a fitted density."""
    return "" if temperature == 1 else f" at temperature {temperature:g}"


def latents_of(prior):
    """The argument `latents` of `training_run.step.sampling.generate`, of a `Prior` or None."""
    return None if prior is None else prior.from_noise


def prior_files(run):
    """Paths of a run's prior.npz and prior.json."""
    return run.path / "prior.npz", run.path / "prior.json"


def remove_prior(run):
    """Remove a run's prior, if it has one."""
    arrays, record = prior_files(run)
    record.unlink(missing_ok=True)
    arrays.unlink(missing_ok=True)


def prior_checksum(run):
    """SHA-256 of a run's prior.npz; None if it has none."""
    arrays, _ = prior_files(run)
    return sha256_of_file(arrays) if arrays.is_file() else None


def save_prior(run, prior):
    """Write a `Prior` as prior.npz and prior.json. The same mixture gives the same prior.npz."""
    path, record_path = prior_files(run)
    mixture = prior.mixture
    arrays = {"weights": mixture.weights, "means": mixture.means, "cholesky": mixture.cholesky}
    if mixture.classes is not None:
        arrays["classes"] = mixture.classes
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    checksum = sha256_of_file(path)
    write_record(record_path, prior.record.model_copy(update={"prior_sha256": checksum}))


def load_prior(run, networks):
    """A run's learned prior.

    Args:
        run: the `RunDir`.
        networks: dict of its loaded networks; "encoder" and "decoder" are compared with those that
            the prior was fitted with.

    Returns:
        A `Prior`; None for a run without prior.npz and prior.json.

    Raises:
        UserError: the prior belongs to other networks, or a file is missing or damaged.
    """
    path, record_path = prior_files(run)
    if not path.is_file() and not record_path.is_file():
        return None
    record = read_record(record_path, PriorRecord)
    if record.format != FORMAT:
        raise UserError(f"{record_path}: format: expected {FORMAT}, received {record.format}")
    for name, network in networks.items():
        if weights_sha256(network) != getattr(record, f"{name}_sha256"):
            raise UserError(
                f"{path}: expected a prior fitted with this {name}, received one fitted with "
                f"another; fit it again: python -m vae_mnist.fit_prior {run.path}"
            )
    mixture = read_mixture(path)
    if sha256_of_file(path) != record.prior_sha256:
        raise UserError(f"{path}: expected the file that prior.json describes, received another")
    if mixture.means.shape != (record.components, record.latent_dim):
        raise UserError(
            f"{path}: expected {record.components} components of {record.latent_dim} dimensions, "
            f"received means of shape {mixture.means.shape}"
        )
    return Prior(mixture, record)


def read_mixture(path):
    """The `Mixture` in a `.npz`; nothing is unpickled.

    Raises:
        UserError: it cannot be read, or its arrays are no mixture.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        mixture = Mixture(**arrays)
    except (OSError, EOFError, ValueError, TypeError, zlib.error, zipfile.BadZipFile):
        raise UserError(
            f"{path}: expected the arrays weights, means and cholesky, received a file without "
            "them, a damaged one, or one with Python objects"
        ) from None
    if not is_mixture(mixture):
        raise UserError(
            f"{path}: expected finite weights (K,), means (K, d) and lower triangular cholesky "
            "(K, d, d) of a mixture of Gaussians, received other arrays"
        )
    return mixture


def is_mixture(mixture):
    """True if the arrays have the shapes, types and ranges that `Mixture` names."""
    weights, means, cholesky = mixture.weights, mixture.means, mixture.cholesky
    if means.ndim != 2 or not means.size or weights.shape != means.shape[:1]:
        return False
    if cholesky.shape != (*means.shape, means.shape[1]):
        return False
    if any(a.dtype != np.float32 or not np.isfinite(a).all() for a in (weights, means, cholesky)):
        return False
    if (np.triu(cholesky, 1) != 0).any() or (np.einsum("kii->ki", cholesky) <= 0).any():
        return False
    classes = np.zeros(len(weights), np.int32) if mixture.classes is None else mixture.classes
    if classes.shape != weights.shape or classes.dtype != np.int32 or classes.min() < 0:
        return False
    sums = np.bincount(classes, weights)
    return bool((weights > 0).all() and np.allclose(sums, 1, atol=TOLERANCE))
