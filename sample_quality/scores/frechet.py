"""Fréchet distance between two sets of features, each approximated by a Gaussian."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
import tensorflow as tf

from sample_quality.numerics.products import product


class Moments(NamedTuple):
    """Mean (D,) and covariance (D, D) of features, float64."""

    mean: np.ndarray
    covariance: np.ndarray


def moments(features):
    """The `Moments` of features (N, D), N at least 2; the covariance is the unbiased one."""
    mean = features.mean(axis=0, dtype=np.float64)
    centered = features - mean
    return Moments(mean, product(centered.T, centered) / (len(features) - 1))


def frechet_distance(one, other):
    """|mean_1 - mean_2|^2 + Tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2)), the square of a distance.

    C_1 C_2 is not symmetric, and general algorithms give it a complex square root where a
    covariance is singular. R C_2 R, R the symmetric square root of C_1, has the same eigenvalues
    and is symmetric. So square roots are taken of real, non-negative numbers only.

    Args:
        one, other: `Moments`.

    Returns:
        float, 0 or more.

    Source: Dowson & Landau 1982, J. Multivariate Analysis 12; for features of images Heusel et
    al. 2017, arXiv:1706.08500, section 4.
    """
    eigenvalues, vectors = scipy.linalg.eigh(one.covariance)
    root = (vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T
    eigenvalues = scipy.linalg.eigvalsh(root @ other.covariance @ root)
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    difference = one.mean - other.mean
    traces = np.trace(one.covariance) + np.trace(other.covariance)
    return max(0.0, float(difference @ difference + traces - 2 * trace_of_root))


def resampled_frechet_distances(x, y, x_counts, y_counts):
    """Fréchet distances of several resamplings of two sets at once.

    The formula of `frechet_distance`, with float32 products of features: accurate to about 1e-5
    of the covariances' traces.

    Args:
        x, y: (N, D) and (M, D) features.
        x_counts, y_counts: (B, N) and (B, M) int, how often each row counts in each resampling.

    Returns:
        (B,) float64.
    """
    one, other = _resampled_moments(x, x_counts), _resampled_moments(y, y_counts)
    # On TensorFlow's threads: scipy's spin while they wait, see `products.py`.
    with tf.device("CPU:0"):
        eigenvalues, vectors = tf.linalg.eigh(one.covariance)
        scaled = vectors * tf.sqrt(tf.maximum(eigenvalues, 0.0))[:, None]
        root = tf.matmul(scaled, vectors, transpose_b=True)
        eigenvalues = tf.linalg.eigvalsh(root @ other.covariance @ root).numpy()
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum(axis=1)
    squares = ((one.mean - other.mean) ** 2).sum(axis=1)
    traces = np.trace(one.covariance + other.covariance, axis1=1, axis2=2)
    return squares + traces - 2 * trace_of_root


def _resampled_moments(features, counts):
    """`Moments` of resamplings: (B, D) and (B, D, D)."""
    center = features.mean(axis=0, dtype=np.float64)
    centered = (features - center).astype(np.float32)  # centred: float32 is then enough
    total = counts.sum(axis=1)[:, None]
    shift = product(counts.astype(np.float32), centered).astype(np.float64) / total
    weighted = (centered * weights[:, None] for weights in counts.astype(np.float32))
    products = np.stack([product(rows.T, centered) for rows in weighted]).astype(np.float64)
    products -= total[:, None] * shift[:, :, None] * shift[:, None]
    return Moments(center + shift, products / (total[:, None] - 1))
