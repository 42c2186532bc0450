"""A training that is asked for, checked before TensorFlow is imported.

The commands and the Python functions ask for trainings by these functions.
"""

import importlib.util
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from training_run.config.load import check_against_data, find_config, load_config
from training_run.config.sections import RunConfig
from training_run.config.yaml_source import ConfigError, Problem, is_one_of
from training_run.errors import UserError
from training_run.family import OWN_LOSS
from training_run.python.image_size import resolve_size
from training_run.run_folder.environment import find_source_change
from training_run.run_folder.find import PREFIX, check_family, find_run, resolve_initial_run
from training_run.run_folder.paths import RunDir, check_output_dir

if TYPE_CHECKING:  # `--help` does not wait for numpy
    from training_run.data.image_data import Dataset
    from training_run.run_folder.checkpoint import Checkpoint
    from training_run.run_folder.resume import Change


class Overrides(NamedTuple):
    """Keys of a configuration that are set beside its file.

    Attributes:
        texts: "dotted.key=value" each, the value in YAML.
        place: where they were set, for messages.
    """

    texts: Sequence[str] = ()
    place: str = "command line"


NO_OVERRIDES = Overrides()


class Request(NamedTuple):
    """A training that is asked for, checked as far as that goes without reading the images.

    Attributes:
        config: the configuration, overrides included.
        path: its file, for messages.
        dataset: the `Dataset` to learn from.
        run: the `RunDir` to go on in; None for a new run.
        checkpoint: the `Checkpoint` to go on from; None for a start from step 0.
        changes: list of `Change` from the configuration that the run was last trained with.
        allowed: keys that may change in a resume.
    """

    config: RunConfig
    path: Path
    dataset: "Dataset"
    run: RunDir | None = None
    checkpoint: "Checkpoint | None" = None
    changes: "Sequence[Change]" = ()
    allowed: Sequence[str] = ()


def request_new_run(family, config=None, overrides=NO_OVERRIDES, outputs="outputs"):
    """The `Request` of a new run.

    Args:
        family: the `Family`.
        config: a preset's name or the path of a YAML file; None for the family's default preset.
        overrides: `Overrides`.
        outputs: folder that a number or "latest" in `init.run` is looked up in.

    Raises:
        UserError: if anything in it is wrong.
    """
    path = find_config(family.default_preset if config is None else config)
    checked = load_config(family.config_class, path, *overrides)
    with blaming_overrides(overrides, path):
        checked = resolve_size(family, checked, path)
        dataset = check_with_data(family, checked, path)
    checked = resolve_initial_run(checked, outputs)
    check_output_dir(checked.output_dir)
    return Request(checked, path, dataset)


def request_resume(family, reference, outputs, overrides=NO_OVERRIDES, allowed=()):
    """The `Request` to go on with a run.

    Args:
        family: the `Family`.
        reference: a run folder, its number, or "latest".
        outputs: folder that numbers and "latest" are looked up in.
        overrides: `Overrides`.
        allowed: keys and sections of the configuration that may make it another training.

    Raises:
        UserError: if anything in it is wrong, or would make it another training.
    """
    from training_run.run_folder.resume import (
        changes_between,
        check_allowed_keys,
        check_same_initial_run,
        check_same_training,
        find_checkpoint,
        stored_config,
    )

    if str(reference).startswith(PREFIX):
        raise UserError(
            f"--resume: expected a run with checkpoints, received {reference}, which only "
            "has its networks"
        )
    check_allowed_keys(family.config_class, allowed)
    run = find_run(reference, outputs, family.name)
    check_family(run, family.name)
    config = load_config(family.config_class, run.config, *overrides)
    checkpoint = find_checkpoint(run)
    stored = stored_config(run, checkpoint, family.config_class)
    if config.init != stored.init:
        config = resolve_initial_run(config, outputs)
    check_same_initial_run(stored, config, run.config)
    dataset = check_with_data(family, config, run.config)
    dataset = with_own_files(dataset, run, config.data, allowed)
    check_same_training(stored, config, allowed, dataset.spec, run.config)
    changes = [*changes_between(stored, config), *source_changes(family, config, run, allowed)]
    return Request(config, run.config, dataset, run, checkpoint, changes, allowed)


def source_changes(family, config, run, allowed):
    """The `Change` of the code or the networks that the user brought, in a list.

    Raises:
        UserError: there is one, and neither "model" nor "loss" is among the keys that may change.
    """
    change = find_source_change(run, family.sources(config))
    section = "loss" if change and change.key == OWN_LOSS else "model"
    if change and not is_one_of(section, allowed):
        raise UserError(
            f"{change.key}: expected what the run was started with (sha256 {change.before}...), "
            f"received another ({change.after}...); to go on with it, add --allow-change {section}"
        )
    return [change] if change else []


def with_own_files(dataset, run, data_config, allowed):
    """The dataset to resume a run with, where its folder of images has changed since it began.

    Args:
        dataset: the `Dataset` of the folder as it is.
        run: the `RunDir`.
        data_config: its `DataConfig`.
        allowed: keys of --allow-change; with "data" among them the run goes on with the folder as
            it is.

    Returns:
        The same `Dataset`, or that of the images as the run began with them, from their cache.

    Raises:
        UserError: other images are there now, and those from before are not cached.
    """
    from training_run.data.image_folder.find import find_cached
    from training_run.run_folder.image_files import compare_files, read_image_files

    before = None if dataset.files is None else read_image_files(run)
    change = before and compare_files(before, dataset.files)
    if not change:
        return dataset
    said = f"{data_config.path}: since the run began, {change}"
    if is_one_of("data", allowed):
        print(f"{said}; going on with the images as they are")
        return dataset
    if cached := find_cached(data_config, before):
        print(f"{said}; going on with the images from before, which are cached")
        return cached
    if change.added or change.removed or change.changed:
        raise UserError(
            f"{said}, and the images from before are not cached; to go on with the images as they "
            "are, add --allow-change data"
        )
    return dataset  # only times differ, as after a copy: the pixels are compared


@contextmanager
def blaming_overrides(overrides, path):
    """Let every problem of the block name where its key was set: its file or an override.

    Args:
        overrides: `Overrides`.
        path: the configuration's file, which problems name so far.

    Raises:
        ConfigError: as the block, with other places. A problem of a key of the file with images of
            an override names both.
    """
    keys = [text.partition("=")[0] for text in overrides.texts]

    def blamed(problem):
        if problem.where != str(path):
            return problem
        if any(is_one_of(problem.key, [key]) or is_one_of(key, [problem.key]) for key in keys):
            return replace(problem, where=overrides.place)
        has_other_data = any(is_one_of(key, ["data"]) for key in keys)
        return (
            replace(problem, where=f"{path} and {overrides.place}") if has_other_data else problem
        )

    try:
        yield
    except ConfigError as error:
        raise ConfigError([blamed(problem) for problem in error.problems]) from None


def check_with_data(family, config, path):
    """Check all of a configuration that can be checked without reading the images.

    Returns:
        Its `Dataset`.

    Raises:
        UserError: if the configuration does not suit the data or this machine.
    """
    from training_run.data.datasets import find_dataset

    check_extras(config, path)
    dataset = find_dataset(config.data)
    check_against_data(config, dataset.spec, path)
    family.check(config, dataset.spec, path)
    return dataset


def check_scores(family, config, request):
    """Refuse scores while training of own images that have no classifier yet.

    A classifier is known by its images' checksum, so they are read, and not kept.

    Raises:
        UserError: naming the command that trains it.
    """
    from training_run.data.datasets import find_dataset

    if config.data.path is None or not getattr(getattr(config, "quality", None), "every", None):
        return
    data_config = config.data.model_copy(update={"cache": False})
    dataset = find_dataset(data_config) if request.run is None else request.dataset
    family.prepare(config, dataset.read(partial(print, flush=True)))


def check_extras(config, path):
    """Refuse what needs a package that is not installed.

    Raises:
        ConfigError: if TensorBoard logging is asked for without TensorBoard.
    """
    if config.log.tensorboard and importlib.util.find_spec("tensorboard") is None:
        message = (
            "expected the package tensorboard to be installed "
            "(pip install 'gan-vae-mnist[tensorboard]'), received true without it"
        )
        raise ConfigError([Problem(str(path), "log.tensorboard", message)])
