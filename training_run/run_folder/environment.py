"""environment.json: all that is needed to explain or repeat a run."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from training_run.config.records import Record, read_record, write_record
from training_run.errors import UserError
from training_run.run_folder.networks import InitialNetworks
from training_run.run_folder.resume import Change
from training_run.step.precision import processor_info

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "matplotlib", "pillow")


class DataRecord(Record):
    """Which images a run learned from.

    Attributes:
        source: a sentence saying where they came from.
        sha256_x_train: checksum of the training images, grey as they were read.
        sha256: array name to checksum, of all arrays that the run uses; None in older runs.
        class_names: of the labels, in the order of their numbers; None where they have none.
    """

    source: str = ""
    sha256_x_train: str
    sha256: dict[str, str] | None = None
    class_names: list[str] | None = None


class Hardware(Record):
    """The machine that a run was begun on."""

    machine: str = "?"
    processor: str = "?"
    cpu_count: int | None = None
    replicas: int = 1
    workers: int = 1
    gpus: list[str] = Field(default_factory=list)
    system: str = "?"


class ChangeRecord(Record):
    """A resume that changed the training: key to [before, after], and the step it began at."""

    step: int
    keys: dict[str, list]


class Environment(Record):
    """The record in environment.json.

    Attributes:
        sources: file or function that the user brought to SHA-256, see `Family.sources`.
    """

    versions: dict[str, str] = Field(default_factory=dict)
    python: str = "?"
    git_commit: str | None = None
    seed: int = 0
    data: DataRecord
    sources: dict[str, str] = Field(default_factory=dict)
    command_line: list[str] = Field(default_factory=list)
    hardware: Hardware | None = None
    init: InitialNetworks | None = None
    changed_on_resume: list[ChangeRecord] = Field(default_factory=list)


def environment_path(run):
    """Where a run keeps its record."""
    return run.path / "environment.json"


def write_environment(run, seed, data_record, devices, *, sources, initial):
    """Write environment.json.

    Args:
        run: the `RunDir`.
        seed: the run's seed.
        data_record: the `DataRecord` of its images.
        devices: the `Devices` it trains on.
        sources: see `Environment`.
        initial: the `InitialNetworks` that it starts from; None for random weights.
    """
    import tensorflow as tf

    hardware = Hardware(
        machine=platform.machine(),
        processor=processor_info("model name") or platform.processor(),
        cpu_count=os.cpu_count(),
        replicas=devices.num_replicas,
        workers=devices.num_workers,
        gpus=[device.name for device in tf.config.list_physical_devices("GPU")],
        system=platform.platform(),
    )
    environment = Environment(
        versions={name: importlib.metadata.version(name) for name in PACKAGES},
        python=platform.python_version(),
        git_commit=_git_commit(),
        seed=seed,
        data=data_record,
        sources=sources,
        command_line=sys.orig_argv,
        hardware=hardware,
        init=initial,
    )
    write_record(environment_path(run), environment)


def read_environment(run):
    """The run's `Environment`; None where there is no record.

    Raises:
        UserError: if the record is damaged.
    """
    path = environment_path(run)
    return read_record(path, Environment) if path.exists() else None


def read_class_names(run):
    """Names of a run's classes, in the order of their numbers; None where none are recorded."""
    try:
        environment = read_environment(run)
    except UserError:  # classes then go by their numbers
        return None
    return environment and environment.data.class_names


def describe_data(data, names):
    """The `DataRecord` of an `ImageData`, with the checksums of the arrays of these names."""
    return DataRecord(
        source=data.source,
        sha256_x_train=data.checksum,
        sha256=data.checksums(names),
        class_names=data.class_names and list(data.class_names),
    )


class DataChange(NamedTuple):
    """Other images than a run began with: a sentence, and the `Change` to note."""

    text: str
    change: Change


def find_data_change(run, data, names):
    """Find out whether images or labels are others than those that the run began with.

    Args:
        run: the `RunDir`.
        data: the `ImageData` to go on with.
        names: of the arrays that the run uses.

    Returns:
        The `DataChange` of the first array whose checksum in environment.json is another; None if
        there is none. Without a record anything goes.

    Raises:
        UserError: if the record is damaged.
    """
    try:
        environment = read_environment(run)
    except UserError as error:
        raise UserError(f"{error}; without the file, --resume goes on unchecked") from None
    if environment is None:
        return None
    recorded = environment.data.sha256 or {"x_train": environment.data.sha256_x_train}
    found = data.checksums([name for name in names if name in recorded])
    for name, checksum in found.items():
        if recorded[name] != checksum:
            text = (
                f"{environment_path(run)}: expected the {name} that the run began with (sha256 "
                f"{recorded[name][:12]}...), received another ({checksum[:12]}...) from "
                f"{data.source}"
            )
            before = f"{environment.data.source} {name} {recorded[name][:12]}"
            after = f"{data.source} {name} {checksum[:12]}"
            return DataChange(text.rstrip("."), Change("data", before, after))
    return None


def find_source_change(run, sources):
    """The `Change` of the first of a run's own sources that is another now; None if all are equal.

    Args:
        run: the `RunDir`.
        sources: those of now, see `Family.sources`.

    Raises:
        UserError: if the record is damaged.
    """
    environment = read_environment(run)
    recorded = environment.sources if environment else {}
    for name, checksum in sources.items():
        if recorded.get(name, checksum) != checksum:
            return Change(name, recorded[name][:12], checksum[:12])
    return None


def check_same_start(run, initial):
    """Refuse to begin a run again from other networks than it began with.

    Args:
        run: the `RunDir`.
        initial: the `InitialNetworks` that were just loaded; None if the run goes on from a
            checkpoint, or began with random weights.

    Raises:
        UserError: the networks have been trained on, or replaced.
    """
    environment = read_environment(run) if initial else None
    if environment and environment.init and environment.init != initial:
        raise UserError(
            f"{environment_path(run)}: expected the networks of {initial.run} (init.run) as they "
            "were when the run began, received others; start a new run from them"
        )


def note_changes(run, step, changes, data_record):
    """Add to environment.json what was changed when the run was resumed, and at which step.

    Args:
        run: the `RunDir`.
        step: that the run goes on from.
        changes: dict of dotted key to [before, after].
        data_record: the `DataRecord` of the images from now on.
    """
    environment = read_environment(run)
    noted = [*environment.changed_on_resume, ChangeRecord(step=step, keys=changes)]
    update = {"changed_on_resume": noted, "data": data_record}
    write_record(environment_path(run), environment.model_copy(update=update))


def _git_commit():
    """Commit of the checkout this package runs from, or None outside of one."""
    folder = Path(__file__).resolve().parent.parent.parent
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
