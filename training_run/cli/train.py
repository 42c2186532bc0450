"""The `train` command, the same for every family.

Nothing here imports TensorFlow until the configuration is known to be right.
"""

import argparse
import importlib.util
import json
import sys
from functools import partial

from training_run.cli.parser import CommandParser
from training_run.cli.run_command import EXIT_FAILED, run_command
from training_run.config.load import check_against_data, find_config, list_presets, load_config
from training_run.config.yaml_source import ConfigError, Problem
from training_run.devices.cluster import check_batch_size, check_distribution
from training_run.errors import UserError
from training_run.run_folder.find import PREFIX, check_family, find_run
from training_run.run_folder.paths import check_output_dir
from training_run.run_folder.resume import check_allowed_keys, check_same_training
from training_run.step.precision import resolve_precision
from training_run.tensorflow_import import import_tensorflow

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
    if arguments.resume is not None:
        return _resume(family, arguments)
    if arguments.allow_change:
        raise UserError("--allow-change: expected together with --resume, received without")
    path = find_config(family.default_preset if arguments.config is None else arguments.config)
    config = load_config(family.config_class, path, arguments.overrides)
    spec = _check(family, config, path)
    check_output_dir(config.output_dir)
    return _train_checked(family, config, path, spec, arguments.dry_run)


def _resume(family, arguments):
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
    stored = load_config(family.config_class, run.config)
    config = load_config(family.config_class, run.config, arguments.overrides)
    spec = _check(family, config, run.config)
    check_same_training(stored, config, arguments.allow_change, spec, run.config)
    return _train_checked(family, config, run.config, spec, arguments.dry_run, (run, stored))


def _check(family, config, path):
    """Everything that can be said without reading the images; gives their `DataSpec`."""
    from training_run.data.datasets import describe_dataset

    check_extras(config, path)
    spec = describe_dataset(config.data)
    check_against_data(config, spec, path)
    family.check(config, spec, path)
    return spec


def _train_checked(family, config, path, spec, dry_run, resumed=()):
    cluster = None if dry_run else check_distribution(config, path)
    import_tensorflow()
    config = resolve_precision(config)
    if dry_run:
        from training_run.cli.dry_run import print_plan

        print_plan(family, config, spec)
        return 0
    from training_run.devices.strategy import WorkerLost, open_devices, watched_workers

    try:
        with watched_workers(cluster):
            devices = open_devices(config.distribution.strategy, cluster)
            check_batch_size(config, devices.num_replicas, path)
            run, code = _train_on(devices, family, config, path, resumed)
    except WorkerLost as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    if run is not None:
        print(f"{run.path}: look at progress.gif, losses.png and samples/")
    return code


def _train_on(devices, family, config, path, resumed):
    """Load the images and train; gives the `RunDir`, None on followers, and the exit code."""
    from training_run.data.datasets import DataSpec, load_dataset
    from training_run.loop.fit import resume, train

    data = load_dataset(config.data, report=partial(print, flush=True))
    spec = DataSpec(len(data.x_train), data.x_train.shape[1:], data.num_classes)
    check_against_data(config, spec, path)  # unreadable images may have made it smaller
    family.check_images(config, data)
    start = resume if resumed else train
    return start(family, config, data, spec, *resumed, devices)


def print_presets(family):
    """The presets of a family, each with its own leading comment."""
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
