"""Fit a learned prior to the codes of a trained VAE: `python -m vae_mnist.fit_prior --help`."""

import argparse
import math
import sys
from pathlib import Path

from training_run.cli.arguments import check_seed
from training_run.cli.parser import CommandParser, integer, one_of
from training_run.cli.run_command import run_command
from training_run.config.load import load_config
from training_run.run_folder.find import check_family, find_run
from vae_mnist.family import FAMILY
from vae_mnist.prior_fit import PriorRequest, default_folder, fit_run_prior

KINDS = ("mixture",)


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m vae_mnist.fit_prior",
        description="Fit a mixture of Gaussians to the codes of a finished run's training images: "
        "the prior that its samples are then drawn from. Writes prior.npz, prior.json and "
        "prior.png.",
    )
    parser.add_argument(
        "run", metavar="RUN", help="a run folder, its number, latest or bundled:NAME"
    )
    parser.add_argument(
        "--kind", type=one_of(KINDS), default=KINDS[0], help="of the prior (default: mixture)"
    )
    parser.add_argument(
        "--components",
        metavar="K",
        type=integer,
        help="number of Gaussians (default: the run's prior.components, or chosen)",
    )
    parser.add_argument(
        "--temperature",
        metavar="T",
        type=temperature,
        help="factor of the Gaussians' standard deviations where samples are drawn, at most 1 "
        "(default: the run's prior.temperature)",
    )
    parser.add_argument("--seed", type=integer, help="of random numbers (default: the run's)")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=Path,
        help="an existing folder to write to (default: RUN; for a bundled model this folder)",
    )
    parser.add_argument(
        "--outputs", metavar="DIR", default="outputs", help="where a number or latest is looked up"
    )
    return run_command(_fit, parser.parse_args(argv))


def _fit(arguments):
    if arguments.seed is not None:
        check_seed(arguments.seed)
    run = find_run(arguments.run, arguments.outputs, FAMILY.name)
    check_family(run, FAMILY.name)
    config = load_config(FAMILY.config_class, run.config)
    folder = arguments.out or default_folder(run)
    request = PriorRequest(arguments.components, arguments.temperature, arguments.seed)
    prior = fit_run_prior(run, config, request, folder)
    from sample_quality.priors import describe

    record = prior.record
    print(
        f"{describe(prior)}, fitted to {record.codes:,} codes in {record.seconds:.1f} s; "
        f"held-out codes: {record.held_out_nats:.2f} nats, under N(0, I) "
        f"{record.held_out_nats_normal:.2f}"
    )
    print(folder / "prior.npz")
    return 0


def temperature(text):
    """A number above 0, up to 1, for the `type` of an argument."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, at most 1, received {text!r}")
    return value


if __name__ == "__main__":
    sys.exit(main())
