"""The commands of this package: `python -m vae_mnist`, or `vae-mnist`."""

import sys

from training_run.interrupts import end_on_signals

COMMANDS = {
    "train": "train a VAE of a preset or of your own images",
    "sample": "images from a trained decoder, as a PNG grid or as arrays",
    "reconstruct": "test images above their reconstructions",
    "interpolate": "a strip and a GIF of the way between two test images",
    "manifold": "the whole latent plane of a VAE with two latent dimensions",
    "fit_prior": "fit a mixture of Gaussians to the codes, to draw better samples from",
}
"""Name of a module with a `main` to what it does."""


def main():
    """Run the command that the process's arguments name, or list all; returns the exit code."""
    end_on_signals()  # first, since the other imports take a while
    from training_run.package_commands import run_package

    return run_package("vae_mnist", COMMANDS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
