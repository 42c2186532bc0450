"""The command that compares runs: `python -m gan_vs_vae [RUN ...]`.

Nothing here imports TensorFlow until the runs are known to fit together.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from gan_vs_vae.default_runs import DEFAULTS, TrainingFailed, train_defaults
from gan_vs_vae.pooling import pool_runs
from gan_vs_vae.runs import read_runs
from sample_quality.command import check_numbers
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.files import write_text
from training_run.tensorflow_import import import_tensorflow

REPORT = "report.html"

_DESCRIPTION = """\
Compare runs of GANs and VAEs: one HTML file that needs no network, with samples, progress,
nearest training images, interpolations, losses, scores and what follows from them.
Without a RUN it first trains a short default of both:
{defaults}
Runs that differ in nothing but the seed are pooled. Runs without a quality.json are scored
first, about a minute each, and get one.
"""


def build_parser():
    """The argument parser of `python -m gan_vs_vae`."""
    parser = CommandParser(
        prog="python -m gan_vs_vae",
        description=_DESCRIPTION.format(
            defaults="\n".join(f"  {training.about}" for training in DEFAULTS)
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="run folders, their numbers, or latest"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help=f"where {REPORT} goes (default: OUTPUTS/comparison)"
    )
    parser.add_argument(
        "--outputs",
        metavar="DIR",
        default="outputs",
        help="where numbers and latest are looked up, and default runs go (default: outputs)",
    )
    parser.add_argument(
        "--seed", type=integer, default=0, help="of the latents and scores (default: 0)"
    )
    parser.add_argument(
        "--num", type=integer, default=10_000, help="how many samples to score (default: 10000)"
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    arguments = build_parser().parse_intermixed_args(argv)
    try:
        return run_command(_compare, arguments)
    except _Stopped as stopped:
        return stopped.code


class _Stopped(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def _compare(arguments):
    check_numbers(arguments.num, arguments.seed)
    out = arguments.out or Path(arguments.outputs) / "comparison"
    _check_folder(out)
    runs = read_runs(arguments.runs or _default_runs(arguments.outputs), arguments.outputs)
    page = write_report(runs, arguments.num, arguments.seed)
    _write(out, page)
    print(out / REPORT)
    return 0


def _default_runs(output_dir):
    print("no runs given: training a short default of both, then comparing them", flush=True)
    try:
        return train_defaults(output_dir, report=partial(print, flush=True))
    except TrainingFailed as failed:
        print(failed, file=sys.stderr)
        raise _Stopped(failed.code) from None


def _check_folder(out):
    """Refuse a folder that cannot be one, before anything is trained or scored."""
    existing = out.absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        raise UserError(f"--out: expected a folder, received {out}, where {existing} is a file")


def write_report(runs, num, seed):
    """The HTML of a report on runs.

    Args:
        runs: list of `Run`, of the same images.
        num: samples to score, where that is still to be done.
        seed: of latents and scores.

    Returns:
        str.

    Raises:
        UserError: if a network cannot be loaded, draws other images, or cannot be scored.
    """
    import_tensorflow()
    from gan_vs_vae.page import Material, build_page
    from gan_vs_vae.pictures import draw_run
    from gan_vs_vae.scores import qualities_of
    from training_run.data.datasets import load_dataset

    data = load_dataset(runs[0].settings.data)
    networks = {run.title: load_networks(run) for run in runs}
    qualities = qualities_of(runs, data, num, seed, partial(print, flush=True))
    print("drawing", flush=True)
    drawn = {run.title: draw_run(run, networks[run.title], data, seed) for run in runs}
    return build_page(Material(runs, pool_runs(runs), networks, drawn, qualities, seed))


def load_networks(run):
    """The saved networks of a run: dict of name to keras network."""
    from training_run.run_folder.networks import (
        IMAGES_TO_LOGITS,
        IMAGES_TO_POSTERIORS,
        LATENTS_TO_IMAGES,
        load_network,
    )

    signatures = {
        "generator": LATENTS_TO_IMAGES,
        "discriminator": IMAGES_TO_LOGITS,
        "encoder": IMAGES_TO_POSTERIORS,
        "decoder": LATENTS_TO_IMAGES,
    }
    return {
        name: load_network(run.folder, name, signature)
        for name, signature in signatures.items()
        if run.folder.network(name).is_file()
    }


def _write(out, page):
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / REPORT, page)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror or error}") from None
