"""The command that scores a run: `python -m sample_quality RUN`."""

import argparse
from pathlib import Path

from sample_quality.protocol import write_quality
from sample_quality.run_settings import LikelihoodEffort
from sample_quality.scoring import Scores, measure
from training_run.cli.arguments import add_run_arguments, check_output
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.run_folder.find import find_run, is_bundled

_DESCRIPTION = """\
Score a run's samples against the test images, which it has not been trained on.
Prints a table and writes quality.json in the run folder. "real images" are the scores that as
many training images get in place of the samples: about those of a model without fault.
"""


def build_parser():
    """The argument parser of `python -m sample_quality`."""
    parser = CommandParser(
        prog="python -m sample_quality",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_run_arguments(parser, "quality.json in the run folder")
    parser.add_argument(
        "--num",
        type=integer,
        help="how many samples to score (default: 10000; of stacked digits 25600)",
    )
    parser.add_argument(
        "--likelihood-images",
        type=integer,
        default=1000,
        metavar="N",
        help="test images that a VAE estimates log p(x) of, by many decodings each (default: 1000)",
    )
    parser.add_argument(
        "--importance-samples",
        type=integer,
        default=200,
        metavar="K",
        help="decodings of each of them; more bring the estimate closer (default: 200)",
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_score, build_parser().parse_args(argv))


def _score(arguments):
    effort = LikelihoodEffort(arguments.likelihood_images, arguments.importance_samples)
    run = find_run(arguments.run, arguments.outputs)
    out = check_output(arguments.out or default_out(run), (".json",))
    quality = measure(run, arguments.num, arguments.seed, effort)
    scores = Scores(quality)
    print(f"{run.path}: {quality.about['network']}\n{quality.about['data']}\n\n{scores}\n")
    for text in quality.about["notes"]:
        print(f"note: {text}")
    try:
        write_quality(out, quality)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror or error}") from None
    print(out)
    return 0


def default_out(run):
    """Where a run's scores go: its folder; for a bundled model, the working directory."""
    if is_bundled(run):
        return Path(f"{run.path.name}-quality.json")
    return run.path / "quality.json"
