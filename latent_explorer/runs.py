"""The runs of a page: found and checked before TensorFlow is imported."""

from collections import Counter
from dataclasses import dataclass, replace

from sample_quality.run_settings import RunSettings, image_network, read_settings
from training_run.config.yaml_source import read_yaml
from training_run.errors import UserError
from training_run.run_folder.find import find_run
from training_run.run_folder.networks import check_network
from training_run.run_folder.paths import RunDir

FAMILIES = {"gan": "GAN", "vae": "VAE"}
"""Family in a configuration to its name in the page."""


@dataclass(frozen=True)
class Run:
    """A run to be explored.

    Attributes:
        folder: its `RunDir`.
        title: its name in the page, unique among the runs.
        family: "GAN" or "VAE".
        settings: its `RunSettings`.
        network: name of the network that draws, "generator" or "decoder".
    """

    folder: RunDir
    title: str
    family: str
    settings: RunSettings
    network: str


def read_runs(references, output_dir):
    """Find and check the runs of a page: list of `Run` in the same order.

    Args:
        references: run folders, numbers, "latest" or "bundled:NAME".
        output_dir: folder where numbers and "latest" are looked up.

    Raises:
        UserError: a run cannot be explored, or is given twice.
    """
    runs = [read_run(find_run(reference, output_dir)) for reference in references]
    for path, count in Counter(run.folder.path.resolve() for run in runs).items():
        if count > 1:
            raise UserError(f"{path}: expected each run once, received it {count} times")
    return _with_unique_titles(runs)


def read_run(folder):
    """The `Run` in a run folder. Its title is its name.

    Raises:
        UserError: it is no run of a GAN or a VAE with saved networks.
    """
    settings = read_settings(folder)
    values = read_yaml(folder.config).values
    family = str(values.get("family"))
    if family not in FAMILIES:
        raise UserError(
            f"{folder.path}: expected a run of a GAN or a VAE, received one of family {family!r}"
        )
    if family == "vae":
        check_network(folder, "encoder")
    elif folder.network("discriminator").is_file():
        check_network(folder, "discriminator")
    title = str(values.get("name", folder.path.resolve().name))
    return Run(folder, title, FAMILIES[family], settings, image_network(folder))


def _with_unique_titles(runs):
    """The runs; those with the same name get their folder as title."""
    names = Counter(run.title for run in runs)
    return [
        replace(run, title=str(run.folder.path)) if names[run.title] > 1 else run for run in runs
    ]
