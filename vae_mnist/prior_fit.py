"""A learned prior for a finished run: fitted to its codes, and written."""

import os
from pathlib import Path
from typing import NamedTuple

from training_run.errors import UserError
from training_run.run_folder.find import is_bundled
from training_run.run_folder.paths import RunDir
from training_run.tensorflow_import import import_tensorflow
from vae_mnist.binarization import binarize_data
from vae_mnist.trained import load_data, load_vae


class PriorRequest(NamedTuple):
    """A fit that is asked for; None stands for the run's own setting.

    Attributes:
        components: number of Gaussians.
        temperature: factor of their standard deviations where samples are drawn.
        seed: of random numbers.
    """

    components: int | None = None
    temperature: float | None = None
    seed: int | None = None


def fit_run_prior(run, config, request, folder):
    """Fit a mixture of Gaussians to the codes of a run's training images.

    Args:
        run: the `RunDir`.
        config: its `VAEConfig`.
        request: the `PriorRequest`.
        folder: an existing one for prior.npz, prior.json and prior.png; None to write nothing.

    Returns:
        The `Prior`.

    Raises:
        UserError: the folder cannot be written to or has a trained prior, the images do not allow
            as many Gaussians, or the images or the networks cannot be read.
    """
    if folder is not None:
        check_folder(folder)
        check_own_prior(config, run, folder)
    data = load_data(config)
    check_number(request.components, config, data)
    import_tensorflow()
    from sample_quality.priors import save_prior
    from vae_mnist.prior_picture import write_prior_picture
    from vae_mnist.priors import fit_prior

    data, vae = binarize_data(data, config.data.binarize), load_vae(run, config)
    seed = config.seed if request.seed is None else request.seed
    prior = fit_prior(vae, data, config, request.components or config.prior.components, seed)
    vae.prior = prior.with_temperature(request.temperature or config.prior.temperature)
    if folder is not None:
        save_prior(RunDir(folder), vae.prior)
        write_prior_picture(folder / "prior.png", vae, data, seed)
    return vae.prior


def default_folder(run):
    """Where a run's prior goes: its folder; for a bundled model, the working directory."""
    return Path() if is_bundled(run) else run.path


def check_own_prior(config, run, folder):
    """Raise `UserError` if the fit would replace a prior that was trained with the networks."""
    if config.prior.kind == "vamp" and folder.resolve() == run.path.resolve():
        raise UserError(
            f"--out: expected another folder than {folder}, whose prior.kind vamp has been trained "
            "with its networks, received none"
        )


def check_folder(folder):
    """Raise `UserError` if a folder to write to is none, or may not be written to."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(
            f"--out: expected an existing folder that can be written to, received {folder}"
        )


def check_number(components, config, data):
    """Raise `UserError` for a --components that the run's training images do not allow."""
    if components is None:
        return
    least = data.num_classes if config.model.conditional else 1
    if not least <= components <= len(data.x_train):
        raise UserError(
            f"--components: expected {least:,} to {len(data.x_train):,} Gaussians for "
            f"{len(data.x_train):,} training images, received {components:,}"
        )
