"""What a run folder says about a run, read without loading a network.

Nothing here knows a model: the configuration is read as plain values.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from sample_quality.run_settings import RunSettings, image_network, read_settings
from training_run.config.intervals import interval_to_steps
from training_run.config.yaml_source import read_yaml
from training_run.data.datasets import find_dataset
from training_run.data.image_data import DataSpec
from training_run.errors import UserError
from training_run.run_folder.environment import Environment, read_environment
from training_run.run_folder.find import find_run
from training_run.run_folder.log import read_log
from training_run.run_folder.networks import check_network
from training_run.run_folder.paths import RunDir
from training_run.run_folder.resume import flatten

FAMILIES = {"gan": "GAN", "vae": "VAE"}
"""Family in a configuration to its name in the report."""

NOT_COMPARED = ("output_dir", "name")
"""Keys of a configuration that do not change what is trained."""


@dataclass(frozen=True)
class Run:
    """A run to be compared.

    Attributes:
        folder: its `RunDir`.
        title: its name in the report, unique among the runs of a report.
        values: its configuration, nested dicts.
        settings: its `RunSettings`.
        network: name of the network that makes its samples, "generator" or "decoder".
        log: columns of log.csv, name to (rows,) float64; empty without a log.
        environment: its `Environment`; None if environment.json is missing or damaged.
        spec: `DataSpec` of its images.
    """

    folder: RunDir
    title: str
    values: dict
    settings: RunSettings
    network: str
    log: dict
    environment: Environment | None
    spec: DataSpec

    @property
    def family(self):
        return FAMILIES[self.values["family"]]

    @property
    def name(self):
        return str(self.values.get("name", self.folder_name))

    @property
    def folder_name(self):
        return self.folder.path.resolve().name

    @property
    def seed(self):
        return self.values.get("seed", 0)

    @property
    def step(self):
        """Steps trained so far, or None without a log."""
        return int(self.log["step"][-1]) if len(self.log.get("step", ())) else None

    @property
    def total_steps(self):
        """Steps of the whole training, as configured."""
        training = self.values["training"]
        steps_per_epoch = self.spec.num_train // training["batch_size"]
        return interval_to_steps(training["steps"], steps_per_epoch)

    @property
    def is_unfinished(self):
        """True if the log ends before the last step: the run is still training, or was stopped."""
        minutes = self.values["training"].get("minutes") or np.inf  # a run may end by time
        is_short = self.step is not None and self.step < self.total_steps
        return is_short and not (self.seconds or 0) >= 60 * minutes

    @property
    def seconds(self):
        """Training time so far, or None if the log has none."""
        return self.seconds_at(self.step)

    def seconds_at(self, step):
        """Training time when a step was done, between the rows of the log; None without times."""
        seconds = self.log.get("seconds", np.array([]))
        known = np.isfinite(seconds)
        if not known.any():
            return None
        steps = np.append(0.0, self.log["step"][known])
        return float(np.interp(step, steps, np.append(0.0, seconds[known])))


def read_runs(references, output_dir):
    """Read and check the runs to be compared: list of `Run` in the same order.

    Args:
        references: run folders, numbers, "latest" or "bundled:NAME".
        output_dir: folder where numbers and "latest" are looked up.

    Raises:
        UserError: a run cannot be used, is given twice, or has other images than the first.
    """
    runs = [read_run(find_run(reference, output_dir)) for reference in references]
    for folder, count in Counter(run.folder.path.resolve() for run in runs).items():
        if count > 1:
            raise UserError(f"{folder}: expected each run once, received it {count} times")
    for run in runs[1:]:
        _check_same_images(runs[0], run)
    return _with_unique_titles(runs)


def read_run(folder):
    """The `Run` in a run folder. Its title is its name.

    Raises:
        UserError: it is no run of a GAN or a VAE with a saved network.
    """
    settings = read_settings(folder)
    values = read_yaml(folder.config).values
    family = str(values.get("family"))
    if family not in FAMILIES:
        raise UserError(
            f"{folder.path}: expected a run of a GAN or a VAE, received one of family {family!r}"
        )
    for path in folder.path.glob("*.keras"):
        check_network(folder, path.stem)
    run = Run(
        folder=folder,
        title="",
        values=values,
        settings=settings,
        network=image_network(folder),
        log=read_log(folder.log) if folder.log.is_file() else {},
        environment=_read_environment(folder),
        spec=find_dataset(settings.data).spec,
    )
    return replace(run, title=run.name)


def _read_environment(folder):
    try:
        return read_environment(folder)
    except UserError:
        return None


def _with_unique_titles(runs):
    """The runs; those with the same name get their folder as title."""
    names = Counter(run.name for run in runs)
    folders = Counter(run.folder_name for run in runs)

    def title(run):
        if names[run.name] == 1:
            return run.name
        return run.folder_name if folders[run.folder_name] == 1 else str(run.folder.path)

    return [replace(run, title=title(run)) for run in runs]


def _check_same_images(first, other):
    ours, theirs = _describe_images(first), _describe_images(other)
    for name, value in ours.items():
        if None not in (value, theirs[name]) and value != theirs[name]:
            raise UserError(
                f"expected runs of the same images, received {name} {value} in "
                f"{first.folder.path} and {theirs[name]} in {other.folder.path}"
            )


def _describe_images(run):
    checksum = run.environment and run.environment.data.sha256_x_train
    return {
        "data set": run.settings.data.dataset,
        "image shape": "x".join(map(str, run.spec.image_shape)),
        "training images": checksum[:12] if checksum else None,
    }


def grids(run):
    """Grids that a run saved while training, all from the same latents: list of (step, path).

    They are its sample grids and the further frames of its GIF, sorted by step.
    """
    found = {}
    for folder in ("frames", "samples"):
        for path in (run.folder.path / folder).glob("step_*.png"):
            step = path.stem.removeprefix("step_")
            if step.isdecimal():
                found[int(step)] = path
    return sorted(found.items())


def config_differences(runs):
    """Keys of the configuration in which runs differ: list of (dotted key, value of each run).

    They are in the order of the files, keys that all runs have first. A value is None if the run
    does not have the key.
    """
    flat = [flatten(run.values) for run in runs]
    keys = [
        key
        for key in dict.fromkeys(key for values in flat for key in values)
        if key not in NOT_COMPARED and len({repr(values.get(key)) for values in flat}) > 1
    ]
    keys.sort(key=lambda key: not all(key in values for values in flat))
    return [(key, [values.get(key) for values in flat]) for key in keys]
