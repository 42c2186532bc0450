"""Bounds on log p(x) from sampled codes, as pure functions.

The weight of a code z of an image x, drawn from q(z|x), is w = p(x|z) p(z) / q(z|x), and

    L_k(x) = E[log (w_1 + ... + w_k) / k] <= log p(x).

L_1 is the ELBO, and L_k grows with k towards log p(x) (Burda et al. 2016, arXiv:1509.00519, theorem
1). -log w has the two terms of the ELBO, each of one code: the reconstruction loss -log p(x|z) and
log q(z|x) - log p(z), whose mean over codes is the KL. So any prior will do whose density is known.
"""

import math

import tensorflow as tf

from vae_mnist.losses import MAX_LOG_VAR

LOG_2_PI = math.log(2 * math.pi)


def importance_weighted_bound(losses):
    """-log((1/k) sum_i exp(-loss_i)): the importance-weighted -L_k of each image.

    Args:
        losses: (batch, k) float32, -log w of each code, nats.

    Returns:
        (batch,) float32, nats; with k = 1 the loss itself.

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    return math.log(losses.shape[1]) - tf.reduce_logsumexp(-losses, axis=1)


def sampled_kl(z, z_log_var, epsilon, log_prior):
    """log q(z|x) - log p(z) of codes z = mean + standard deviation * epsilon.

    Its mean over epsilon is KL(q(z|x) || p(z)). Above MAX_LOG_VAR, where `sample_posterior` cuts
    the log-variance, the tangent of `kl_per_dimension` pushes it down.

    Args:
        z: (batch, k, latent_dim) float32.
        z_log_var: (batch, 1, latent_dim) float32, natural log of q's variance.
        epsilon: like z, the standard normal numbers that z is made of.
        log_prior: function of (n, latent_dim) codes giving log p(z), (n,) nats.

    Returns:
        (batch, k) float32, nats; it may be negative.
    """
    log_var = tf.minimum(z_log_var, MAX_LOG_VAR)
    log_q = -0.5 * tf.reduce_sum(tf.square(epsilon) + log_var + LOG_2_PI, axis=-1)
    beyond = 0.5 * math.expm1(MAX_LOG_VAR) * tf.nn.relu(z_log_var - MAX_LOG_VAR)
    log_p = log_prior(tf.reshape(z, (-1, z.shape[-1])))
    return log_q - tf.reshape(log_p, (-1, z.shape[1])) + tf.reduce_sum(beyond, axis=-1)


def log_standard_normal(z):
    """log N(z; 0, I), (n,) nats, of codes (n, latent_dim)."""
    return -0.5 * tf.reduce_sum(tf.square(z) + LOG_2_PI, axis=-1)


def log_mixture(z, means, log_vars):
    """log of (1/K) sum_j N(z; means_j, diag(exp(log_vars_j))).

    The squares are written out, so that two matrix products serve all pairs of code and component.

    Args:
        z: (n, latent_dim) float32.
        means, log_vars: (K, latent_dim) float32; log-variances are cut at +-MAX_LOG_VAR.

    Returns:
        (n,) float32, nats.
    """
    log_vars = tf.clip_by_value(log_vars, -MAX_LOG_VAR, MAX_LOG_VAR)
    precisions = tf.exp(-log_vars)
    constants = tf.reduce_sum(log_vars + LOG_2_PI + tf.square(means) * precisions, axis=-1)
    squares = tf.matmul(tf.square(z), precisions, transpose_b=True)
    products = tf.matmul(z, means * precisions, transpose_b=True)
    log_densities = products - 0.5 * (squares + constants)
    return tf.reduce_logsumexp(log_densities, axis=-1) - math.log(means.shape[0])
