"""The terms of the VAE's loss, as small pure functions.

The evidence lower bound of Kingma & Welling 2014 (arXiv:1312.6114, equation 3), with the sign
turned so that it is minimised, is

    -ELBO(x) = E_q(z|x)[-log p(x|z)] + KL(q(z|x) || p(z)).

The first term is the reconstruction loss. It is summed over the pixels of an example, as KL is
summed over the latent dimensions, and only then are both averaged over the batch. (Averaged over
pixels it would be 784 times too light beside KL, and the code would carry nothing.)

Two weights can be set on the terms:

    loss = C * reconstruction + beta * KL

C is source 003's, C * ||x - x^||^2 + KL, and beta is source 002's, reconstruction + beta * KL.
Both turn the same knob: dividing by C > 0 moves no minimum, so (C, beta) and (1, beta / C) train
the same model. What differs is the size of the loss and of its gradient (to which Adam is all but
blind), and what the numbers mean:

- For `squared_error`, C = 1 / (2 sigma^2) makes C * ||x - x^||^2 the negative log-density of a
  Gaussian with standard deviation sigma at every pixel, up to a constant. With beta = 1 the loss is
  then -ELBO in nats, up to that constant: C = 1 means sigma = 0.71, C = 50 means sigma = 0.1.
- For `bernoulli` and `gaussian` the reconstruction is in nats already: C = 1 and beta = 1 give
  -ELBO, and any other ratio trades reconstruction for compression (Higgins et al. 2017, beta-VAE).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from training_run.step.replicas import mean_over_replicas

MAX_LOG_VAR = 20.0
"""Log-variance up to which all is exact: a posterior e^10 = 22,000 times as wide as the prior."""

MIN_LOG_SCALE = -6.0
"""Least log of a learned scale on [0, 1]: e^-6 = 0.0025, finer than a grey level (1/255)."""


def squared_error(images, means):
    """Squared error, summed over pixels per example: ||x - x^||^2.

    Args:
        images: (batch, height, width, channels) float32.
        means: the same shape, the reconstructions.

    Returns:
        (batch,) float32, squared units of the images' range per example.

    Sources: 002 and 003 (which leaves the square out; see C above).
    """
    return tf.reduce_sum(tf.square(images - means), axis=(1, 2, 3))


def bernoulli_cross_entropy(images, logits):
    """Cross-entropy of pixels in [0, 1] with Bernoulli(sigmoid(logits)), summed per example.

    For binary pixels it is -log p(x|z). For grey ones it is the mean of that over their
    binarisations, so not a likelihood of the grey image, and not zero at its best.

    Args:
        images: (batch, height, width, channels) float32 in [0, 1].
        logits: the same shape, before the sigmoid; exact for any finite value.

    Returns:
        (batch,) float32, nats per example.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix C.1.
    """
    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
    return tf.reduce_sum(cross_entropy, axis=(1, 2, 3))


def gaussian_nll(images, means, log_scale):
    """-log N(x; means, scale^2 I) with its normalising constant, summed over pixels per example.

    Each of the D pixels contributes (x - mean)^2 / (2 scale^2) + log scale + log(2 pi) / 2. Learned
    along with the networks, the scale goes to the root of the mean squared error per pixel, and so
    sets the weight C = 1 / (2 scale^2) by itself.

    Args:
        images: (batch, height, width, channels) float32.
        means: the same shape.
        log_scale: scalar float32, natural log of the standard deviation, in the images' units.

    Returns:
        (batch,) float32, nats per example. A density can exceed 1, so this may be negative.

    Source: Rybkin et al. 2021, arXiv:2006.13202, section 3.
    """
    num_pixels = math.prod(images.shape[1:])
    normalizer = num_pixels * (log_scale + 0.5 * math.log(2 * math.pi))
    return 0.5 * tf.exp(-2.0 * log_scale) * squared_error(images, means) + normalizer


def bounded_log_scale(value):
    """A smooth map of the real line onto (MIN_LOG_SCALE, inf), close to the identity above it.

    Where a decoder gets every pixel right (one constant image, say) the likelihood has no maximum:
    the scale would shrink for ever and the loss fall without end.

    Source: the soft clipping of the authors' code for Rybkin et al. 2021, arXiv:2006.13202.
    """
    return MIN_LOG_SCALE + tf.nn.softplus(value - MIN_LOG_SCALE)


RECONSTRUCTION_LOSSES = {
    "squared_error": lambda images, logits, log_scale: squared_error(images, tf.sigmoid(logits)),
    "bernoulli": lambda images, logits, log_scale: bernoulli_cross_entropy(images, logits),
    "gaussian": lambda images, logits, log_scale: gaussian_nll(
        images, tf.sigmoid(logits), log_scale
    ),
}
"""Reconstruction losses by their name in the configuration: functions of (images in [0, 1], the
decoder's logits, log_scale) giving (batch,). Only `gaussian` looks at log_scale."""


def sample_posterior(z_mean, z_log_var, epsilon):
    """The reparameterisation trick: z = mean + standard deviation * epsilon.

    Args:
        z_mean: (batch, latent_dim) float32.
        z_log_var: (batch, latent_dim) float32, natural log of the variance; what is above
            MAX_LOG_VAR counts as MAX_LOG_VAR, so that z stays finite (KL then pulls it back).
        epsilon: (batch, latent_dim) float32, standard normal.

    Returns:
        (batch, latent_dim) float32.

    Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4.
    """
    return z_mean + tf.exp(0.5 * tf.minimum(z_log_var, MAX_LOG_VAR)) * epsilon


def kl_divergence(z_mean, z_log_var):
    """KL divergence of N(mean, exp(log_var)) from N(0, I).

    Args:
        z_mean: (batch, latent_dim) float32.
        z_log_var: (batch, latent_dim) float32, natural log of the variance.

    Returns:
        (batch,) float32, nats per example.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B.
    """
    return tf.reduce_sum(kl_per_dimension(z_mean, z_log_var), axis=1)


def kl_per_dimension(z_mean, z_log_var):
    """The summands of `kl_divergence`: (exp(log_var) - 1 - log_var + mean^2) / 2.

    Small log-variances need no clamp: the KL grows like -log_var / 2 and its slope tends to -1/2.
    For large ones exp overflows, so above MAX_LOG_VAR it goes on along its tangent: the value is
    then too small, but finite, and its slope still pushes the log-variance down. (A clamp would
    not: on exp alone it leaves a slope of -1/2, which pushes up, and on the log-variance none.)

    Args:
        z_mean: (batch, latent_dim) float32.
        z_log_var: (batch, latent_dim) float32, natural log of the variance.

    Returns:
        (batch, latent_dim) float32, nats.
    """
    exact = tf.minimum(z_log_var, MAX_LOG_VAR)
    beyond = tf.nn.relu(z_log_var - MAX_LOG_VAR)
    # expm1, since exp(v) - 1 - v cancels near v = 0, where a collapsed posterior sits.
    excess = tf.math.expm1(exact) - exact + math.expm1(MAX_LOG_VAR) * beyond
    return 0.5 * (excess + tf.square(z_mean))


def free_bits(kl, minimum):
    """Mean KL in which no latent dimension counts for less than `minimum`.

    A dimension below it has no gradient: the decoder may use that much of it for nothing, which
    keeps dimensions from being switched off early in training.

    Args:
        kl: (batch, latent_dim) float32, nats, from `kl_per_dimension`.
        minimum: lambda, nats per dimension; at 0 the result is the mean of `kl_divergence`.

    Returns:
        Scalar float32, nats per example: sum over dimensions of max(minimum, mean over the batch);
        on several devices that is the global batch.

    Source: Kingma et al. 2016, arXiv:1606.04934, equation 15, each dimension a group.
    """
    mean = tf.reduce_mean(kl, axis=0)
    if minimum:  # without one it is a sum over examples, which each device can do for itself
        mean = mean_over_replicas(mean)
    return tf.reduce_sum(tf.maximum(mean, minimum))


def beta_at(step, beta, warmup_steps):
    """The KL's weight at a step: it grows by equal amounts and is `beta` after `warmup_steps`.

    Args:
        step: scalar integer tensor or int, steps done before this one.
        beta: final weight.
        warmup_steps: int, steps with a smaller weight; the first has beta / (warmup_steps + 1).

    Returns:
        Scalar float32 in [0, beta].

    Source: Sønderby et al. 2016, arXiv:1602.02282, section 2.3 (warm-up of the variational
    regularisation term).
    """
    progress = (tf.cast(step, tf.float32) + 1.0) / (warmup_steps + 1.0)
    return beta * tf.minimum(progress, 1.0)


class VAELoss(NamedTuple):
    """What a VAE minimises: C * reconstruction + beta * KL.

    Attributes:
        reconstruction: (images, logits, log_scale) -> (batch,), a value of RECONSTRUCTION_LOSSES.
        c: weight of the reconstruction.
        beta: final weight of the KL.
        warmup_steps: steps over which the KL's weight grows to beta.
        free_bits: nats of KL per latent dimension that cost nothing more.
        learns_scale: whether the composite must hold a log-scale for the reconstruction.
    """

    reconstruction: Callable
    c: float
    beta: float
    warmup_steps: int
    free_bits: float
    learns_scale: bool


def get_loss(reconstruction, *, c=1.0, beta=1.0, warmup_steps=0, free_bits=0.0):
    """Put a loss together from the values of a configuration.

    Args:
        reconstruction: a key of RECONSTRUCTION_LOSSES.
        c, beta, warmup_steps, free_bits: as in `VAELoss`.

    Returns:
        VAELoss.

    Raises:
        ValueError: for an unknown name, c <= 0, or another value below 0.
    """
    if reconstruction not in RECONSTRUCTION_LOSSES:
        known = ", ".join(RECONSTRUCTION_LOSSES)
        raise ValueError(
            f"The reconstruction loss must be one of {known}. Received: {reconstruction!r}"
        )
    if c <= 0 or min(beta, warmup_steps, free_bits) < 0:
        raise ValueError(
            "The weights must be c > 0 and beta, warmup_steps and free_bits >= 0. "
            f"Received: {c=}, {beta=}, {warmup_steps=}, {free_bits=}"
        )
    return VAELoss(
        reconstruction=RECONSTRUCTION_LOSSES[reconstruction],
        c=c,
        beta=beta,
        warmup_steps=warmup_steps,
        free_bits=free_bits,
        learns_scale=reconstruction == "gaussian",
    )
