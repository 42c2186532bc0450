"""Checkpoints: everything needed to go on exactly where a run stopped.

Keras's own `save_weights` leaves out the metrics and the seed generators of layers, and
skips optimizers that are not built yet with only a warning. Exact resume needs all of
them, so a checkpoint is the plain list of the composite model's variables.
"""

import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_run.errors import UserError
from training_run.files import sha256_of_file, write_text

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint on disk: `step` training steps done in `seconds`."""

    path: Path
    step: int
    seconds: float
    sha256: str


def state_variables(model):
    """Every variable that training changes, by a name that does not depend on the process.

    Keras numbers layers by a counter of the process ("dense_7"), so position, not path,
    names a variable inside its group.

    Args:
        model: a composite with `optimizers()`: name -> keras optimizer.

    Returns:
        dict of name -> variable: networks, seed generators, optimizers and metrics.
    """
    groups = {"model": model.variables}
    groups |= {f"{name}_optimizer": opt.variables for name, opt in model.optimizers().items()}
    groups |= {f"metric_{metric.name}": metric.variables for metric in model.metrics}
    return {
        f"{group}/{index:03d}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }


def state_is_finite(model):
    """Whether every floating-point variable of the model is free of NaN and infinity."""
    arrays = (np.asarray(variable) for variable in state_variables(model).values())
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")


def save_checkpoint(folder, model, step, seconds):
    """Write a checkpoint aside and rename it into place.

    Args:
        folder: the run's `checkpoints/`; made if missing.
        model: the composite model.
        step: training steps done.
        seconds: training time so far.

    Returns:
        Path of the new checkpoint, `folder/step_000200`.
    """
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    target = folder / f"step_{step:06d}"
    aside = Path(tempfile.mkdtemp(dir=folder, prefix=".tmp-"))
    try:
        arrays = {name: np.asarray(value) for name, value in state_variables(model).items()}
        with open(aside / "state.npz", "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        record = {
            "format": FORMAT,
            "step": step,
            "seconds": seconds,
            "sha256": sha256_of_file(aside / "state.npz"),
        }
        write_text(aside / "checkpoint.json", json.dumps(record) + "\n")
        if target.exists():  # an earlier life of this run got this far too
            shutil.rmtree(target)
        os.chmod(aside, 0o755)
        os.rename(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def prune_checkpoints(folder, keep):
    """Delete all but the newest `keep` checkpoints, and what killed writers left behind."""
    found = sorted(Path(folder).glob("step_*"))
    for path in [*found[:-keep], *Path(folder).glob(".tmp-*")]:
        shutil.rmtree(path, ignore_errors=True)


def latest_checkpoint(folder, report=print):
    """The newest whole checkpoint; damaged ones are named and passed over.

    Args:
        folder: the run's `checkpoints/`.
        report: receives a sentence for each damaged checkpoint.

    Returns:
        A `Checkpoint`.

    Raises:
        UserError: if there is none that can be used.
    """
    for path in sorted(Path(folder).glob("step_*"), reverse=True):
        try:
            return read_checkpoint(path)
        except UserError as error:
            report(f"{error}; trying the checkpoint before it")
    raise UserError(f"{folder}: expected a checkpoint to resume from, received none that is whole")


def read_checkpoint(path):
    """Read and verify a checkpoint's record.

    Raises:
        UserError: if it is incomplete, damaged or of a newer format.
    """
    try:
        record = json.loads((path / "checkpoint.json").read_text(encoding="utf-8"))
        version, step = int(record["format"]), int(record["step"])
        seconds, sha256 = float(record["seconds"]), str(record["sha256"])
        actual = sha256_of_file(path / "state.npz")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: the checkpoint is incomplete ({error})") from None
    if version > FORMAT:
        raise UserError(
            f"{path}: expected checkpoint format {FORMAT}, received the newer {version}"
        )
    if actual != sha256:
        raise UserError(f"{path}: the checkpoint is damaged (its checksum does not match)")
    return Checkpoint(path, step, seconds, sha256)


def restore_checkpoint(checkpoint, model):
    """Put a checkpoint's values into a model of the same configuration.

    Raises:
        UserError: if the variables do not correspond one to one.
    """
    variables = state_variables(model)
    try:
        with np.load(checkpoint.path / "state.npz", allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{checkpoint.path}: the checkpoint cannot be read ({error})") from None
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    received = {name: value.shape for name, value in values.items()}
    if expected != received:
        different = sorted(
            name
            for name in expected.keys() | received.keys()
            if expected.get(name) != received.get(name)
        )
        raise UserError(
            f"{checkpoint.path}: expected the variables of this configuration, "
            f"received others ({', '.join(different[:3])}, ...)"
        )
    for name, variable in variables.items():
        variable.assign(values[name])
