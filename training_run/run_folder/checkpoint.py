"""Checkpoints: everything needed to go on exactly where a run stopped.

Keras's own `save_weights` leaves out the metrics and the seed generators of layers, and
skips optimizers that are not built yet with only a warning. Exact resume needs all of
them, so a checkpoint is the plain list of the composite model's variables.
"""

import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_run.errors import UserError
from training_run.files import read_json, sha256_of_file, write_text

FORMAT = 1


_STEP = re.compile(r"^step_([0-9]{6,18})$")


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
    """Whether every weight and every optimizer's variable is free of NaN and infinity.

    Metrics are left out: a log shows theirs, and workers would have to meet to read them.
    """
    variables = state_variables(model)
    arrays = (np.asarray(variables[name]) for name in variables if not name.startswith("metric_"))
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")


def state_arrays(model):
    """The values of `state_variables` by name; on several workers, all must ask at the same point.

    What a metric has gathered is then the sum over all of them.
    """
    return {name: np.asarray(value) for name, value in state_variables(model).items()}


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
        arrays = state_arrays(model)
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


def checkpoints_in(folder):
    """(step, path) of every checkpoint, whole or not, in the order of their steps."""
    matches = [(_STEP.match(path.name), path) for path in Path(folder).glob("step_*")]
    return sorted((int(match.group(1)), path) for match, path in matches if match)


def prune_checkpoints(folder, keep):
    """Delete all but the newest `keep` checkpoints, and what killed writers left behind."""
    old = [path for _, path in checkpoints_in(folder)[:-keep]]
    for path in [*old, *Path(folder).glob(".tmp-*")]:
        shutil.rmtree(path, ignore_errors=True)


def latest_checkpoint(folder, report=print):
    """The newest whole checkpoint; damaged ones are named and passed over.

    Args:
        folder: the run's `checkpoints/`.
        report: receives a sentence for each damaged checkpoint.

    Returns:
        A `Checkpoint`.

    Raises:
        UserError: if there is none that can be used, or one was written by a newer version.
    """
    for _, path in reversed(checkpoints_in(folder)):
        try:
            return read_checkpoint(path)
        except NewerFormat:
            raise
        except UserError as error:
            report(f"{error}; trying the checkpoint before it")
    raise UserError(f"{folder}: expected a checkpoint to resume from, received none that is whole")


class NewerFormat(UserError):
    """A checkpoint of a newer version: to go back before it would lose what it holds."""


def read_checkpoint(path):
    """Read and verify a checkpoint's record.

    Raises:
        UserError: if it is incomplete, damaged or of a newer format.
    """
    try:
        record = read_json(path / "checkpoint.json")
        version, step = int(record["format"]), int(record["step"])
        seconds, sha256 = float(record["seconds"]), str(record["sha256"])
        actual = sha256_of_file(path / "state.npz")
    except OSError as error:
        missing = f"{Path(error.filename or path).name}: {error.strerror or error}"
        raise UserError(f"{path}: the checkpoint is incomplete ({missing})") from None
    except (ValueError, KeyError, TypeError, OverflowError):
        raise UserError(f"{path}: the checkpoint's record is damaged") from None
    if version > FORMAT:
        raise NewerFormat(
            f"{path}: expected checkpoint format {FORMAT}, received the newer {version}; resume "
            "with the version of this package that wrote it"
        )
    if actual != sha256:
        raise UserError(f"{path}: the checkpoint is damaged (its checksum does not match)")
    if path.name != f"step_{step:06d}":
        raise UserError(f"{path}: the checkpoint is not of the step that its name says")
    return Checkpoint(path, step, seconds, sha256)


def restore_checkpoint(checkpoint, model):
    """Put a checkpoint's values into a model of the same configuration.

    Learning rates are variables too, but stay those of the configuration: they never change while
    training, and may have been changed on purpose before a resume.

    Raises:
        UserError: if the variables do not correspond one to one.
    """
    variables = state_variables(model)
    values = read_state(checkpoint)
    expected = {name: (tuple(v.shape), v.dtype) for name, v in variables.items()}
    received = {name: (value.shape, value.dtype.name) for name, value in values.items()}
    different = sorted(
        name
        for name in expected.keys() | received.keys()
        if expected.get(name) != received.get(name)
    )
    if different:
        raise UserError(
            f"{checkpoint.path}: expected the variables of this configuration, received others "
            f"({len(different)} of {len(expected)} differ, {different[0]} for one)"
        )
    rates = {id(optimizer.learning_rate) for optimizer in model.optimizers().values()}
    for name, variable in variables.items():
        if id(variable) not in rates:
            variable.assign(values[name])


def read_state(checkpoint):
    """The arrays of a checkpoint by name; nothing is unpickled.

    Raises:
        UserError: if they cannot be read.
    """
    try:
        with np.load(checkpoint.path / "state.npz", allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(f"{checkpoint.path}: the checkpoint cannot be read ({error})") from None
