"""The `train` command, the same for every family.

Nothing here imports TensorFlow until the configuration is known to be right.
"""

import argparse
import importlib.util
import json
import os
import sys
from functools import partial

from training_run.config import check_against_data, load_config
from training_run.errors import UserError
from training_run.presets import find_config, list_presets
from training_run.quiet import import_tensorflow
from training_run.rundir import find_run
from training_run.yaml_source import ConfigError, Problem

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_EPILOG = """\
examples:
  python -m {program}                          the default preset, {default}
  python -m {program} --list                   all presets, with purpose and time
  python -m {program} training.steps=500       any key of the YAML, as key=value
  python -m {program} --config my.yaml --dry-run
  python -m {program} --resume latest          go on with the newest run
"""


def build_parser(family):
    """The argument parser of `python -m <family.program>`."""
    parser = argparse.ArgumentParser(
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


def run_command(function, *args):
    """Call a command and turn its outcome into an exit code; the user's errors are one sentence.

    Returns:
        What `function` returns, or 2 for a `UserError`, 130 for an interrupt.
    """
    try:
        return function(*args)
    except UserError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe went away, as in `--list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


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
    resume_from, path = None, None
    if arguments.resume:
        if arguments.config:
            raise UserError(
                "expected --config or --resume, received both: a resumed run keeps its own"
            )
        resume_from = find_run(arguments.resume, arguments.outputs, family.name)
        path = resume_from.config
    else:
        path = find_config(arguments.config or family.default_preset)
    config = load_config(family.config_class, path, arguments.overrides)
    if resume_from:
        check_same_training(load_config(family.config_class, path), config, path)
    check_extras(config, path)
    return _train_checked(family, config, path, resume_from, arguments.dry_run)


def _train_checked(family, config, path, resume_from, dry_run):
    from training_run.data import DataSpec, describe_dataset, load_dataset

    spec = describe_dataset(config.data)
    check_against_data(config, spec, path)
    family.check(config, spec, path)
    import_tensorflow()
    if dry_run:
        from training_run.describe import print_plan

        print_plan(family, config, spec)
        return 0
    data = load_dataset(config.data, report=partial(print, flush=True))
    spec = DataSpec(len(data.x_train), data.x_train.shape[1:], data.num_classes)
    check_against_data(config, spec, path)  # unreadable images may have made it smaller
    family.check_images(config, data)
    from training_run.fit import resume, train

    if resume_from:
        run, code = resume(family, config, data, spec, resume_from)
    else:
        run, code = train(family, config, data, spec)
    print(f"{run.path}: look at progress.gif, losses.png and samples/")
    return code


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


MAY_CHANGE = (
    "training.steps",
    "log",
    "samples.every",
    "gif",
    "checkpoints",
    "validation.every",
    "quality.every",
    "output_dir",
)
"""Keys that only extend a run or change how it is watched; the rest would make it another run."""


def check_same_training(stored, config, path):
    """Refuse to resume under a configuration that would have trained differently.

    Args:
        stored: the run's own configuration.
        config: the same with the command line's overrides.
        path: the run's config.yaml, for the message.

    Raises:
        ConfigError: a line for each changed key that may not change.
    """
    before, after = flatten(stored.model_dump(mode="json")), flatten(config.model_dump(mode="json"))
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    problems = [
        Problem(
            str(path),
            key,
            f"expected {before.get(key)!r} as the run was started with, "
            f"received {after.get(key)!r}",
        )
        for key in sorted(changed)
        if not any(key == allowed or key.startswith(f"{allowed}.") for allowed in MAY_CHANGE)
    ]
    if problems:
        raise ConfigError(problems)


def flatten(values, parent=""):
    """Nested dicts as one dict of dotted keys."""
    flat = {}
    for name, value in values.items():
        key = f"{parent}.{name}" if parent else name
        flat |= flatten(value, key) if isinstance(value, dict) else {key: value}
    return flat
