"""The terms of the VAE's loss, as pure functions.

The loss is the negative evidence lower bound (Kingma & Welling 2014, arXiv:1312.6114, equation 3),

    -ELBO(x) = E_q(z|x)[-log p(x|z)] + KL(q(z|x) || p(z)).

The first term, the reconstruction loss, is summed over the pixels of an example, and the KL over
the latent dimensions. Both are then averaged over the batch. (A mean over 784 pixels would make the
reconstruction 784 times too light, and the code would carry no information.) Both have a weight:

    loss = C * reconstruction + beta * KL

C is source 003's, beta source 002's. Only their ratio moves the minimum; C also scales the loss and
its gradient, which Adam hardly notices. What the numbers mean:

- `squared_error`: with C = 1 / (2 sigma^2) and beta = 1 the loss is -ELBO in nats, up to a
  constant, for Gaussian pixels with standard deviation sigma (C = 1: 0.71, C = 50: 0.1).
- `bernoulli`, `gaussian`: the loss is -ELBO in nats where C = beta = 1. Another ratio trades
  reconstruction for compression (beta-VAE, Higgins et al. 2017).
"""

import math
from typing import NamedTuple

import tensorflow as tf

from sample_quality.scores.likelihood import MAX_LOG_VAR, capped_log_var
from training_run.step.replicas import mean_over_replicas

MIN_LOG_SCALE = -6.0
"""Lower bound of a learned log-scale: e^-6 = 0.0025, less than a grey level (1/255)."""


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

    For binary pixels it is -log p(x|z). For grey pixels it is the mean of this over random
    binarisations. That is not a likelihood of the grey image, and its minimum is above zero.

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

    A pixel adds (x - mean)^2 / (2 scale^2) + log scale + log(2 pi) / 2. A learned scale tends to
    the root mean squared error per pixel, so the weight C = 1 / (2 scale^2) is learned too.

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
    """A smooth map of the real line to (MIN_LOG_SCALE, inf), close to the identity far above it.

    Without it the scale of a decoder that gets every pixel right would shrink for ever.

    Source: the soft clipping of the authors' code for Rybkin et al. 2021, arXiv:2006.13202.
    """
    return MIN_LOG_SCALE + tf.nn.softplus(value - MIN_LOG_SCALE)


RECONSTRUCTION_LOSSES = {
    "squared_error": lambda x, logits, log_scale: squared_error(x, tf.sigmoid(logits)),
    "bernoulli": lambda x, logits, log_scale: bernoulli_cross_entropy(x, logits),
    "gaussian": lambda x, logits, log_scale: gaussian_nll(x, tf.sigmoid(logits), log_scale),
}
"""Name to function of (images in [0, 1], logits, log_scale); only `gaussian` uses log_scale."""


def sample_posterior(z_mean, z_log_var, epsilon):
    """The reparameterisation trick: z = mean + standard deviation * epsilon.

    Args:
        z_mean: (batch, latent_dim) float32.
        z_log_var: (batch, latent_dim) float32, natural log of the variance, cut at
            MAX_LOG_VAR so that z stays finite. (The KL then pulls it back.)
        epsilon: (batch, latent_dim) float32, standard normal.

    Returns:
        (batch, latent_dim) float32.

    Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.4.
    """
    return z_mean + tf.exp(0.5 * capped_log_var(z_log_var)) * epsilon


def kl_per_dimension(z_mean, z_log_var):
    """KL divergence of N(mean, exp(log_var)) from N(0, I), one term per latent dimension.

    A term is (exp(log_var) - 1 - log_var + mean^2) / 2. An example's KL is the sum of its terms.
    Above MAX_LOG_VAR, where exp would soon overflow, its tangent replaces it: the value is too
    small, but finite, and the gradient still pushes the log-variance down, as a clamp would not.

    Args:
        z_mean: (batch, latent_dim) float32.
        z_log_var: (batch, latent_dim) float32, natural log of the variance.

    Returns:
        (batch, latent_dim) float32, nats.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B.
    """
    exact = capped_log_var(z_log_var)
    beyond = tf.nn.relu(z_log_var - MAX_LOG_VAR)
    # expm1 is exact near v = 0 (a collapsed posterior), where exp(v) - 1 - v loses its digits.
    excess = tf.math.expm1(exact) - exact + math.expm1(MAX_LOG_VAR) * beyond
    return 0.5 * (excess + tf.square(z_mean))


def free_bits(kl, minimum):
    """Mean KL in which each latent dimension counts at least `minimum`.

    Below the minimum a dimension has no KL gradient. This keeps dimensions from being switched off
    early in training.

    Args:
        kl: (batch, latent_dim) float32, nats, from `kl_per_dimension`.
        minimum: lambda, nats per dimension; 0 gives the mean KL.

    Returns:
        Scalar float32, nats per example: the sum over dimensions of max(minimum, mean over the
        batch). On several devices the batch is the global one.

    Source: Kingma et al. 2016, arXiv:1606.04934, equation 15, each dimension a group.
    """
    mean = tf.reduce_mean(kl, axis=0)
    if minimum:  # 0 needs no global mean: the devices' means are averaged later
        mean = mean_over_replicas(mean)
    return tf.reduce_sum(tf.maximum(mean, minimum))


def beta_at(step, beta, warmup_steps):
    """Weight of the KL at a step: it grows linearly and is `beta` after `warmup_steps`.

    Args:
        step: scalar integer tensor or int, number of steps done before.
        beta: final weight.
        warmup_steps: int, steps with a smaller weight, from beta / (warmup_steps + 1) on.

    Returns:
        Scalar float32 in [0, beta].

    Source: Sønderby et al. 2016, arXiv:1602.02282, section 2.3 (warm-up).
    """
    progress = (tf.cast(step, tf.float32) + 1.0) / (warmup_steps + 1.0)
    return beta * tf.minimum(progress, 1.0)


class VAELoss(NamedTuple):
    """What a VAE minimises: C * reconstruction + beta * KL.

    Attributes:
        reconstruction: a name in RECONSTRUCTION_LOSSES.
        c: weight of the reconstruction, above 0.
        beta: final weight of the KL.
        warmup_steps: steps over which the weight of the KL grows to beta.
        free_bits: minimum KL that counts, nats per latent dimension.
        importance_samples: codes per image; with more than 1 the loss is the bound of Burda et al.
    """

    reconstruction: str
    c: float = 1.0
    beta: float = 1.0
    warmup_steps: int = 0
    free_bits: float = 0.0
    importance_samples: int = 1
