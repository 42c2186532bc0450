"""Fit a learned prior to the codes of a trained VAE: `python -m vae_mnist.fit_prior --help`."""

import argparse
import math
import os
import sys
from pathlib import Path

from training_run.cli.arguments import check_seed
from training_run.cli.parser import CommandParser, integer, one_of
from training_run.cli.run_command import run_command
from training_run.config.load import load_config
from training_run.errors import UserError
from training_run.run_folder.find import BUNDLED_FOLDER, check_family, find_run
from training_run.run_folder.paths import RunDir
from training_run.tensorflow_import import import_tensorflow
from vae_mnist.binarization import binarize_data
from vae_mnist.train import FAMILY
from vae_mnist.trained import load_data, load_vae

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
    folder = check_folder(arguments.out or default_folder(run))
    check_own_prior(config, run, folder)
    data = load_data(config)
    components = arguments.components or config.prior.components
    check_number(arguments.components, config, data)
    import_tensorflow()
    from sample_quality.priors import describe, save_prior
    from vae_mnist.prior_picture import write_prior_picture
    from vae_mnist.priors import fit_prior

    data, vae = binarize_data(data, config.data.binarize), load_vae(run, config)
    seed = config.seed if arguments.seed is None else arguments.seed
    prior = fit_prior(vae, data, config, components, seed)
    vae.prior = prior.with_temperature(arguments.temperature or config.prior.temperature)
    out = RunDir(folder)
    save_prior(out, vae.prior)
    write_prior_picture(folder / "prior.png", vae, data, seed)
    record = vae.prior.record
    print(
        f"{describe(vae.prior)}, fitted to {record.codes:,} codes in {record.seconds:.1f} s; "
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


def default_folder(run):
    """Where a run's prior goes: its folder; for a bundled model, the working directory."""
    return Path() if run.path.parent == BUNDLED_FOLDER else run.path


def check_own_prior(config, run, folder):
    """Raise `UserError` if the fit would replace a prior that was trained with the networks."""
    if config.prior.kind == "vamp" and folder.resolve() == run.path.resolve():
        raise UserError(
            f"--out: expected another folder than {folder}, whose prior.kind vamp has been trained "
            "with its networks, received none"
        )


def check_folder(folder):
    """The folder to write to.

    Raises:
        UserError: if it is none, or may not be written to.
    """
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(
            f"--out: expected an existing folder that can be written to, received {folder}"
        )
    return folder


def check_number(components, config, data):
    """Raise `UserError` for a --components that the run's training images do not allow."""
    if components is None:
        return
    least = data.num_classes if config.model.conditional else 1
    if not least <= components <= len(data.x_train):
        raise UserError(
            f"--components: expected {least:,} to {len(data.x_train):,} Gaussians for "
            f"{len(data.x_train):,} training images, received {components:,}"
        )


if __name__ == "__main__":
    sys.exit(main())
