"""Expectation-maximisation of a mixture of Gaussians, of codes that are Gaussians themselves.

EM has two steps (Dempster et al. 1977; Bishop 2006, section 9.2). With the features of a code,
phi(z) = (1, z_i, z_i z_j), both are one matrix product:

    E: log w_k N(z; m_k, S_k) = c_k . phi(z); its softmax over k is the responsibility r_k(z)
    M: sum of r_k(z) phi(z) over the codes gives w_k, m_k, S_k

A code is no point, but a Gaussian q(z|x). The features enter by their expectation under it, which
adds the posterior's variance to z_i^2. So nothing is drawn, and one pass over the images counts for
as many draws as one likes.
"""

import math

import numpy as np

PSEUDO_COUNT, NUM_NEIGHBOURS = 60.0, 10
"""Codes' worth of the covariance of its nearest components that each one gets, and their number."""

FLOOR = 1e-4
"""Added to the variances, as a share of a code's variance: no component becomes a point."""

MAX_FEATURES = 2**24
"""Features in memory at once: 64 MB."""


def fit_gaussians(codes, components, seed, iterations):
    """Weights (K,), means (K, d) and Cholesky factors (K, d, d) of a mixture, float64.

    The codes are standardised first, so that one floor of the variances suits all.
    """
    shift = codes.means.mean(axis=0, dtype=np.float64)
    scale = np.sqrt(codes.means.var(axis=0, dtype=np.float64) + codes.variances.mean(axis=0))
    scaled_means = ((codes.means - shift) / scale).astype(np.float32)
    scaled_variances = (codes.variances / scale**2).astype(np.float32)
    weights, means, covariances = start(scaled_means, scaled_variances, components, seed)
    for _ in range(iterations):
        c = coefficients(weights, means, covariances)
        weights, means, covariances = maximize(
            sum_features(scaled_means, scaled_variances, c), codes.means.shape[1]
        )
    cholesky = np.linalg.cholesky(covariances)
    return weights, shift + scale * means, scale[:, None] * cholesky


def start(means, variances, components, seed):
    """k-means on the means of codes: weights, centres, and one covariance for all components.

    Source: Sculley 2010, "Web-scale k-means clustering".
    """
    from sklearn.cluster import MiniBatchKMeans

    clusters = MiniBatchKMeans(
        components,
        batch_size=4096,
        n_init=1,
        max_iter=5,
        max_no_improvement=None,  # to stop early would depend on the order of a sum
        random_state=seed,
    ).fit(means)
    centres = clusters.cluster_centers_.astype(np.float64)
    within = (means - centres[clusters.labels_]).astype(np.float64)
    covariance = within.T @ within / len(means) + np.diag(variances.mean(axis=0))
    covariance += FLOOR * np.eye(len(covariance))
    counts = np.bincount(clusters.labels_, minlength=components) + 1.0
    return counts / counts.sum(), centres, np.repeat(covariance[None], components, axis=0)


def features(means, variances):
    """E[phi(z)] under N(mean, variance), phi(z) = (1, z_i, z_i z_j for i <= j).

    Args:
        means, variances: (n, d) float32.

    Returns:
        (n, 1 + d + d (d + 1) / 2) float32 tensor.
    """
    import tensorflow as tf

    rows, columns = np.triu_indices(means.shape[1])
    products = tf.gather(means, rows, axis=1) * tf.gather(means, columns, axis=1)
    on_diagonal = (rows == columns).astype(np.float32)
    products += tf.gather(variances, rows, axis=1) * on_diagonal
    return tf.concat([tf.ones((len(means), 1)), means, products], axis=1)


def coefficients(weights, means, covariances):
    """c_k with c_k . phi(z) = log w_k N(z; m_k, S_k).

    Args:
        weights, means, covariances: (K,), (K, d), (K, d, d) float64.

    Returns:
        (K, 1 + d + d (d + 1) / 2) float64.
    """
    latent_dim = means.shape[1]
    rows, columns = np.triu_indices(latent_dim)
    precisions = np.linalg.inv(covariances)
    linear = np.einsum("kij,kj->ki", precisions, means)
    quadratic = -0.5 * precisions[:, rows, columns] * np.where(rows == columns, 1, 2)
    _, log_determinants = np.linalg.slogdet(covariances)
    constant = np.log(weights) - 0.5 * (
        (linear * means).sum(axis=1) + log_determinants + latent_dim * math.log(2 * math.pi)
    )
    return np.concatenate([constant[:, None], linear, quadratic], axis=1)


def sum_features(means, variances, c):
    """The E-step: sums of features over codes, each counted by its responsibilities.

    Args:
        means, variances: (n, d) float32, of the codes.
        c: (K, F), from `coefficients`.

    Returns:
        (K, F) float64.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, equation 9.23.
    """
    import tensorflow as tf

    c, sums = tf.convert_to_tensor(c, tf.float32), np.zeros(c.shape)
    rows = max(1, MAX_FEATURES // c.shape[1])
    for begin in range(0, len(means), rows):
        part = slice(begin, begin + rows)
        phi = features(means[part], variances[part])
        responsibilities = tf.nn.softmax(tf.matmul(phi, c, transpose_b=True))
        sums += tf.matmul(responsibilities, phi, transpose_a=True).numpy()
    return sums


def maximize(sums, latent_dim):
    """The M-step: weights, means and covariances of summed features.

    A component's scatter is joined by `PSEUDO_COUNT` codes' worth of its neighbours' covariance:
    one of few codes leans on those around it, and many components overfit less. It is the mode
    under an inverse Wishart distribution of the covariance.

    Args:
        sums: (K, F) float64, from `sum_features`.
        latent_dim: d.

    Returns:
        (K,), (K, d), (K, d, d) float64.

    Sources: Bishop 2006, equations 9.24 to 9.26; Fraley & Raftery 2007, section 3 (the prior).
    """
    rows, columns = np.triu_indices(latent_dim)
    counts = sums[:, 0] + 1e-6
    means = sums[:, 1 : 1 + latent_dim] / counts[:, None]
    scatters = np.empty((len(counts), latent_dim, latent_dim))
    scatters[:, rows, columns] = scatters[:, columns, rows] = sums[:, 1 + latent_dim :]
    scatters -= counts[:, None, None] * means[:, :, None] * means[:, None, :]
    covariances = scatters + PSEUDO_COUNT * neighbours_covariances(counts, means, scatters)
    covariances /= (counts + PSEUDO_COUNT)[:, None, None]
    return counts / counts.sum(), means, covariances + FLOOR * np.eye(latent_dim)


def neighbours_covariances(counts, means, scatters):
    """For each component the covariance within the `NUM_NEIGHBOURS` nearest ones, itself included.

    Args and result: (K,), (K, d), (K, d, d) float64 give (K, d, d).
    """
    squares = np.square(means).sum(axis=1)
    distances = squares[:, None] - 2 * means @ means.T + squares
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NUM_NEIGHBOURS]
    is_near = np.zeros((len(counts), len(counts)))
    np.put_along_axis(is_near, nearest, 1.0, axis=1)
    within = np.tensordot(is_near, scatters, axes=1)
    return within / (is_near @ counts)[:, None, None]
