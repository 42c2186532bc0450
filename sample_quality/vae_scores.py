"""Scores that only a VAE has: what it keeps of an image, and how probable it finds it."""

import math
from typing import NamedTuple

import numpy as np

from sample_quality.protocol import PIXELS, Protocol, mean_score
from sample_quality.scores.likelihood import (
    LatentModel,
    bernoulli_model,
    gaussian_model,
    importance_weighted_nll,
    negative_elbo,
)
from sample_quality.scores.reconstruction import reconstruction_errors
from training_run.data.image_data import sha256_of_array

NUM_IMPORTANCE_SAMPLES = 200


def reconstruction_scores(encoder, decoder, images, labels, *, value_range, seed):
    """`Score` of the reconstruction error.

    Args:
        encoder, decoder: the networks of a VAE.
        images: (N, H, W, C) uint8 test images; binary ones for a VAE of such.
        labels: (N,) int32 for conditional networks, else None.
        value_range: (low, high) of the networks' images.
        seed: of the bootstrap.

    Returns:
        dict of one `METRICS` name -> `Score`.
    """
    errors = reconstruction_errors(encoder, decoder, images, value_range, labels)
    return {"reconstruction_error": _score("reconstruction_error", errors, PIXELS, images, seed)}


class Density(NamedTuple):
    """A VAE as the density of images that its loss made it, and what that is called."""

    name: str
    model: LatentModel


def density(encoder, decoder, settings):
    """The `Density` that a VAE was trained to be.

    Args:
        encoder, decoder: its networks.
        settings: its run's `RunSettings`.

    Returns:
        `Density`: Bernoulli for binarised images, Gaussian for grey ones; None where the loss was
        neither, such as the cross-entropy of grey pixels.
    """
    is_binary = settings.binarize != "none"
    if is_binary and settings.reconstruction == "bernoulli":
        return Density("Bernoulli likelihood", bernoulli_model(encoder, decoder))
    if not is_binary and settings.log_scale is not None:
        name = f"Gaussian density on [0, 1], standard deviation {math.exp(settings.log_scale):.3g}"
        return Density(name, gaussian_model(encoder, decoder, settings.log_scale))
    return None


def likelihood_scores(found, images, labels, num_estimated, *, seed):
    """`Score`s of -ELBO, its two terms, and of the importance-weighted -log p(x).

    Args:
        found: the VAE's `Density`.
        images: (N, H, W, C) uint8 test images, binary ones for Bernoulli pixels.
        labels: (N,) int32 for conditional networks, else None.
        num_estimated: how many of them get the importance-weighted estimate, which takes
            `NUM_IMPORTANCE_SAMPLES` decodings of each.
        seed: of latents and bootstrap.

    Returns:
        dict of `METRICS` name -> `Score`, nats per image.
    """
    bound = negative_elbo(found.model, images, labels, seed=seed)
    some = slice(num_estimated)
    estimate = importance_weighted_nll(
        found.model,
        images[some],
        None if labels is None else labels[some],
        num_samples=NUM_IMPORTANCE_SAMPLES,
        seed=seed,
    )
    kind = f"{found.name}, {NUM_IMPORTANCE_SAMPLES} importance samples"
    terms = {
        "negative_elbo": bound.total,
        "elbo_reconstruction": bound.reconstruction,
        "elbo_kl": bound.kl,
    }
    scores = {
        name: _score(name, values, found.name, images, seed) for name, values in terms.items()
    }
    name = "negative_log_likelihood"
    return scores | {name: _score(name, estimate, kind, images[some], seed)}


def _score(name, by_image, features, images, seed):
    """`Score` of a mean over test images; nothing is generated, and real images have none."""
    protocol = Protocol(features, "", "test", sha256_of_array(images), len(images), 0, seed)
    return mean_score(name, by_image, None, protocol, np.random.default_rng(seed))
