"""Scores of a VAE only: reconstruction error and likelihood, each with its protocol."""

import numpy as np

from sample_quality.protocol import PIXELS, Protocol, mean_score
from sample_quality.scores.likelihood import (
    active_units,
    bernoulli_model,
    gaussian_model,
    importance_weighted_nll,
    negative_elbo,
)
from sample_quality.scores.reconstruction import reconstruction_errors

NUM_IMPORTANCE_SAMPLES = 200


def score_vae(encoder, decoder, images, labels, settings, *, likelihood_images, seed, note):
    """Score what a VAE makes of test images.

    Args:
        encoder, decoder: its networks.
        images: (N, H, W, C) uint8 test images; binary ones for a VAE trained on such.
        labels: (N,) int32 for conditional networks, else None.
        settings: the run's `RunSettings`.
        likelihood_images: number of images whose log p(x) is estimated, at most.
        seed: of latents and of the bootstrap.
        note: receives a sentence on the likelihood.

    Returns:
        dict of `METRICS` name to `Score`; likelihoods, in nats per image, only if the loss was one.
    """
    errors = reconstruction_errors(encoder, decoder, images, settings.value_range, labels)
    scores = {"reconstruction_error": _score("reconstruction_error", errors, PIXELS, images, seed)}
    model = latent_model(encoder, decoder, settings)
    if model is None:
        note(f"no likelihood: {_why_none(settings)}")
        return scores
    active = active_units(model, images, labels)
    note(f"{active.sum()} of {len(active)} latent dimensions are active")
    return scores | _likelihood_scores(model, images, labels, likelihood_images, seed)


def latent_model(encoder, decoder, settings):
    """The `LatentModel` that a VAE's loss trained.

    Returns:
        Bernoulli for binarised images, Gaussian for grey ones; None if the loss was neither, such
        as the cross-entropy of grey pixels.
    """
    is_binary = settings.binarize != "none"
    if is_binary and settings.reconstruction == "bernoulli":
        return bernoulli_model(encoder, decoder)
    if not is_binary and settings.log_scale is not None:
        return gaussian_model(encoder, decoder, settings.log_scale)
    return None


def _why_none(settings):
    if settings.reconstruction == "gaussian" and settings.binarize == "none":
        return "the standard deviation this VAE has learned is in no file beside its networks"
    return "the loss this VAE was trained with is no density of its images"


def _likelihood_scores(model, images, labels, num_estimated, seed):
    """-ELBO, its two terms, and -log p(x) of the first `num_estimated` images."""
    bound = negative_elbo(model, images, labels, seed=seed)
    terms = {
        "negative_elbo": bound.total,
        "elbo_reconstruction": bound.reconstruction,
        "elbo_kl": bound.kl,
    }
    scores = {
        name: _score(name, values, model.name, images, seed) for name, values in terms.items()
    }
    images, labels = images[:num_estimated], None if labels is None else labels[:num_estimated]
    estimates = importance_weighted_nll(
        model, images, labels, num_samples=NUM_IMPORTANCE_SAMPLES, seed=seed
    )
    features = f"{model.name}, {NUM_IMPORTANCE_SAMPLES} importance samples"
    name = "negative_log_likelihood"
    return scores | {name: _score(name, estimates, features, images, seed)}


def _score(name, by_image, features, images, seed):
    """A mean over test images. Nothing is generated, and real images have no such score."""
    protocol = Protocol.against(images, 0, seed, features=features)
    return mean_score(name, by_image, None, protocol, np.random.default_rng(seed))
