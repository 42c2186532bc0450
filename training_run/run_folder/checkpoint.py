"""Checkpoints: everything needed to go on exactly where a run stopped.

Keras's own `save_weights` leaves out the metrics and the seed generators of layers, and
skips optimizers that are not built yet with only a warning. Exact resume needs all of
them, so a checkpoint is the plain list of the composite model's variables.
"""

import os
import re
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_run.config.records import Record, read_record, write_record
from training_run.errors import UserError
from training_run.files import errors_name, sha256_of_file

FORMAT = 1

_STEP = re.compile(r"^step_([0-9]{6,18})$")


class CheckpointRecord(Record):
    """What `checkpoint.json` says of the `state.npz` beside it.

    Attributes:
        format: version of the two files.
        step: training steps done.
        seconds: training time so far.
        sha256: of `state.npz`.
        config: the configuration that the run was trained with; None in older checkpoints.
        log_rows: rows of log.csv up to this step; None in older checkpoints.
    """

    format: int
    step: int
    seconds: float
    sha256: str
    config: dict | None = None
    log_rows: int | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint on disk: its folder and its record."""

    path: Path
    record: CheckpointRecord


class NewerFormat(UserError):
    """A checkpoint of a newer version. Going back before it would lose what it holds."""


def state_variables(model):
    """Every variable that training changes, by a name that does not depend on the process.

    Keras numbers layers by a counter of the process ("dense_7"), so position, not path,
    names a variable inside its group.

    Args:
        model: a composite with `optimizers()`, which gives name to Keras optimizer.

    Returns:
        dict of name to variable: networks, seed generators, optimizers and metrics.
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
    """True if no weight and no optimizer variable holds NaN or infinity.

    Metrics are left out: the log shows theirs, and several workers would have to read them at the
    same point.
    """
    variables = state_variables(model)
    arrays = (np.asarray(variables[name]) for name in variables if not name.startswith("metric_"))
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")


def state_arrays(model):
    """The values of `state_variables` by name.

    A metric's value is the sum over all workers, so all of them must call this at the same point.
    """
    return {name: np.asarray(value) for name, value in state_variables(model).items()}


def save_checkpoint(folder, model, step, seconds, config=None, log_rows=None):
    """Write a checkpoint to a temporary folder and rename it into place.

    Args:
        folder: the run's `checkpoints/`; made if missing.
        model: the composite model.
        step: training steps done.
        seconds: training time so far.
        config: the run's configuration as plain values.
        log_rows: rows of log.csv so far.

    Returns:
        Path of the new checkpoint, `folder/step_000200`.

    Raises:
        OSError: naming that path.
    """
    target = Path(folder) / f"step_{step:06d}"
    with errors_name(target):
        _save_whole(target, state_arrays(model), step, seconds, config, log_rows)
    return target


def _save_whole(target, arrays, step, seconds, config, log_rows):
    folder = target.parent
    folder.mkdir(exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".tmp-"))
    try:
        state = temporary / "state.npz"
        with open(state, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        record = CheckpointRecord(
            format=FORMAT,
            step=step,
            seconds=seconds,
            sha256=sha256_of_file(state),
            config=config,
            log_rows=log_rows,
        )
        write_record(temporary / "checkpoint.json", record)
        if target.exists():  # damaged, or of a training that was changed on resume
            shutil.rmtree(target)
        os.chmod(temporary, 0o755)
        os.rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def checkpoints_in(folder):
    """(step, path) of every checkpoint, whole or not, by step."""
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


def read_checkpoint(path):
    """Read and verify a checkpoint's record.

    Raises:
        UserError: if it is incomplete, damaged or of a newer format.
    """
    record = read_record(path / "checkpoint.json", CheckpointRecord)
    if record.format > FORMAT:
        raise NewerFormat(
            f"{path}: expected checkpoint format {FORMAT}, received the newer {record.format}; "
            "resume with the version of this package that wrote it"
        )
    state = path / "state.npz"
    try:
        sha256 = sha256_of_file(state)
    except OSError as error:
        raise UserError(f"{state}: cannot be read: {error.strerror or error}") from None
    if sha256 != record.sha256:
        raise UserError(f"{path}: the checkpoint is damaged (its checksum does not match)")
    if path.name != f"step_{record.step:06d}":
        raise UserError(f"{path}: the checkpoint is not of the step that its name says")
    return Checkpoint(path, record)


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
    names = sorted(expected.keys() | received.keys())
    different = [name for name in names if expected.get(name) != received.get(name)]
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
