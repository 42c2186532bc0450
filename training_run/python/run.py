"""A run folder as a Python object."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from training_run.config.load import load_config
from training_run.errors import UserError
from training_run.family import Family
from training_run.python.picture import Picture
from training_run.run_folder.environment import read_class_names
from training_run.run_folder.find import check_family, find_run, reference_of
from training_run.run_folder.log import read_log
from training_run.run_folder.networks import load_network
from training_run.run_folder.paths import RunDir
from training_run.tensorflow_import import import_tensorflow

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from training_run.config.sections import RunConfig
    from training_run.run_folder.networks import Signature

OUTCOMES = {0: "finished", 1: "diverged", 130: "interrupted"}
"""Exit code of a training to what `Run.outcome` says of it."""


class Drawn(NamedTuple):
    """Images that a network drew.

    Attributes:
        images: (N, H, W, C) uint8.
        labels: (N,) int32, what a conditional network was asked for; None for another.
    """

    images: "np.ndarray"
    labels: "np.ndarray | None"


class Run:
    """A run: its folder, configuration, log, pictures and networks.

    A family's subclass says which networks there are. Nothing is read before it is asked for.

    Args:
        folder: the `RunDir`.
        outcome: how the training ended that gave this object.

    Attributes:
        folder: the `RunDir`.
        outcome: "finished", "diverged" or "interrupted"; None for a run that was loaded.

    Raises:
        UserError: it is a run of another family.
    """

    family: ClassVar[Family]
    signatures: ClassVar[dict[str, "Signature"]]
    """Name of each network that a run may have to its `Signature`."""

    drawing_network: ClassVar[str]
    """Name of the network that samples come from."""

    def __init__(self, folder: RunDir, outcome: str | None = None):
        check_family(folder, self.family.name)
        self.folder, self.outcome = folder, outcome

    @classmethod
    def load(cls, reference: "str | int | Path" = "latest", outputs: "str | Path" = "outputs"):
        """The run that a path, a number, "latest" or "bundled:NAME" means.

        Args:
            reference: of the run.
            outputs: folder in which a number or "latest" is looked up.

        Raises:
            UserError: there is none, or it is of another family.
        """
        return cls(find_run(reference_of(reference), outputs, cls.family.name))

    def __repr__(self):
        outcome = f", {self.outcome}" if self.outcome else ""
        return f"<{type(self).__name__} {self.path}{outcome}>"

    @property
    def path(self) -> "Path":
        """The run's folder."""
        return self.folder.path

    @cached_property
    def config(self) -> "RunConfig":
        """The resolved configuration: `run.config.training.steps`."""
        return load_config(self.family.config_class, self.folder.config)

    @property
    def log(self) -> "dict[str, np.ndarray]":
        """Columns of log.csv as they are now: name to (rows,) float64, "step" among them."""
        return read_log(self.folder.log)

    @property
    def samples(self) -> list[Picture]:
        """Sample grids, by step; all from the same latents."""
        return [Picture(path) for path in sorted((self.path / "samples").glob("step_*.png"))]

    @property
    def gif(self) -> Picture:
        """The progress of the samples."""
        return self._picture("progress.gif")

    @property
    def losses(self) -> Picture:
        """The curves of the log."""
        return self._picture("losses.png")

    def show(self) -> None:
        """Show the newest sample grid in a notebook; elsewhere print its path."""
        if not self.samples:
            raise UserError(f"{self.path}: expected sample grids, received a run without any")
        self.samples[-1].show()

    @cached_property
    def networks(self) -> "Mapping[str, Any]":
        """The saved networks by name, each a Keras model; loaded when first asked for."""
        return Networks(self.folder, self.signatures)

    @cached_property
    def class_names(self) -> list[str] | None:
        """Names of the classes, in the order of their numbers; None where they have none."""
        return read_class_names(self.folder)

    def sample(self, num: int, *, seed: int = 0, label: "str | int | None" = None) -> "np.ndarray":
        """Draw images; image k depends on (seed, k) alone.

        Args:
            num: how many.
            seed: of the latents.
            label: class that a conditional model is asked for, by its name or number; None for
                all classes in turn.

        Returns:
            (num, H, W, C) uint8.

        Raises:
            UserError: the network is missing or damaged, or knows no such class.
        """
        return self.draw(num, seed=seed, label=label).images

    def draw(self, num, *, seed=0, label=None, latents=None) -> Drawn:
        """As `sample`, with the labels that were asked for.

        Args:
            latents: function that turns noise into the network's latents, see
                `training_run.step.sampling.generate`; None for the noise itself.
        """
        import_tensorflow()
        from training_run.step.sampling import choose_labels, generate

        network, value_range = self.networks[self.drawing_network], self.config.model.value_range
        labels = choose_labels(
            network, None if label is None else str(label), num, self.class_names
        )
        return Drawn(generate(network, num, seed, value_range, labels, latents), labels)

    def export(self, format: str, out: "str | Path | None" = None) -> "Path":
        """Write the networks for another program, as `python -m training_run.export` does.

        Args:
            format: "onnx", "tflite", "saved_model" or "safetensors".
            out: the folder; None for NAME-FORMAT in the working directory, NAME being that of the
                run's folder.

        Returns:
            The folder. Its README.md has code that uses the networks.

        Raises:
            UserError: a package is missing (`pip install 'gan-vae-mnist[export]'`), or a network
                could not be converted to what Keras computes.
        """
        from pathlib import Path

        from training_run.export.export_run import export_run

        return export_run(self.folder, format, None if out is None else Path(out), print)

    def _picture(self, name):
        path = self.path / name
        if not path.is_file():
            raise UserError(f"{path}: expected a picture, received a run that has none yet")
        return Picture(path)


class Networks(Mapping):
    """The networks of a run folder, each loaded when it is first asked for.

    Args:
        folder: the `RunDir`.
        signatures: name of each network that there may be to its `Signature`.
    """

    def __init__(self, folder, signatures):
        self._folder, self._signatures, self._loaded = folder, signatures, {}

    def __getitem__(self, name):
        if name not in self._signatures:
            raise KeyError(name)
        if name not in self._loaded:
            import_tensorflow()
            self._loaded[name] = load_network(self._folder, name, self._signatures[name])
        return self._loaded[name]

    def __iter__(self):
        return (name for name in self._signatures if self._folder.network(name).is_file())

    def __len__(self):
        return len(list(iter(self)))
