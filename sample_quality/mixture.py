"""A mixture of Gaussians: its density and its draws."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
