"""The plane of a VAE with two latent dimensions: `python -m vae_mnist.manifold --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from training_run.cli.arguments import add_run_arguments, open_run
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.tensorflow_import import import_tensorflow
from vae_mnist.binarization import binarize_data
from vae_mnist.family import FAMILY
from vae_mnist.plane import NUM, write_manifold
from vae_mnist.trained import NETWORKS, load_data, load_vae_with_prior

MIN_NUM, MAX_NUM = 2, 50


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m vae_mnist.manifold",
        description="The latent plane of a VAE with two latent dimensions: images decoded at the "
        "quantiles of N(0, I), and the posterior means of the test images, coloured by class, "
        "under lines of equal density of the learned prior, if the run has one.",
    )
    add_run_arguments(parser, "RUN-manifold.png, here")
    parser.add_argument(
        "--num", type=integer, default=NUM, help=f"images along each side (default: {NUM})"
    )
    parser.add_argument(
        "--label", help="class to decode, by its name or number, for a conditional model"
    )
    return run_command(_manifold, parser.parse_args(argv))


def _manifold(arguments):
    if not MIN_NUM <= arguments.num <= MAX_NUM:
        raise UserError(
            f"--num: expected {MIN_NUM} to {MAX_NUM} images a side, received {arguments.num}"
        )
    run, config, out = open_run(FAMILY, arguments, NETWORKS, "manifold.png")
    if config.model.latent_dim != 2:
        raise UserError(
            f"{run.path}: expected a run with model.latent_dim 2, received one with "
            f"{config.model.latent_dim}"
        )
    data = load_data(config)
    import_tensorflow()
    data = binarize_data(data, config.data.binarize)
    vae = load_vae_with_prior(run, config)
    write_manifold(out, vae, data, arguments.seed, arguments.num, arguments.label)
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
