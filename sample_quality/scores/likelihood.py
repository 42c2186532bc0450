"""How probable a latent-variable model finds images: bounds on and estimates of -log p(x).

All numbers are natural logarithms (nats) and per image, and mean something only where p(x|z) is a
proper density: Bernoulli on binary images, Gaussian with its normalising constant on grey ones.
The two cannot be compared: one is a probability, the other a density on [0, 1]^D.

    -log p(x) <= importance-weighted estimate <= -ELBO, on average over the noise.

Noise is a function of the seed, the sample's number and the batch. Memory is that of one batch of
decoded images, whatever the number of images and samples.
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


def as_float(images):
    """Images as float32, uint8 ones scaled to [0, 1]."""
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return scale_images(images, (0.0, 1.0))
    return tf.convert_to_tensor(images, tf.float32)


def as_binary(images):
    """Binary images as float32 zeros and ones.

    Raises:
        ValueError: if a pixel is neither black nor white: a Bernoulli decoder is no density of grey
            images, and its cross-entropy on them is not comparable with any likelihood.
    """
    x = as_float(images)
    if not tf.reduce_all((x == 0.0) | (x == 1.0)):
        raise ValueError("A Bernoulli likelihood needs binary images. Received: grey ones")
    return x


class LatentModel(NamedTuple):
    """The parts of a model p(z) p(x|z), p(z) = N(0, I), that the estimators need.

    Attributes:
        encode: (images (n, ...), labels) -> (mean, log-variance) of q(z|x), (n, latent_dim) each.
        log_likelihood: (images (n, ...), z (n, latent_dim), labels) -> log p(x|z) (n,), in nats.
        prepare: images as the user has them -> images as the two functions take them.

    `labels` are (n,) int32, or None for a model without classes.
    """

    encode: Callable
    log_likelihood: Callable
    prepare: Callable = as_float


class NegativeELBO(NamedTuple):
    """-ELBO of each image and its two terms, (N,) float64, nats per image."""

    total: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


def bernoulli_model(encoder, decoder):
    """The model of two Keras networks whose pixels are Bernoulli.

    Args:
        encoder: images -> [z_mean, z_log_var]; conditional networks take labels as second input.
        decoder: z -> images; it must end in `Activation("sigmoid")`.

    Returns:
        `LatentModel` of binary images: uint8 0 and 255, or floats 0 and 1.
    """
    logits_of = logits_network(decoder)

    def log_likelihood(x, z, labels):
        logits = logits_of(_inputs(z, labels), training=False)
        terms = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
        return -_sum_pixels(terms)

    return LatentModel(_encode_by(encoder), log_likelihood, prepare=as_binary)


def gaussian_model(encoder, decoder, log_scale):
    """The model of two Keras networks whose pixels are Gaussian with one standard deviation.

    Args:
        encoder, decoder: as for `bernoulli_model`, whatever the decoder ends in.
        log_scale: natural log of the standard deviation, pixels being in [0, 1].

    Returns:
        `LatentModel` of uint8 images, or of floats in the decoder's range.
    """

    def log_likelihood(x, z, labels):
        means = decoder(_inputs(z, labels), training=False)
        normalizer = math.prod(x.shape[1:]) * (log_scale + 0.5 * math.log(2 * math.pi))
        return -0.5 * math.exp(-2 * log_scale) * _sum_pixels(tf.square(x - means)) - normalizer

    return LatentModel(_encode_by(encoder), log_likelihood)


def negative_elbo(model, images, labels=None, *, seed=0, batch_size=BATCH):
    """-ELBO(x) = E_q(z|x)[-log p(x|z)] + KL(q(z|x) || p(z)), with one sample of z per image.

    The KL is exact. In the mean over the 10,000 test digits the sampling of z hardly shows; an
    image's own value is noisy.

    Args:
        model: `LatentModel`.
        images: (N, H, W, C), what the model's `prepare` takes.
        labels: (N,) int32 for a conditional model.
        seed: of the noise.
        batch_size: images at once.

    Returns:
        `NegativeELBO`.

    Source: Kingma & Welling 2014, arXiv:1312.6114, equation 3.
    """
    log_likelihood = tf.function(model.log_likelihood)
    terms = []
    for start, x, y, z_mean, z_log_var in _posteriors(model, images, labels, batch_size):
        z, _ = _draw_posterior(z_mean, z_log_var, seed, start, 0)
        kl = 0.5 * tf.reduce_sum(tf.math.expm1(z_log_var) - z_log_var + z_mean**2, axis=1)
        terms.append((-log_likelihood(x, z, y), kl))
    reconstruction, kl = (
        np.concatenate(term).astype(np.float64) for term in zip(*terms, strict=True)
    )
    return NegativeELBO(reconstruction + kl, reconstruction, kl)


def importance_weighted_nll(model, images, labels=None, *, num_samples, seed=0, batch_size=BATCH):
    """The importance-weighted estimate of -log p(x), with K samples of z per image.

    -log( (1 / K) sum_k p(x|z_k) p(z_k) / q(z_k|x) ), z_k from q(z|x), as a running log-sum-exp. On
    average it is an upper bound, which falls towards -log p(x) as K grows; K = 1 is -ELBO, with a
    sampled KL.

    Args:
        model, images, labels, seed, batch_size: as for `negative_elbo`.
        num_samples: K. The samples of a smaller K are the first ones of a larger.

    Returns:
        (N,) float64, nats per image.

    Source: Burda et al. 2016, arXiv:1509.00519, equation 8.
    """
    log_likelihood = tf.function(model.log_likelihood)
    parts = []
    for start, x, y, z_mean, z_log_var in _posteriors(model, images, labels, batch_size):
        log_sum = np.full(len(x), -np.inf)
        for sample in range(num_samples):
            z, epsilon = _draw_posterior(z_mean, z_log_var, seed, start, sample)
            # log p(z) - log q(z|x), in which the constants cancel: epsilon is z, standardised.
            log_ratio = 0.5 * tf.reduce_sum(epsilon**2 - z**2 + z_log_var, axis=1)
            log_weight = log_likelihood(x, z, y) + log_ratio
            log_sum = np.logaddexp(log_sum, log_weight.numpy().astype(np.float64))
        parts.append(log_sum)
    return math.log(num_samples) - np.concatenate(parts)


def active_units(z_mean, threshold=0.01):
    """Which latent dimensions carry information: those whose posterior mean varies with x.

    Args:
        z_mean: (N, latent_dim), posterior means of N images.
        threshold: least variance over the images.

    Returns:
        (latent_dim,) bool; its sum is the number of active units.

    Source: Burda et al. 2016, arXiv:1509.00519, section 5.1 (variance above 0.01).
    """
    return np.var(np.asarray(z_mean, np.float64), axis=0) > threshold


def posterior_means(model, images, labels=None, *, batch_size=BATCH):
    """Means of q(z|x) for all images, (N, latent_dim) float32: what `active_units` looks at."""
    batches = _posteriors(model, images, labels, batch_size)
    return np.concatenate([z_mean for _, _, _, z_mean, _ in batches])


def binarize_images(images, split, seed=BINARIZATION_SEED):
    """Draw each pixel from Bernoulli(pixel / 255), once and for all.

    Image k of a split gets the same draw however many images come after it.

    Args:
        images: (N, H, W, C) uint8.
        split: "train" or "test", which get different noise.
        seed: of the draw; another one makes another data set.

    Returns:
        (N, H, W, C) uint8, 0 or 255.

    Source: Salakhutdinov & Murray 2008, ICML; Larochelle & Murray 2011, AISTATS.
    """
    binary = np.empty_like(images)
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        shape = (BATCH, *images.shape[1:])
        thresholds = draw_uniform(seed, f"binarize_{split}", start, shape).numpy()[: len(part)]
        binary[start : start + BATCH] = np.where(thresholds < part / np.float32(255), 255, 0)
    return binary


def _posteriors(model, images, labels, batch_size):
    """Yield (first image's number, prepared images, labels, mean, log-variance) of each batch."""
    encode = tf.function(model.encode)
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        x = model.prepare(images[part])
        y = None if labels is None else tf.constant(labels[part], tf.int32)
        yield start, x, y, *encode(x, y)


def _draw_posterior(z_mean, z_log_var, seed, start, sample):
    """A sample of q(z|x) and the standard normal numbers it is made of."""
    epsilon = draw_normal(seed, f"likelihood_{start}", sample, z_mean.shape)
    return z_mean + tf.exp(0.5 * z_log_var) * epsilon, epsilon


def _encode_by(encoder):
    return lambda images, labels: encoder(_inputs(images, labels), training=False)


def _inputs(tensor, labels):
    return tensor if labels is None else [tensor, labels]


def _sum_pixels(values):
    return tf.reduce_sum(values, axis=range(1, len(values.shape)))
