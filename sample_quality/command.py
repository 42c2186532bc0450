"""The command that scores a run: `python -m sample_quality RUN`."""

import argparse
from pathlib import Path

from sample_quality.protocol import MAX_REAL, write_quality
from sample_quality.run_settings import LikelihoodEffort, image_network, read_settings
from sample_quality.table import format_scores
from training_run.cli.arguments import add_run_arguments, check_output, check_seed
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.run_folder.find import find_run, is_bundled
from training_run.tensorflow_import import import_tensorflow

MIN_IMAGES, MAX_IMAGES = 100, 100_000

MAX_SAMPLES = 1_000_000
"""Codes of an image in an estimate of its log p(x)."""

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
    seed = arguments.seed
    effort = LikelihoodEffort(arguments.likelihood_images, arguments.importance_samples)
    check_numbers(MIN_IMAGES if arguments.num is None else arguments.num, seed)
    check_effort(effort)
    run = find_run(arguments.run, arguments.outputs)
    settings, name = read_settings(run), image_network(run)
    num = arguments.num or settings.usual_num
    out = check_output(arguments.out or default_out(run), (".json",))
    import_tensorflow()
    from sample_quality.score_run import measure_run

    quality = measure_run(run, name, settings, num, seed, effort)
    table = format_scores(quality.scores, quality.about.get("class_names"))
    print(f"{run.path}: {name}.keras\n{quality.about['data']}\n\n{table}\n")
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


def check_effort(effort):
    """Raise `UserError` for a --likelihood-images or an --importance-samples out of range."""
    limits = {
        "--likelihood-images": (effort.num_images, MAX_REAL, "images"),
        "--importance-samples": (effort.num_samples, MAX_SAMPLES, "samples"),
    }
    for option, (received, most, what) in limits.items():
        if not 1 <= received <= most:
            raise UserError(f"{option}: expected 1 to {most:,} {what}, received {received}")


def check_numbers(num, seed, option="--num"):
    """Refuse a number of samples or a --seed that scores cannot be computed with.

    Raises:
        UserError: unless they are `MIN_IMAGES` to `MAX_IMAGES`, and 0 to 2^31 - 1.
    """
    if not MIN_IMAGES <= num <= MAX_IMAGES:
        raise UserError(f"{option}: expected {MIN_IMAGES} to {MAX_IMAGES:,} images, received {num}")
    check_seed(seed)
