"""A trained VAE and its images, for the picture commands."""

import sys
from functools import partial

from training_run.data.datasets import load_dataset

NETWORKS = ("encoder", "decoder")


def load_data(config):
    """The `ImageData` of a `VAEConfig`, not binarised; progress goes to standard error."""
    return load_dataset(config.data, report=partial(print, file=sys.stderr, flush=True))


def load_vae(run, config):
    """A `VAE` for inference, uncompiled, with the saved networks; imports TensorFlow.

    Its loss is not that of the run.

    Args:
        run: a `RunDir`.
        config: its `VAEConfig`.

    Raises:
        UserError: if a network is missing, or cannot be loaded safely.
    """
    from training_run.run_folder.networks import (
        IMAGES_TO_POSTERIORS,
        LATENTS_TO_IMAGES,
        load_network,
    )
    from vae_mnist.losses import VAELoss
    from vae_mnist.model import VAE

    decoder = load_network(run, "decoder", LATENTS_TO_IMAGES)
    has_raw = run.network("decoder_raw").is_file()  # a calibrated decoder beside the trained one
    vae = VAE(
        load_network(run, "encoder", IMAGES_TO_POSTERIORS),
        load_network(run, "decoder_raw", LATENTS_TO_IMAGES) if has_raw else decoder,
        VAELoss("squared_error"),
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    vae.sampling_decoder = decoder
    return vae


def load_vae_with_prior(run, config, kind=None):
    """As `load_vae`, with the run's learned prior, if it has one, as `prior`.

    Raises:
        UserError: also if the prior belongs to other networks, or is damaged.
    """
    from sample_quality.priors import load_prior

    vae = load_vae(run, config)
    networks = {name: vae.networks()[name] for name in ("encoder", "decoder")}
    vae.prior = None if kind == "normal" else load_prior(run, networks)
    return vae


def labels_at(data, indices):
    """Labels of test images, (n,) int32; None if the data have none."""
    return None if data.y_test is None else data.y_test[indices]
