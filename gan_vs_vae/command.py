"""The command that compares runs: `python -m gan_vs_vae [RUN ...]`.

Nothing here imports TensorFlow before the runs have been checked.
"""

import argparse
from functools import partial
from pathlib import Path

from gan_vs_vae.default_runs import DEFAULTS, train
from gan_vs_vae.runs import read_runs
from sample_quality.command import check_numbers
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.files import folder_problem, write_text
from training_run.tensorflow_import import import_tensorflow

REPORT = "report.html"

_DESCRIPTION = """\
Compare runs of GANs and VAEs. The result is one HTML file that needs no network. It has samples,
progress, nearest training images, interpolations, losses, scores and findings.
Without a RUN, a short default of both is trained first:
{defaults}
Runs that differ only in the seed are pooled. A run without a quality.json is scored first. That
takes about a minute, and the scores are saved in its folder.
"""


def build_parser():
    """The argument parser of `python -m gan_vs_vae`."""
    parser = CommandParser(
        prog="python -m gan_vs_vae",
        description=_DESCRIPTION.format(
            defaults="\n".join(f"  {training.description}" for training in DEFAULTS)
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="run folders, numbers, latest or bundled:NAME"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help=f"folder for {REPORT} (default: OUTPUTS/comparison)"
    )
    parser.add_argument(
        "--outputs",
        metavar="DIR",
        default="outputs",
        help="folder of numbers, latest and the default runs (default: outputs)",
    )
    parser.add_argument(
        "--seed", type=integer, default=0, help="seed of latents and scores (default: 0)"
    )
    parser.add_argument(
        "--num", type=integer, default=10_000, help="number of samples to score (default: 10000)"
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_compare, build_parser().parse_intermixed_args(argv))


def _compare(arguments):
    check_numbers(arguments.num, arguments.seed)
    out = arguments.out or Path(arguments.outputs) / "comparison"
    _check_folder(out)
    references = arguments.runs
    if not references:
        print("no runs given: training a short default of both", flush=True)
        references = [train(training, arguments.outputs) for training in DEFAULTS]
    html = write_report(read_runs(references, arguments.outputs), arguments.num, arguments.seed)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / REPORT, html)
    print(out / REPORT)
    return 0


def _check_folder(out):
    """Refuse a folder that cannot be made or written to, before anything is trained or scored."""
    if problem := folder_problem(out):
        raise UserError(f"--out: expected a folder that can be written to, received {problem}")


def write_report(runs, num, seed):
    """The HTML of a report on a list of `Run`, all of the same images.

    Args:
        num: number of samples for a run that has no scores yet.
        seed: seed of latents and scores.

    Raises:
        UserError: a network cannot be loaded, gives images of another shape, or cannot be scored.
    """
    import_tensorflow()
    from gan_vs_vae.page import build_page
    from gan_vs_vae.pictures import make_pictures, make_real_pictures
    from gan_vs_vae.scores import score_runs
    from training_run.data.datasets import load_dataset

    data = load_dataset(runs[0].settings.data)
    networks = {run.title: load_networks(run) for run in runs}
    qualities = score_runs(runs, data, num, seed, partial(print, flush=True))
    print("making pictures", flush=True)
    pictures = {run.title: make_pictures(run, networks[run.title], data, seed) for run in runs}
    real = make_real_pictures(data, runs[0].spec.noun)
    return build_page(runs, networks, pictures, real, qualities, seed)


def load_networks(run):
    """The saved networks of a run: dict of name to Keras network."""
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
