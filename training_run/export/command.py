"""The command that exports a run's networks: `python -m training_run.export`."""

from pathlib import Path

from training_run.cli.parser import CommandParser, one_of
from training_run.cli.run_command import run_command
from training_run.export.export_run import export_run
from training_run.export.formats import FORMATS
from training_run.run_folder.find import find_run


def build_parser():
    """The argument parser of `python -m training_run.export`."""
    parser = CommandParser(
        prog="python -m training_run.export",
        description="Write a run's networks for other programs, each compared with Keras, with a "
        "README.md of shapes, ranges and code.",
    )
    parser.add_argument(
        "run", metavar="RUN", help="a run folder, its number, latest or bundled:NAME"
    )
    parser.add_argument(
        "--format", type=one_of(list(FORMATS)), required=True, help=", ".join(FORMATS)
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="the new folder (default: RUN-FORMAT, here)"
    )
    parser.add_argument(
        "--outputs", metavar="DIR", default="outputs", help="where a number or latest is looked up"
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_export, build_parser().parse_args(argv))


def _export(arguments):
    run = find_run(arguments.run, arguments.outputs)
    print(export_run(run, arguments.format, arguments.out, report=print))
    return 0
