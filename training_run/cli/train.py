"""The `train` command, the same for every family.

Nothing here imports TensorFlow until the configuration is known to be right.
"""

import argparse
import json

from training_run.cli.parser import CommandParser
from training_run.cli.run_command import run_command
from training_run.config.load import list_presets
from training_run.errors import UserError
from training_run.python.request import Overrides, check_scores, request_new_run, request_resume
from training_run.python.training import start
from training_run.step.precision import resolve_for_machine
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
    request = (_request_new if arguments.resume is None else _request_resume)(family, arguments)
    if arguments.dry_run:
        return _print_plan(family, request)
    return start(family, request).exit_code


def _request_new(family, arguments):
    if arguments.allow_change:
        raise UserError("--allow-change: expected together with --resume, received without")
    overrides = Overrides(arguments.overrides)
    return request_new_run(family, arguments.config, overrides, arguments.outputs)


def _request_resume(family, arguments):
    if arguments.config is not None:
        raise UserError("expected --config or --resume, received both: a resumed run keeps its own")
    overrides, allowed = Overrides(arguments.overrides), arguments.allow_change
    return request_resume(family, arguments.resume, arguments.outputs, overrides, allowed)


def _print_plan(family, request):
    import_tensorflow()
    from training_run.cli.dry_run import print_plan

    config = resolve_for_machine(request.config)
    check_scores(family, config, request)
    initial = None if request.checkpoint else config.init.run
    return print_plan(family, config, request.dataset.spec, initial)


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
