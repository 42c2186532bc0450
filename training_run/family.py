"""A kind of model: what the one fit loop and the commands have to be told about it."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from training_run.config.networks import OwnNetworksSection
from training_run.config.sections import RunConfig
from training_run.errors import UserError
from training_run.step.own_networks import source_checksums
from training_run.step.precision import computing_in, resolve_compilation

if TYPE_CHECKING:  # `--help` does not wait for numpy
    from training_run.data.image_data import ImageData


OWN_LOSS = "loss functions"
"""What `Family.sources` calls losses that were given as Python functions."""


class Prepared(NamedTuple):
    """What a family makes of a data set before a run is written.

    Attributes:
        images: the `ImageData` to train on.
        helper: whatever the family's own callbacks need beside them; None for nothing.
    """

    images: "ImageData"
    helper: object = None


class Family:
    """A kind of model and how to train it.

    A family overrides `build` and `grid`, and of the others what it needs. Methods import
    TensorFlow when they are called, so that `--help` need not wait for it.

    Attributes:
        name: the value of the `family` key.
        program: the module that trains it, "gan_mnist.train".
        default_preset: what runs without `--config`.
        config_class: its `RunConfig`.
        networks: names of those that a user may bring; none where they may not.
    """

    name: str
    program: str
    default_preset: str
    config_class: type[RunConfig]
    networks: tuple[str, ...] = ()

    @property
    def package(self):
        """The package that the family's commands are in, "gan_mnist"."""
        return self.program.partition(".")[0]

    def build(self, config, spec, block):
        """The compiled composite model.

        Args:
            config: the checked configuration.
            spec: the data set's `DataSpec`.
            block: training steps in one compiled execution.
        """
        raise NotImplementedError

    def grid(self, model, config, data):
        """A function without arguments that gives a sample grid's images (N, H, W, C).

        They come from the same latents at every call.
        """
        raise NotImplementedError

    def grid_titles(self, model, config):
        """A function without arguments that gives a sample grid's title and the widest title that
        a grid of the run may have; None for grids without titles."""
        return None

    def intervals(self, config):
        """Name to interval, for what only this family does."""
        return {}

    def layout(self, side):
        """Keys of `model` to their values, of the layers for square images of a side."""
        return {}

    def check(self, config, spec, path):
        """Raise `ConfigError` where the data do not suit the configuration in the file `path`."""

    def arrays_used(self, config):
        """Names of the data's arrays that a run depends on; a resume compares their checksums."""
        return ("x_train", "y_train", "x_test", "y_test")

    def sources(self, config):
        """What a user has brought to a run, code or networks: name to SHA-256; a resume compares
        them."""
        if not isinstance(getattr(config, "model", None), OwnNetworksSection):
            return {}
        return source_checksums(config.model, self.networks)

    def prepare(self, config, data):
        """The `Prepared` images; raises `UserError` where they do not suit.

        Nothing has been written yet.
        """
        return Prepared(data)

    def callbacks(self, context):
        """Further Keras callbacks of a run, from its `RunContext`.

        They run before a log row is written, so what they put into `logs` reaches log.csv.
        """
        return []

    def log_columns(self, config):
        """Names of what those callbacks put into `logs`."""
        return ()


def build_model(family, config, spec, block, scope=None):
    """The family's compiled composite model; imports TensorFlow.

    Args:
        family: a `Family`.
        config, spec, block: as for `Family.build`. XLA does not compile the step of a run on
            several devices, whatever `training.jit_compile` says. `training.precision` must be
            resolved.
        scope: context manager to build in; None for none.

    Raises:
        UserError: if the networks do not fit into memory.
    """
    import tensorflow as tf

    config = resolve_compilation(config)
    if config.distribution.strategy != "none":
        plain = config.training.model_copy(update={"jit_compile": False})
        config = config.model_copy(update={"training": plain})
    try:
        with scope or nullcontext(), computing_in(config.training.precision):
            return family.build(config, spec, block)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise UserError(
            "model: expected networks that fit into memory, received larger ones; make them "
            "narrower or shallower"
        ) from None
