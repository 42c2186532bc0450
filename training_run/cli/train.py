"""The `train` command, the same for every family.

Nothing here imports TensorFlow until the configuration is known to be right.
"""

import argparse
import importlib.util
import json
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from training_run.cli.image_size import resolve_size
from training_run.cli.parser import CommandParser
from training_run.cli.run_command import run_command
from training_run.config.load import check_against_data, find_config, list_presets, load_config
from training_run.config.sections import RunConfig
from training_run.config.yaml_source import ConfigError, Problem, is_one_of
from training_run.devices.cluster import check_batch_size, check_distribution
from training_run.errors import UserError
from training_run.run_folder.find import PREFIX, check_family, find_run, resolve_initial_run
from training_run.run_folder.paths import RunDir, check_output_dir
from training_run.step.precision import resolve_precision
from training_run.tensorflow_import import import_tensorflow

if TYPE_CHECKING:  # `--help` does not wait for numpy
    from training_run.data.image_data import Dataset
    from training_run.run_folder.checkpoint import Checkpoint
    from training_run.run_folder.resume import Change

_EPILOG = """\
examples:
  python -m {program}                          the default preset, {default}
  python -m {program} --list                   all presets, with purpose and time
  python -m {program} training.steps=500       any key of the YAML, as key=value
  python -m {program} --config my.yaml --dry-run
  python -m {program} --resume latest          go on with the newest run
  python -m {program} --resume 3 optimizer.learning_rate=1e-4 \\
      --allow-change optimizer.learning_rate
"""


class Request(NamedTuple):
    """A training that is asked for, checked as far as that goes without reading the images.

    Attributes:
        config: the configuration, overrides included.
        path: its file, for messages.
        dataset: the `Dataset` to learn from.
        run: the `RunDir` to go on in; None for a new run.
        checkpoint: the `Checkpoint` to go on from; None for a start from step 0.
        changes: list of `Change` from the configuration that the run was last trained with.
        allowed: keys of --allow-change.
    """

    config: RunConfig
    path: Path
    dataset: "Dataset"
    run: RunDir | None = None
    checkpoint: "Checkpoint | None" = None
    changes: "Sequence[Change]" = ()
    allowed: Sequence[str] = ()


def build_parser(family):
    """The argument parser of `python -m <family.program>`."""
    parser = CommandParser(
        prog=f"python -m {family.program}",
        description=f"Train a model of the {family.name} family, each run in its own folder.",
        epilog=_EPILOG.format(program=family.program, default=family.default_preset),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config",
        metavar="NAME_OR_PATH",
        help=f"a preset or a YAML file (default: {family.default_preset})",
    )
    parser.add_argument("--resume", metavar="RUN", help="a run folder, its number, or latest")
    parser.add_argument(
        "--allow-change",
        metavar="KEY",
        action="append",
        default=[],
        help="with --resume: a key or section of the configuration that is changed on purpose; "
        "may be given several times",
    )
    parser.add_argument(
        "--outputs",
        metavar="DIR",
        default="outputs",
        help="where --resume looks up a number or latest",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check everything, print configuration and networks, write nothing",
    )
    parser.add_argument(
        "--list", action="store_true", help="name the presets with purpose and time"
    )
    parser.add_argument(
        "--schema", action="store_true", help="print the configuration's JSON Schema"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="configuration keys to change"
    )
    return parser


def train_command(family, argv=None):
    """`python -m <family.program>`: parse, check, then train.

    Args:
        family: a `Family`.
        argv: arguments; None for the process's own.

    Returns:
        Exit code: 0 done, 1 diverged, 2 bad usage, configuration or data, 130 interrupted.
    """
    arguments = build_parser(family).parse_intermixed_args(argv)
    return run_command(_train, family, arguments)


def _train(family, arguments):
    if arguments.list:
        return print_presets(family)
    if arguments.schema:
        print(json.dumps(schema(family.config_class), indent=2))
        return 0
    request = (request_new_run if arguments.resume is None else request_resume)(family, arguments)
    cluster = None if arguments.dry_run else check_distribution(request.config, request.path)
    import_tensorflow()
    config = resolve_precision(request.config)
    if arguments.dry_run:
        from training_run.cli.dry_run import print_plan

        check_scores(family, config, request)
        initial = None if request.checkpoint else config.init.run
        return print_plan(family, config, request.dataset.spec, initial)
    from training_run.devices.strategy import open_devices, watched_workers
    from training_run.loop.fit import resume, train

    with watched_workers(cluster):
        devices = open_devices(config.distribution.strategy, cluster)
        check_batch_size(config, devices.num_replicas, request.path)
        data = request.dataset.read(partial(print, flush=True))
        check_against_data(config, data.spec, request.path)  # it may lack unreadable images
        if request.run is None:
            return train(family, config, data, devices)
        may_change_data = is_one_of("data", request.allowed)
        run, checkpoint, changes = request.run, request.checkpoint, request.changes
        return resume(family, config, data, devices, run, checkpoint, changes, may_change_data)


def request_new_run(family, arguments):
    """The `Request` of a command without --resume.

    Raises:
        UserError: if anything in it is wrong.
    """
    if arguments.allow_change:
        raise UserError("--allow-change: expected together with --resume, received without")
    path = find_config(family.default_preset if arguments.config is None else arguments.config)
    config = load_config(family.config_class, path, arguments.overrides)
    with blaming_overrides(arguments.overrides, path):
        config = resolve_size(family, config, path)
        dataset = check_with_data(family, config, path)
    config = resolve_initial_run(config, arguments.outputs)
    check_output_dir(config.output_dir)
    return Request(config, path, dataset)


def request_resume(family, arguments):
    """The `Request` of a command with --resume.

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

    if arguments.config is not None:
        raise UserError("expected --config or --resume, received both: a resumed run keeps its own")
    if arguments.resume.startswith(PREFIX):
        raise UserError(
            f"--resume: expected a run with checkpoints, received {arguments.resume}, which only "
            "has its networks"
        )
    check_allowed_keys(family.config_class, arguments.allow_change)
    run = find_run(arguments.resume, arguments.outputs, family.name)
    check_family(run, family.name)
    config = load_config(family.config_class, run.config, arguments.overrides)
    checkpoint = find_checkpoint(run)
    stored = stored_config(run, checkpoint, family.config_class)
    if config.init != stored.init:
        config = resolve_initial_run(config, arguments.outputs)
    check_same_initial_run(stored, config, run.config)
    dataset = check_with_data(family, config, run.config)
    dataset = with_own_files(dataset, run, config.data, arguments.allow_change)
    check_same_training(stored, config, arguments.allow_change, dataset.spec, run.config)
    changes = changes_between(stored, config)
    return Request(config, run.config, dataset, run, checkpoint, changes, arguments.allow_change)


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
    """Let every problem of the block name where its key was set: the file or the command line.

    Args:
        overrides: texts "dotted.key=value".
        path: the configuration's file, which problems name so far.

    Raises:
        ConfigError: as the block, with other places. A problem of a key of the file with images of
            the command line names both.
    """
    keys = [override.partition("=")[0] for override in overrides]

    def blamed(problem):
        if problem.where != str(path):
            return problem
        if any(is_one_of(problem.key, [key]) or is_one_of(key, [problem.key]) for key in keys):
            return replace(problem, where="command line")
        has_other_data = any(is_one_of(key, ["data"]) for key in keys)
        return replace(problem, where=f"{path} and command line") if has_other_data else problem

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


def print_presets(family):
    """Print the presets of a family, each with its own leading comment."""
    for name, lines in list_presets(family.name):
        default = "  (default)" if name == family.default_preset else ""
        print(f"{name}{default}")
        for line in lines:
            print(f"    {line}")
    return 0


def schema(config_class):
    """JSON Schema of a family's configuration, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **config_class.model_json_schema(),
    }
