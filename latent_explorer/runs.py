"""The runs of a page: found and checked before TensorFlow is imported."""

from collections import Counter
from dataclasses import dataclass, replace

from sample_quality.run_settings import (
    FAMILIES,
    RunSettings,
    check_each_once,
    image_network,
    read_image_run,
    read_settings,
)
from training_run.run_folder.find import find_run
from training_run.run_folder.networks import check_network
from training_run.run_folder.paths import RunDir


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
    check_each_once([run.folder for run in runs])
    return _with_unique_titles(runs)


def read_run(folder):
    """The `Run` in a run folder. Its title is its name.

    Raises:
        UserError: it is no run of a GAN or a VAE with saved networks.
    """
    settings = read_settings(folder)
    family, values = read_image_run(folder)
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
