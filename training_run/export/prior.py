"""A VAE's learned prior beside its exported networks: `prior.npz` and `prior.json`, as they are."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_run.config.records import Record, read_record
from training_run.errors import UserError
from training_run.files import sha256_of_file
from training_run.run_folder.networks import weights_sha256


class PriorRecord(Record):
    """What an export reads of a `prior.json`: see `sample_quality.priors.PriorRecord`."""

    temperature: float = 1.0
    encoder_sha256: str
    decoder_sha256: str
    prior_sha256: str


@dataclass(frozen=True)
class Prior:
    """A learned prior.

    Attributes:
        arrays: path of prior.npz.
        record: the `PriorRecord` in the prior.json beside it.
        by_class: True if each class has a mixture of its own.
    """

    arrays: Path
    record: PriorRecord
    by_class: bool

    @property
    def files(self):
        return self.arrays, self.arrays.with_suffix(".json")


def read_prior(run):
    """The `Prior` of a run; None for a run without prior.npz and prior.json.

    Raises:
        UserError: a file is missing or damaged.
    """
    path = run.path / "prior.npz"
    if not path.is_file() and not path.with_suffix(".json").is_file():
        return None
    record = read_record(path.with_suffix(".json"), PriorRecord)
    if not path.is_file() or sha256_of_file(path) != record.prior_sha256:
        raise UserError(f"{path}: expected the file that prior.json describes, received another")
    with np.load(path, allow_pickle=False) as arrays:
        return Prior(path, record, "classes" in arrays.files)


def check_prior(prior, run, name, network):
    """Raise `UserError` if a `Prior` was fitted with another network of this name."""
    fitted_with = getattr(prior and prior.record, f"{name}_sha256", None)
    if fitted_with not in (None, weights_sha256(network)):
        raise UserError(
            f"{prior.arrays}: expected a prior fitted with this {name}, received one fitted with "
            f"another; fit it again, or remove prior.npz and prior.json from {run.path}"
        )


def copy_prior(prior, folder):
    """Copy the files of a `Prior`, if there is one, into a folder."""
    for path in prior.files if prior else ():
        shutil.copy(path, folder)
