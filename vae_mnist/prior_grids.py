"""Sample grids of a run with a learned prior: from the prior of that step, else from N(0, I)."""

from sample_quality.priors import at_temperature, describe, latents_of

WIDEST_TITLE = "prior: mixture of 88,888 Gaussians"
"""Grids of all steps have room for it, since the frames of a GIF have one size."""


def latents_of_now(vae, config):
    """The `latents` of a run's `sample_grid`: those of `vae.prior` at each call.

    None if the run has no learned prior.
    """
    if config.prior.kind == "normal":
        return None

    def latents(noise, seed, batch, labels):
        draw = latents_of(vae.prior)
        return noise if draw is None else draw(noise, seed, batch, labels)

    return latents


def titles_of_now(vae, config):
    """The `Family.grid_titles` of a run: they name `vae.prior` at each call."""
    if config.prior.kind == "normal":
        return None
    widest = WIDEST_TITLE + at_temperature(config.prior.temperature)
    return lambda: (f"prior: {describe(vae.prior)}", widest)
