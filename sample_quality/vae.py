"""Scores that only a VAE has: what it keeps of an image, and how probable it finds it."""

import numpy as np

from sample_quality.likelihood import (
    bernoulli_model,
    importance_weighted_nll,
    negative_elbo,
)
from sample_quality.protocol import PIXELS, Protocol, mean_score
from sample_quality.reconstruction import reconstruction_errors
from training_run.image_data import sha256_of_array

NUM_IMPORTANCE_SAMPLES = 500

NUM_LIKELIHOOD_IMAGES = 1000
"""Images for the importance-weighted estimate, which takes that many decodings of each."""


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


def likelihood_scores(encoder, decoder, images, labels, *, seed):
    """`Score`s of -ELBO and of the importance-weighted -log p(x), of a VAE with Bernoulli pixels.

    Args:
        encoder, decoder, labels: as for `reconstruction_scores`.
        images: (N, H, W, C) uint8, binary.
        seed: of latents and bootstrap.

    Returns:
        dict of `METRICS` name -> `Score`, nats per image.
    """
    model = bernoulli_model(encoder, decoder)
    bound = negative_elbo(model, images, labels, seed=seed).total
    some = slice(NUM_LIKELIHOOD_IMAGES)
    estimate = importance_weighted_nll(
        model,
        images[some],
        None if labels is None else labels[some],
        num_samples=NUM_IMPORTANCE_SAMPLES,
        seed=seed,
    )
    kind = f"Bernoulli likelihood, {NUM_IMPORTANCE_SAMPLES} importance samples"
    return {
        "negative_elbo": _score("negative_elbo", bound, "Bernoulli likelihood", images, seed),
        "negative_log_likelihood": _score(
            "negative_log_likelihood", estimate, kind, images[some], seed
        ),
    }


def _score(name, by_image, features, images, seed):
    """`Score` of a mean over test images; nothing is generated, and real images have none."""
    protocol = Protocol(features, "", "test", sha256_of_array(images), len(images), 0, seed)
    return mean_score(name, by_image, None, protocol, np.random.default_rng(seed))
