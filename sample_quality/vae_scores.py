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


def score_vae(encoder, decoder, images, labels, settings, *, effort, seed, note, mixture=None):
    """Score what a VAE makes of test images.

    Args:
        encoder, decoder: its networks.
        images: (N, H, W, C) uint8 test images; binary ones for a VAE trained on such.
        labels: (N,) int32 for conditional networks, else None.
        settings: the run's `RunSettings`.
        effort: the `LikelihoodEffort`.
        seed: of latents and of the bootstrap.
        note: receives a sentence on the likelihood.
        mixture: the `Mixture` of a learned prior, or None.

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
    if settings.binarize != "none":
        note(f"{settings.binarize} binarisation of training images, one fixed draw of test images")
    if settings.prior == "vamp" and mixture is None:
        note("no likelihood: prior.npz, which was trained with the networks, is missing")
        return scores
    learned = None if mixture is None else mixture.log_density
    own = learned if settings.prior == "vamp" else None
    priors = {"negative_log_likelihood": own}
    if learned is not own:
        priors["negative_log_likelihood_learned_prior"] = learned
    return (
        scores
        | _bound_scores(model, images, labels, own, seed)
        | _likelihood_scores(model, images, labels, priors, effort, seed)
    )


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


def _bound_scores(model, images, labels, log_prior, seed):
    """-ELBO and its two terms, under the prior that the networks were trained with."""
    bound = negative_elbo(model, images, labels, seed=seed, log_prior=log_prior)
    terms = {
        "negative_elbo": bound.total,
        "elbo_reconstruction": bound.reconstruction,
        "elbo_kl": bound.kl,
    }
    return {name: _score(name, values, model.name, images, seed) for name, values in terms.items()}


def _likelihood_scores(model, images, labels, priors, effort, seed):
    """-log p(x) of the first images, by the same samples of z under each prior.

    Args:
        priors: dict of `METRICS` name to function of (z, labels) giving log p(z), None for N(0, I).
    """
    images = images[: effort.num_images]
    labels = None if labels is None else labels[: effort.num_images]
    features = f"{model.name}, {effort.num_samples} importance samples"
    scores = {}
    for name, prior in priors.items():
        estimates = importance_weighted_nll(
            model, images, labels, num_samples=effort.num_samples, seed=seed, log_prior=prior
        )
        scores[name] = _score(name, estimates, features, images, seed)
    return scores


def _score(name, by_image, features, images, seed):
    """A mean over test images. Nothing is generated, and real images have no such score."""
    protocol = Protocol.against(images, 0, seed, features=features)
    return mean_score(name, by_image, None, protocol, np.random.default_rng(seed))
