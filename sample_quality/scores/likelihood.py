"""Likelihoods of latent-variable models: bounds and estimates of -log p(x).

All numbers are nats per image. They have a meaning only where p(x|z) is a proper density: Bernoulli
on binary images, or Gaussian with its normalising constant on grey ones. The two cannot be
compared: one is a probability, the other a density on [0, 1]^D.

    -log p(x) <= importance-weighted estimate <= -ELBO, on average over the noise.

Noise is a function of the seed, the sample's number and the batch. One batch of decoded images is
in memory at a time.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from training_run.step.batches import draw_normal, draw_uniform, scale_images
from training_run.step.networks import logits_network

BATCH = 1000
"""Images encoded or decoded at once."""

BINARIZATION_SEED = 2011
"""The same for all runs and scores, so that they share one binarised data set."""

MAX_LOG_VAR = 20.0
"""Larger log-variances of a posterior are taken for this one, in training too: its width is e^10 =
22,000 times the prior's, and a little above the exponential would overflow."""

ACTIVE_VARIANCE = 0.01
"""Variance of an active unit's posterior mean over images, at least."""


def as_float(images):
    """Images as a float32 tensor; uint8 ones are scaled to [0, 1]."""
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return scale_images(images, (0.0, 1.0))
    return tf.convert_to_tensor(images, tf.float32)


def as_binary(images):
    """Binary images as a float32 tensor of zeros and ones.

    Raises:
        ValueError: if a pixel is grey. A Bernoulli decoder is no density of grey images.
    """
    x = as_float(images)
    if not tf.reduce_all((x == 0.0) | (x == 1.0)):
        raise ValueError("A Bernoulli likelihood needs binary images. Received: grey ones")
    return x


class LatentModel(NamedTuple):
    """A model p(z) p(x|z) as the estimators need it; p(z) = N(0, I) where nothing else is said.

    Attributes:
        encode: function of (images, labels) giving mean and log-variance of q(z|x), (n, latent_dim)
            each. Labels are (n,) int32, or None for a model without classes.
        log_likelihood: function of (images, z, labels) giving log p(x|z), (n,) in nats.
        prepare: function of the user's images giving what the other two take.
        name: of the density, as a protocol records it.
    """

    encode: Callable
    log_likelihood: Callable
    prepare: Callable = as_float
    name: str = ""


class NegativeELBO(NamedTuple):
    """-ELBO of each image and its two terms, (N,) float64, nats per image."""

    total: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


def bernoulli_model(encoder, decoder):
    """The `LatentModel` of binary images (uint8 0 and 255, or floats 0 and 1).

    Args:
        encoder: images to [z_mean, z_log_var]; conditional networks take labels as second input.
        decoder: z to images; it must end in `Activation("sigmoid")`.
    """
    logits_of = logits_network(decoder)

    def log_likelihood(x, z, labels):
        logits = logits_of(_inputs(z, labels), training=False)
        terms = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
        return -_sum_pixels(terms)

    return LatentModel(_encode_by(encoder), log_likelihood, as_binary, "Bernoulli likelihood")


def gaussian_model(encoder, decoder, log_scale):
    """The `LatentModel` of images (uint8, or floats in [0, 1]) whose pixels are Gaussian.

    Args:
        encoder, decoder: as for `bernoulli_model`, but the decoder may end in any layer.
        log_scale: natural log of the standard deviation of all pixels.
    """

    def log_likelihood(x, z, labels):
        means = decoder(_inputs(z, labels), training=False)
        normalizer = math.prod(x.shape[1:]) * (log_scale + 0.5 * math.log(2 * math.pi))
        return -0.5 * math.exp(-2 * log_scale) * _sum_pixels(tf.square(x - means)) - normalizer

    name = f"Gaussian density on [0, 1], standard deviation {math.exp(log_scale):.3g}"
    return LatentModel(_encode_by(encoder), log_likelihood, name=name)


def negative_elbo(model, images, labels=None, *, seed=0, log_prior=None):
    """-ELBO(x) = E_q(z|x)[-log p(x|z)] + KL(q(z|x) || p(z)), with one sample of z per image.

    The KL from N(0, I) is exact up to `MAX_LOG_VAR`. Above it goes on as a tangent, as in training:
    it is then larger than that of the posterior which z is drawn from, so the bound holds. The KL
    from another prior is that of the one sample. The value of one image is noisy; the mean over
    10,000 hardly is.

    Args:
        model: `LatentModel`.
        images: (N, H, W, C), what the model's `prepare` takes.
        labels: (N,) int32 for a conditional model.
        seed: of the noise.
        log_prior: function of (z, labels) giving log p(z), (n,) in nats; None for N(0, I).

    Returns:
        `NegativeELBO`.

    Source: Kingma & Welling 2014, arXiv:1312.6114, equation 3.
    """
    log_likelihood = tf.function(model.log_likelihood)
    terms = []
    for start, x, y, z_mean, z_log_var in _posteriors(model, images, labels):
        z, epsilon = _draw_posterior(z_mean, z_log_var, seed, start, 0)
        capped = capped_log_var(z_log_var)
        excess = tf.math.expm1(capped) - capped + math.expm1(MAX_LOG_VAR) * (z_log_var - capped)
        kl = 0.5 * tf.reduce_sum(excess + z_mean**2, axis=1)
        if log_prior is not None:
            kl = 0.5 * tf.reduce_sum(z**2 - epsilon**2 - capped, axis=1)
            kl += log_normal(z) - log_prior(z, y)
        terms.append((-log_likelihood(x, z, y), kl))
    reconstruction, kl = (
        np.concatenate(term).astype(np.float64) for term in zip(*terms, strict=True)
    )
    return NegativeELBO(reconstruction + kl, reconstruction, kl)


def importance_weighted_nll(model, images, labels=None, *, num_samples, seed=0, log_prior=None):
    """Importance-weighted estimate of -log p(x), with K samples of z per image.

    -log( (1 / K) sum_k p(x|z_k) p(z_k) / q(z_k|x) ), z_k from q(z|x), as a running log-sum-exp. On
    average it is an upper bound that falls towards -log p(x) as K grows. K = 1 is -ELBO with a
    sampled KL.

    Args:
        model, images, labels, seed: as for `negative_elbo`.
        num_samples: K. The samples of a smaller K are the first ones of a larger.
        log_prior: function of (z, labels) giving log p(z), (n,) in nats; None for N(0, I).

    Returns:
        (N,) float64, nats per image.

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    log_likelihood = tf.function(model.log_likelihood)
    parts = []
    for start, x, y, z_mean, z_log_var in _posteriors(model, images, labels):
        log_sum = np.full(len(x), -np.inf)
        for sample in range(num_samples):
            z, epsilon = _draw_posterior(z_mean, z_log_var, seed, start, sample)
            # log p(z) - log q(z|x): the constants cancel, and epsilon is z standardised.
            log_ratio = 0.5 * tf.reduce_sum(epsilon**2 - z**2 + capped_log_var(z_log_var), axis=1)
            if log_prior is not None:
                log_ratio += log_prior(z, y) - log_normal(z)
            log_weight = log_likelihood(x, z, y) + log_ratio
            log_sum = np.logaddexp(log_sum, log_weight.numpy().astype(np.float64))
        parts.append(log_sum)
    return math.log(num_samples) - np.concatenate(parts)


def log_normal(z):
    """log N(z; 0, I) of (n, latent_dim) float32: (n,), nats."""
    return -0.5 * (_sum_pixels(tf.square(z)) + z.shape[1] * math.log(2 * math.pi))


def active_units(model, images, labels=None):
    """True for each latent dimension whose posterior mean varies with the image.

    Args:
        model, images, labels: as for `negative_elbo`.

    Returns:
        (latent_dim,) bool; its sum is the number of active units.

    Source: Burda et al. 2016, arXiv:1509.00519, section 5.1 (variance above 0.01).
    """
    batches = _posteriors(model, images, labels)
    z_mean = np.concatenate([z_mean for _, _, _, z_mean, _ in batches])
    return np.var(z_mean.astype(np.float64), axis=0) > ACTIVE_VARIANCE


def binarize_images(images, split):
    """Draw each pixel from Bernoulli(pixel / 255), the same draw at every call.

    The draw of image k depends on k and the split, not on the images after it.

    Args:
        images: (N, H, W, C) uint8, from the first image of the split on.
        split: "train" or "test".

    Returns:
        (N, H, W, C) uint8, 0 or 255.

    Source: Salakhutdinov & Murray 2008, ICML; Larochelle & Murray 2011, AISTATS.
    """
    binary = np.empty_like(images)
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        shape = (BATCH, *images.shape[1:])
        uniform = draw_uniform(BINARIZATION_SEED, f"binarize_{split}", start, shape)
        thresholds = uniform.numpy()[: len(part)]
        binary[start : start + BATCH] = np.where(thresholds < part / np.float32(255), 255, 0)
    return binary


def capped_log_var(z_log_var):
    """Log-variances, (N, latent_dim) float32, of the posteriors that z is drawn from."""
    return tf.minimum(z_log_var, MAX_LOG_VAR)


def _posteriors(model, images, labels):
    """Yield (first image's number, prepared images, labels, mean, log-variance) of each batch."""
    encode = tf.function(model.encode)
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        x = model.prepare(images[part])
        y = None if labels is None else tf.constant(labels[part], tf.int32)
        yield start, x, y, *encode(x, y)


def _draw_posterior(z_mean, z_log_var, seed, start, sample):
    """A sample of q(z|x) and the standard normal numbers it is made of."""
    epsilon = draw_normal(seed, f"likelihood_{start}", sample, z_mean.shape)
    return z_mean + tf.exp(0.5 * capped_log_var(z_log_var)) * epsilon, epsilon


def _encode_by(encoder):
    return lambda images, labels: encoder(_inputs(images, labels), training=False)


def _inputs(tensor, labels):
    return tensor if labels is None else [tensor, labels]


def _sum_pixels(values):
    return tf.reduce_sum(values, axis=range(1, len(values.shape)))
