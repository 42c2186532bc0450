"""A learned prior of a VAE: a mixture, its record, and their files `prior.npz` and `prior.json`.

A trained VAE's codes are not distributed as N(0, I), which its samples are drawn from by habit. A
mixture of Gaussians fitted to the codes (`vae_mnist.priors`) is a better p(z). What such a prior is
for samples, scores and reports stands here; nothing here knows how it was fitted.

A prior belongs to one run's networks. Its record holds their checksums, so that a prior of another
run, or of the same run at another step, is refused.
"""

import zipfile
import zlib
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from sample_quality.mixture import Mixture, is_mixture
from training_run.config.records import Record, read_record, write_record
from training_run.errors import UserError
from training_run.files import atomic_path, sha256_of_file
from training_run.run_folder.networks import weights_sha256

FORMAT = 1

NORMAL = "N(0, I)"
"""The name of the standard normal prior."""

SUFFIX = "_normal_prior"
"""Ends the name of a score of samples of N(0, I), where a run has a learned prior as well."""


class PriorRecord(Record):
    """The content of a `prior.json`.

    Attributes:
        format: version of the two files.
        kind: how the prior was made: "mixture".
        components: number of Gaussians.
        latent_dim: length of a code.
        codes: number of images whose codes it was fitted to.
        held_out_codes: number of other images that it was tried on.
        held_out_nats, held_out_nats_normal: mean log-density of a code of theirs under the prior,
            and under N(0, I).
        seconds: time of the fit.
        temperature: factor of the standard deviations of each Gaussian where samples are drawn.
            The densities, `held_out_nats` among them, are those of temperature 1.
        encoder_sha256, decoder_sha256: of the networks' weights, see `weights_sha256`.
        prior_sha256: of `prior.npz`.
    """

    format: int = FORMAT
    kind: str
    components: int
    latent_dim: int
    codes: int
    held_out_codes: int
    held_out_nats: float
    held_out_nats_normal: float
    seconds: float
    temperature: Annotated[float, Field(gt=0, le=1)] = 1.0
    encoder_sha256: str
    decoder_sha256: str
    prior_sha256: str = ""


@dataclass(frozen=True, eq=False)
class Prior:
    """A learned prior: its `Mixture` and its `PriorRecord`."""

    mixture: Mixture = field(repr=False)  # its arrays would fill a screen
    record: PriorRecord

    def with_temperature(self, temperature):
        """The same prior, drawn from at another temperature.

        Below 1 samples are more typical and less diverse: precision rises, recall falls. Source:
        Kingma & Dhariwal 2018, "Glow", section 5 (sampling at reduced temperature).
        """
        return replace(self, record=self.record.model_copy(update={"temperature": temperature}))

    def from_noise(self, noise, seed, batch, labels=None):
        """Draws of the mixture at the record's temperature; see `Mixture.from_noise`."""
        cooled = np.float32(self.record.temperature) * np.asarray(noise)
        return self.mixture.from_noise(cooled, seed, batch, labels)


def describe(prior):
    """A prior in words, of a `Prior` or None."""
    if prior is None:
        return NORMAL
    num = len(prior.mixture.weights)
    plural = "s" if num > 1 else ""
    return f"mixture of {num:,} Gaussian{plural}{at_temperature(prior.record.temperature)}"


def at_temperature(temperature):
    """The end of a description; empty for 1, the temperature of a fitted density."""
    return "" if temperature == 1 else f" at temperature {temperature:g}"


def latents_of(prior):
    """The argument `latents` of `training_run.step.sampling.generate`, of a `Prior` or None."""
    return None if prior is None else prior.from_noise


def prior_files(run):
    """Paths of a run's prior.npz and prior.json."""
    return run.path / "prior.npz", run.path / "prior.json"


def remove_prior(run):
    """Remove a run's prior, if it has one."""
    arrays, record = prior_files(run)
    record.unlink(missing_ok=True)
    arrays.unlink(missing_ok=True)


def prior_checksum(run):
    """SHA-256 of a run's prior.npz; None if it has none."""
    arrays, _ = prior_files(run)
    return sha256_of_file(arrays) if arrays.is_file() else None


def save_prior(run, prior):
    """Write a `Prior` as prior.npz and prior.json. The same mixture gives the same prior.npz."""
    path, record_path = prior_files(run)
    mixture = prior.mixture
    arrays = {"weights": mixture.weights, "means": mixture.means, "cholesky": mixture.cholesky}
    if mixture.classes is not None:
        arrays["classes"] = mixture.classes
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    checksum = sha256_of_file(path)
    write_record(record_path, prior.record.model_copy(update={"prior_sha256": checksum}))


def load_prior(run, networks):
    """A run's learned prior.

    Args:
        run: the `RunDir`.
        networks: dict of its loaded networks; "encoder" and "decoder" are compared with those that
            the prior was fitted with.

    Returns:
        A `Prior`; None for a run without prior.npz and prior.json.

    Raises:
        UserError: the prior belongs to other networks, or a file is missing or damaged.
    """
    path, record_path = prior_files(run)
    if not path.is_file() and not record_path.is_file():
        return None
    record = read_record(record_path, PriorRecord)
    if record.format != FORMAT:
        raise UserError(f"{record_path}: format: expected {FORMAT}, received {record.format}")
    for name, network in networks.items():
        if weights_sha256(network) != getattr(record, f"{name}_sha256"):
            raise UserError(
                f"{path}: expected a prior fitted with this {name}, received one fitted with "
                f"another; fit it again: python -m vae_mnist.fit_prior {run.path}"
            )
    mixture = read_mixture(path)
    if sha256_of_file(path) != record.prior_sha256:
        raise UserError(f"{path}: expected the file that prior.json describes, received another")
    if mixture.means.shape != (record.components, record.latent_dim):
        raise UserError(
            f"{path}: expected {record.components} components of {record.latent_dim} dimensions, "
            f"received means of shape {mixture.means.shape}"
        )
    return Prior(mixture, record)


def read_mixture(path):
    """The `Mixture` in a `.npz`; nothing is unpickled.

    Raises:
        UserError: it cannot be read, or its arrays are no mixture.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        mixture = Mixture(**arrays)
    except (OSError, EOFError, ValueError, TypeError, zlib.error, zipfile.BadZipFile):
        raise UserError(
            f"{path}: expected the arrays weights, means and cholesky, received a file without "
            "them, a damaged one, or one with Python objects"
        ) from None
    if not is_mixture(mixture):
        raise UserError(
            f"{path}: expected finite weights (K,), means (K, d) and lower triangular cholesky "
            "(K, d, d) of a mixture of Gaussians, received other arrays"
        )
    return mixture
