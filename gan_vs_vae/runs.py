"""What a run folder says of a run, without loading a network.

Nothing here knows a model: the configuration is read as plain values.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sample_quality.run_settings import RunSettings, image_network, read_settings
from training_run.config.intervals import interval_to_steps
from training_run.config.yaml_source import read_yaml
from training_run.data.datasets import find_dataset
from training_run.errors import UserError
from training_run.run_folder.find import find_run
from training_run.run_folder.log import read_log
from training_run.run_folder.paths import RunDir
from training_run.run_folder.resume import flatten

FAMILIES = {"gan": "GAN", "vae": "VAE"}
"""Family in a configuration -> what a reader calls it."""

_GRID = re.compile(r"^step_(\d+)\.png$")


@dataclass(frozen=True)
class Run:
    """A run to be compared.

    Attributes:
        folder: its `RunDir`.
        title: what it is called in the report; no two runs of one have the same.
        values: its configuration, nested dicts.
        settings: its `RunSettings`.
        network: name of the network that draws its samples, "generator" or "decoder".
        log: columns of log.csv, name -> (rows,) float64; empty without a log.
        environment: environment.json, or an empty dict.
        spec: `DataSpec` of its images.
    """

    folder: RunDir
    title: str
    values: dict
    settings: RunSettings
    network: str
    log: dict
    environment: dict
    spec: NamedTuple

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
        """Steps trained so far, or None where no log tells."""
        return int(self.log["step"][-1]) if len(self.log.get("step", ())) else None

    @property
    def seconds(self):
        """Training time so far, or None where no log tells."""
        seconds = self.log.get("seconds", np.array([]))
        seconds = seconds[np.isfinite(seconds)]
        return float(seconds[-1]) if len(seconds) else None

    @property
    def total_steps(self):
        """Steps of the whole training as configured, or None."""
        training = self.values.get("training", {})
        try:
            steps_per_epoch = self.spec.num_train // training["batch_size"]
            return interval_to_steps(training["steps"], steps_per_epoch)
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def is_unfinished(self):
        """Whether its log ends before its last step: still training, or stopped."""
        return None not in (self.step, self.total_steps) and self.step < self.total_steps


def read_runs(references, output_dir):
    """Read and check the runs to be compared.

    Args:
        references: run folders, numbers, or "latest".
        output_dir: where numbers and "latest" are looked up.

    Returns:
        List of `Run`, in the same order.

    Raises:
        UserError: if one cannot be used, is given twice, or shows other images than the first.
    """
    runs = [read_run(find_run(reference, output_dir)) for reference in references]
    for folder, count in Counter(run.folder.path.resolve() for run in runs).items():
        if count > 1:
            raise UserError(f"{folder}: expected each run once, received it {count} times")
    check_same_images(runs)
    return with_own_titles(runs)


def read_run(folder):
    """The `Run` in a run folder, titled by its name.

    Raises:
        UserError: if it is no run of a GAN or a VAE with a saved network.
    """
    settings = read_settings(folder)
    values = read_yaml(folder.config).values
    family = str(values.get("family"))
    if family not in FAMILIES:
        raise UserError(
            f"{folder.path}: expected a run of a GAN or a VAE, received one of family {family!r}"
        )
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
    """environment.json as a dict: empty where it is missing, older or damaged."""
    try:
        record = json.loads((folder.path / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def section(record, name):
    """A part of a JSON record that should be a dict: an empty one where it is not."""
    part = record.get(name)
    return part if isinstance(part, dict) else {}


def with_own_titles(runs):
    """The runs, those that share a name told apart by their folders."""
    counts = Counter(run.name for run in runs)
    folders = Counter(run.folder_name for run in runs)

    def title(run):
        if counts[run.name] == 1:
            return run.name
        return run.folder_name if folders[run.folder_name] == 1 else str(run.folder.path)

    return [replace(run, title=title(run)) for run in runs]


def check_same_images(runs):
    """Refuse runs that cannot be compared.

    Raises:
        UserError: if their data sets, or the shapes of their images, differ.
    """
    first = runs[0]
    for run in runs[1:]:
        for what, one, other in zip(
            ("data set", "image shape", "training images"),
            _images_of(first),
            _images_of(run),
            strict=True,
        ):
            if None not in (one, other) and one != other:
                raise UserError(
                    f"expected runs of the same images, received {what} {one} in "
                    f"{first.folder.path} and {other} in {run.folder.path}"
                )


def _images_of(run):
    checksum = section(run.environment, "data").get("sha256_x_train")
    shape = "x".join(map(str, run.spec.image_shape))
    return run.settings.data.dataset, shape, str(checksum)[:12] if checksum else None


def grids(run):
    """The grids from the same latents that a run drew while training.

    Returns:
        List of (step, path), by step: its sample grids, and the frames of its GIF.
    """
    found = {}
    for folder in ("frames", "samples"):
        for path in sorted((run.folder.path / folder).glob("step_*.png")):
            match = _GRID.match(path.name)
            if match:
                found[int(match.group(1))] = path
    return sorted(found.items())


NOT_COMPARED = ("output_dir", "name")
"""Keys that say where a run is, not what."""


def config_differences(runs):
    """Keys of the configuration in which runs differ.

    Args:
        runs: list of `Run`.

    Returns:
        List of (dotted key, list of one value a run), in the order of the files, with `None`
        also for a key that a run does not have; those that all have come first.
    """
    flat = [flatten(run.values) for run in runs]
    keys = [key for key in dict.fromkeys(key for values in flat for key in values)]
    differing = [
        (key, [values.get(key) for values in flat])
        for key in keys
        if key not in NOT_COMPARED and len({repr(values.get(key)) for values in flat}) > 1
    ]
    everywhere = [all(key in values for values in flat) for key, _ in differing]
    return [
        row
        for wanted in (True, False)
        for row, has in zip(differing, everywhere, strict=True)
        if has is wanted
    ]
