"""What a run folder says about a run, read without loading a network.

Nothing here knows a model: the configuration is read as plain values.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gan_vs_vae.wording import join_with_and
from sample_quality.run_settings import (
    FAMILIES,
    RunSettings,
    check_each_once,
    image_network,
    read_image_run,
    read_settings,
)
from training_run.config.intervals import interval_to_steps
from training_run.config.sections import DataConfig
from training_run.data.datasets import find_dataset
from training_run.data.image_data import DataSpec
from training_run.data.mnist import FASHION_MNIST, MNIST
from training_run.errors import UserError
from training_run.run_folder.environment import Environment, read_environment
from training_run.run_folder.find import find_run
from training_run.run_folder.log import read_log
from training_run.run_folder.networks import check_network
from training_run.run_folder.paths import RunDir
from training_run.run_folder.resume import flatten

NAMES = {MNIST.sha256["x_train"]: "mnist", FASHION_MNIST.sha256["x_train"]: "fashion_mnist"}
"""SHA-256 of the training images of a data set to its name; both are also read from local files."""

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
        spec: `DataSpec` of its images, named by the record of what was trained on.
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
    def data_checksum(self):
        """First digits of the SHA-256 of its training images; None if there is no record."""
        return self.environment and self.environment.data.sha256_x_train[:12]

    @property
    def seed(self):
        return self.values.get("seed", 0)

    @property
    def step(self):
        """Steps trained so far, or None without a log."""
        return int(self.log["step"][-1]) if len(self.log.get("step", ())) else None

    @property
    def total_steps(self):
        """Steps of the whole training: as configured, or those done if its minutes are over."""
        training = self.values["training"]
        minutes = training.get("minutes")
        if minutes is not None and (self.seconds or 0) >= 60 * minutes:
            return self.step
        steps_per_epoch = self.spec.num_train // training["batch_size"]
        return interval_to_steps(training["steps"], steps_per_epoch)

    @property
    def is_unfinished(self):
        """True if the log ends before the last step: the run is still training, or was stopped."""
        return self.step is not None and self.step < self.total_steps

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
    check_each_once([run.folder for run in runs])
    _check_same_images(runs, references)
    return _with_unique_titles(runs)


def read_run(folder):
    """The `Run` in a run folder. Its title is its name.

    Raises:
        UserError: it is no run of a GAN or a VAE with a saved network.
    """
    settings = read_settings(folder)
    _, values = read_image_run(folder)
    if settings.stacked:
        raise UserError(
            f"{folder.path}: expected a run of single images, received one of stacked images "
            "(data.stacked); python -m sample_quality counts their modes"
        )
    for path in folder.path.glob("*.keras"):
        check_network(folder, path.stem)
    environment = _read_environment(folder)
    run = Run(
        folder=folder,
        title="",
        values=values,
        settings=settings,
        network=image_network(folder),
        log=read_log(folder.log) if folder.log.is_file() else {},
        environment=environment,
        spec=_named(find_dataset(settings.data).spec, settings.data, environment),
    )
    return replace(run, title=run.name)


def _named(spec, data_config, environment):
    """The `DataSpec` with the name of local arrays: a file of any images may be read as `mnist`."""
    if data_config.path is None or data_config.dataset not in NAMES.values():
        return spec
    recorded = environment and environment.data.sha256_x_train
    if recorded in NAMES:
        known = find_dataset(DataConfig(dataset=NAMES[recorded])).spec
        return replace(spec, title=known.title, noun=known.noun, class_names=known.class_names)
    return replace(spec, title=f"Images of {Path(data_config.path).stem}", noun="images")


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


def _check_same_images(runs, references):
    """Refuse runs of different images; the sentence names those that could be compared."""
    groups = []
    for run, reference in zip(runs, references, strict=True):
        images = _describe_images(run)
        fitting = (one for one in groups if _may_be_same(one[0], images))
        known, members = next(fitting, ({}, []))
        if not members:
            groups.append((known, members))
        known |= {key: value for key, value in images.items() if value is not None}
        members.append(str(reference))
    if len(groups) == 1:
        return
    found = "; ".join(
        f"{join_with_and(members)} of {', '.join(images.values())}" for images, members in groups
    )
    commands = [f"python -m gan_vs_vae {' '.join(one)}" for _, one in groups if len(one) > 1]
    advice = f"these can be compared: {', '.join(commands)}" if commands else "no two of them match"
    raise UserError(f"expected runs of the same images, received {found}; {advice}")


def _may_be_same(images, others):
    """True if nothing known of two sets of images differs."""
    return all(images.get(key) in (None, value) for key, value in others.items() if value)


def _describe_images(run):
    """What is known of a run's images: name to text, or None."""
    checksum = run.data_checksum
    return {
        "data set": run.settings.data.dataset,
        "image shape": "x".join(map(str, run.spec.image_shape)),
        "training images": f"SHA-256 {checksum}" if checksum else None,
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
