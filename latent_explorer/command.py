"""The command that makes a page in which runs live: `python -m latent_explorer RUN [RUN ...]`.

Nothing here imports TensorFlow before the runs have been checked.
"""

import argparse
import webbrowser
from pathlib import Path

from latent_explorer.runs import read_runs
from training_run.cli.arguments import check_output
from training_run.cli.parser import CommandParser, one_of
from training_run.cli.run_command import run_command
from training_run.files import write_text
from training_run.tensorflow_import import import_tensorflow

_DESCRIPTION = """\
Make a page in which the networks of runs live: one HTML file that needs no network and no other
file. Drag through the latent space, walk between pictures, draw for a VAE, compare priors.
The weights are in the file. They take 8 bits each where that moves pictures by less than 1/255 on
average, and 16 bits elsewhere.
"""

WEIGHTS = ("auto", "float16")


def build_parser():
    """The argument parser of `python -m latent_explorer`."""
    parser = CommandParser(
        prog="python -m latent_explorer",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, numbers, latest or bundled:NAME"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("explore.html"),
        help="the page (default: explore.html)",
    )
    parser.add_argument(
        "--weights",
        metavar="FORM",
        type=one_of(WEIGHTS),
        default="auto",
        help="auto or float16, which is twice as large and exact to 1/255 (default: auto)",
    )
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    parser.add_argument(
        "--outputs", metavar="DIR", default="outputs", help="where a number or latest is looked up"
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_explore, build_parser().parse_intermixed_args(argv))


def _explore(arguments):
    out = write_page(arguments.runs, arguments.out, arguments.outputs, arguments.weights)
    print(f"{out}  {out.stat().st_size / 1e6:.1f} MB")
    if arguments.open:
        webbrowser.open(out.absolute().as_uri())
    return 0


def write_page(references, out, outputs="outputs", weights="auto"):
    """Write a page in which runs live.

    Args:
        references: run folders, numbers, "latest" or "bundled:NAME".
        out: the page, a `pathlib.Path` that ends in .html.
        outputs: folder of numbers and "latest".
        weights: as for `make_page`.

    Returns:
        Its path.

    Raises:
        UserError: an argument is wrong, or the page cannot run one of the networks.
    """
    path = check_output(out, (".html",))
    write_text(path, make_page(read_runs(references, outputs), weights))
    return path


def make_page(runs, weights="auto"):
    """The HTML of a page on a list of `Run`. Prints a line on each network.

    Args:
        weights: "auto" or "float16".

    Raises:
        UserError: a run's data cannot be had, or one of its networks cannot be run by the page.
    """
    import_tensorflow()
    from latent_explorer.export import export_run
    from latent_explorer.material import pack_images
    from latent_explorer.page import build_page
    from training_run.data.datasets import find_dataset, load_dataset

    entries, images, numbers = [], [], {}
    for run in runs:
        data = load_dataset(run.settings.data)
        entry = export_run(run, data, weights)
        for name, network in entry.networks.items():
            print(_describe(run, name, network), flush=True)
        if data.checksum not in numbers:
            numbers[data.checksum] = len(images)
            images.append(pack_images(data, find_dataset(run.settings.data).spec.noun))
        entry.record["images"] = numbers[data.checksum]
        entries.append(entry)
    return build_page(entries, images)


def _describe(run, name, network):
    bits = {"int8": "8 bits", "float16": "float16"}[network.form]
    return (
        f"{run.title} {name}: weights in {bits}; against float32 its results move by "
        f"{network.mean * 255:.2f}/255 of their range on average, "
        f"at most {network.largest * 255:.1f}/255"
    )
