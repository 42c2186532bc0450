"""A trained VAE and the test digits it is looked at with."""

import sys
from functools import partial

from training_run.data.datasets import load_dataset

NETWORKS = ("encoder", "decoder")


def load_data(config):
    """The data set of a run, grey as it comes; progress is reported on standard error.

    Args:
        config: the run's `VAEConfig`.

    Returns:
        `ImageData`.
    """
    return load_dataset(config.data, report=partial(print, file=sys.stderr, flush=True))


def prepare_data(config, data):
    """The images as the run's configuration wants them, grey or binarised; imports TensorFlow."""
    from vae_mnist.binarization import binarize_data

    return binarize_data(data, config.data.binarize)


def load_vae(run, config):
    """The VAE of a run folder, for looking at; imports TensorFlow.

    Args:
        run: a `RunDir`.
        config: its `VAEConfig`.

    Returns:
        A `VAE`, uncompiled. Its networks are the saved ones; it has no loss worth the name.

    Raises:
        UserError: if a network is missing, or cannot be loaded safely.
    """
    from training_run.run_folder.networks import (
        IMAGES_TO_POSTERIORS,
        LATENTS_TO_IMAGES,
        load_network,
    )
    from vae_mnist.losses import get_loss
    from vae_mnist.model import VAE

    return VAE(
        load_network(run, "encoder", IMAGES_TO_POSTERIORS),
        load_network(run, "decoder", LATENTS_TO_IMAGES),
        get_loss("squared_error"),
        batch_size=config.training.batch_size,
        seed=config.seed,
    )


def labels_at(data, indices):
    """Labels of test digits, (n,) int32, or None where the data have none."""
    return None if data.y_test is None else data.y_test[indices]
