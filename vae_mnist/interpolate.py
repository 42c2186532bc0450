"""The way between two test digits: `python -m vae_mnist.interpolate --help`."""

import argparse
import sys

import numpy as np

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from training_run.cli.arguments import (
    add_interpolation_arguments,
    add_run_arguments,
    check_frames,
    open_run,
)
from training_run.cli.parser import CommandParser
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.pictures.interpolation import write_interpolation
from training_run.tensorflow_import import import_tensorflow
from vae_mnist.latent_path import (
    any_digit,
    choose_ends,
    posterior_draws,
    posterior_means,
    rows_of,
)
from vae_mnist.train import FAMILY
from vae_mnist.trained import NETWORKS, labels_at, load_data, load_vae, prepare_data


def build_parser():
    """The argument parser of `python -m vae_mnist.interpolate`."""
    parser = CommandParser(
        prog="python -m vae_mnist.interpolate",
        description="From one test digit to another through the latent space of a VAE: a PNG "
        "strip, labelled 0% to 100%, and a GIF that goes there and back. An end that is given "
        "neither by index nor by class is any digit. A conditional VAE draws the way in the class "
        "of each end.",
    )
    add_run_arguments(parser, "RUN-interpolation.png, here; the GIF beside it")
    add_interpolation_arguments(parser)
    for flag, end in (("--from", "first"), ("--to", "last")):
        group = parser.add_mutually_exclusive_group()
        group.add_argument(
            flag, dest=end, metavar="INDEX", type=by_index, help=f"index of the {end} test digit"
        )
        group.add_argument(
            f"{flag}-class",
            dest=end,
            metavar="CLASS",
            type=by_class,
            help=f"class of the {end} test digit, which the seed then picks",
        )
    parser.set_defaults(first=any_digit, last=any_digit)
    parser.add_argument(
        "--sampled",
        dest="latents_of",
        action="store_const",
        const=posterior_draws,
        default=posterior_means,
        help="between draws from the two posteriors (source 003), not between their means",
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_interpolate, build_parser().parse_args(argv))


def _interpolate(arguments):
    check_frames(arguments.frames)
    run, config, out = open_run(FAMILY, arguments, NETWORKS, "interpolation.png")
    data = load_data(config)
    chosen = choose_ends(data, arguments.seed, arguments.first, arguments.last)
    import_tensorflow()
    vae = load_vae(run, config)
    images, labels = prepare_data(config, data).x_test[chosen], labels_at(data, chosen)
    draw, captions = rows_of(vae, labels)
    film = write_interpolation(
        out,
        draw,
        arguments.latents_of(vae, images, labels, arguments.seed),
        vae.value_range,
        num_frames=arguments.frames,
        path_between=arguments.path,
        captions=captions,
    )
    print(out, film, sep="\n")
    return 0


def by_index(text):
    """A function of (order, labels) that gives the one test digit of that index."""
    index = _whole_number(text)

    def candidates(order, labels):
        if index >= len(order):
            raise UserError(
                f"--from, --to: expected the index of a test digit from 0 to {len(order) - 1}, "
                f"received {index}"
            )
        return [index]

    return candidates


def by_class(text):
    """A function of (order, labels) that gives the test digits of that class."""
    label = _whole_number(text)

    def candidates(order, labels):
        if labels is None:
            raise UserError(
                "--from-class, --to-class: expected a run whose data have labels, "
                "received one without"
            )
        found = order[labels[order] == label]
        if not len(found):
            classes = ", ".join(str(known) for known in np.unique(labels))
            raise UserError(
                f"--from-class, --to-class: expected a class of the test digits ({classes}), "
                f"received {label}"
            )
        return found

    return candidates


def _whole_number(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, received {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
