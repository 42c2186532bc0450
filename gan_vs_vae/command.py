"""The command that compares runs: `python -m gan_vs_vae [RUN ...]`.

Nothing here imports TensorFlow before the runs have been checked.
"""

import argparse
import re
import webbrowser
from functools import partial
from pathlib import Path

from gan_vs_vae.default_runs import DEFAULTS, train
from gan_vs_vae.runs import read_runs
from sample_quality.scoring import check_numbers
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.files import folder_problem, write_text
from training_run.run_folder.find import BUNDLED_FOLDER, bundled_names
from training_run.run_folder.paths import create_run_dir
from training_run.tensorflow_import import import_tensorflow

REPORT = "report.html"

EXPLORER = "explore.html"
"""A page beside the report in which its networks run live; the report links to it."""

MAX_NAME = 80
"""Characters of a folder's name that come from its runs."""

_DESCRIPTION = """\
Compare runs of GANs and VAEs. The result is one HTML file that needs no network: samples beside
real images, findings, progress, nearest training images, interpolations, losses and scores. Beside
it lies explore.html, a page in which the networks run live (see python -m latent_explorer).

A RUN is one of
  outputs/00003-gan_mlp  a run folder, or its best/
  3                      the number of a run in OUTPUTS
  latest                 the newest run in OUTPUTS
  bundled:NAME           a trained model that ships with the package:
                         {bundled}
All runs must have been trained on the same images. Runs that differ only in the seed are pooled.
A run without a quality.json is scored first. That takes about a minute, and the scores are saved
in its folder.

Without a RUN, a short default of both is trained first and then compared:
{defaults}
"""


def build_parser():
    """The argument parser of `python -m gan_vs_vae`."""
    parser = CommandParser(
        prog="python -m gan_vs_vae",
        description=_DESCRIPTION.format(
            bundled=", ".join(filter(_draws_images, bundled_names())),
            defaults="\n".join(f"  {training.description}" for training in DEFAULTS),
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="a run folder, its number, latest or bundled:NAME"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help=f"folder for {REPORT}, in which there is none yet (default: the next numbered folder "
        "in OUTPUTS/comparison, such as 00001-gan_fast-vae_fast)",
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
    parser.add_argument("--open", action="store_true", help="show the report in a browser")
    return parser


def _draws_images(name):
    """True for a bundled GAN or VAE, False for the denoiser."""
    folder = BUNDLED_FOLDER / name
    return any((folder / f"{network}.keras").is_file() for network in ("generator", "decoder"))


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_compare, build_parser().parse_intermixed_args(argv))


def _compare(arguments):
    check_numbers(arguments.num, arguments.seed)
    _check_folder(arguments.out or reports_of(arguments.outputs))
    references = arguments.runs
    if not references:
        print("no runs given: training a short default of both", flush=True)
        references = [train(training, arguments.outputs) for training in DEFAULTS]
    path = write_report(references, arguments.out, arguments.num, arguments.seed, arguments.outputs)
    print(path)
    if arguments.open and not webbrowser.open(path.resolve().as_uri()):
        print(f"note: no browser could be opened; open {path} yourself")
    return 0


def write_report(references, out=None, num=10_000, seed=0, outputs="outputs"):
    """Write a report on runs, and beside it the page in which their networks run live.

    Args:
        references: run folders, numbers, "latest" or "bundled:NAME".
        out: folder for the report, in which there is none yet; None for the next numbered folder
            in `outputs`/comparison.
        num: number of samples for a run that has no scores yet.
        seed: of latents and scores.
        outputs: folder of numbers and "latest".

    Returns:
        Path of the report.

    Raises:
        UserError: an argument is wrong, or a run cannot be read, compared or scored.
    """
    check_numbers(num, seed)
    reports = reports_of(outputs)
    _check_folder(out or reports)
    runs = read_runs(references, outputs)
    build = prepare_report(runs, num, seed)
    folder = out or create_run_dir(reports, report_name(runs)).path
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT
    write_text(path, build(explorer=write_explorer(runs, folder)))
    return path


def reports_of(outputs):
    """The folder of the numbered reports on runs in a folder."""
    return Path(outputs) / "comparison"


def _check_folder(out):
    """Refuse a folder that cannot be written to or has a report, before anything is trained."""
    if problem := folder_problem(out):
        raise UserError(f"--out: expected a folder that can be written to, received {problem}")
    if (out / REPORT).exists():
        raise UserError(
            f"--out: expected a folder without a {REPORT}, which would be lost, received {out}; "
            "without --out, each report gets a numbered folder"
        )


def report_name(runs):
    """The name of a report's folder: those of its runs, as far as a folder can have them."""
    names = "-".join(dict.fromkeys(run.name for run in runs))
    return re.sub(r"[^\w.-]+", "_", names)[:MAX_NAME] or "report"


def prepare_report(runs, num, seed):
    """Score a list of `Run`, all of the same images, and make the pictures of a report on them.

    Args:
        num: number of samples for a run that has no scores yet.
        seed: seed of latents and scores.

    Returns:
        A function of `explorer` that gives the HTML, see `build_page`.

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
    return partial(build_page, runs, networks, pictures, real, qualities, seed)


def write_explorer(runs, folder):
    """Make the page in which the networks of these runs live: its file's name.

    A network that the page cannot run leaves the report without such a page: None, and the reason
    is printed.
    """
    from latent_explorer.command import make_page

    try:
        write_text(folder / EXPLORER, make_page(runs))
    except UserError as error:
        print(f"note: no {EXPLORER} beside the report. {error}")
        return None
    return EXPLORER


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
