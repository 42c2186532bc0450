"""What the one fit loop has to be told about a kind of model."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

from training_run.config.sections import RunConfig
from training_run.errors import UserError
from training_run.step.precision import computing_in


def no_intervals(config):
    """For families without intervals of their own."""
    return {}


def no_check(config, spec, path):
    """For families that any data suits."""


def no_check_of_images(config, data):
    """For families that any images suit."""


def same_data(config, data):
    """For families that learn from the images as they are."""
    return data


def no_callbacks(context):
    """For families without callbacks of their own."""
    return []


@dataclass(frozen=True)
class Family:
    """A kind of model and how to train it. The functions import TensorFlow when called.

    Attributes:
        name: the value of the `family` key.
        program: how users start it, `gan_mnist.train`.
        default_preset: what runs without `--config`.
        config_class: its `RunConfig`.
        build: (config, spec, block) -> compiled composite model; `spec` is a `DataSpec`,
            `block` the steps in one execution.
        grid: (model, config, data) -> function without arguments that gives the images
            (N, H, W, C) of a sample grid, the same latents every time.
        intervals: config -> name -> interval, for what only this family does.
        check: (config, spec, path) -> None; raises `ConfigError` where the data do not suit.
        check_images: (config, data) -> None; raises `UserError` where the images, once read, do
            not suit. Nothing has been written yet.
        prepare: (config, data) -> `ImageData`, where images are changed once and for all.
        callbacks: `RunContext` -> further callbacks; run before log rows are written, so
            what they put into `logs` reaches log.csv.
        log_columns: names that those callbacks put into `logs`.
    """

    name: str
    program: str
    default_preset: str
    config_class: type[RunConfig]
    build: Callable
    grid: Callable
    intervals: Callable[[RunConfig], Mapping] = no_intervals
    check: Callable = no_check
    check_images: Callable = no_check_of_images
    prepare: Callable = same_data
    callbacks: Callable = no_callbacks
    log_columns: Callable[[RunConfig], tuple] = field(default=lambda config: ())


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
