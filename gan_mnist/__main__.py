"""The commands of this package: `python -m gan_mnist`, or `gan-mnist`."""

import sys

from training_run.interrupts import end_on_signals

COMMANDS = {
    "train": "train a GAN of a preset or of your own images",
    "sample": "images from a trained generator, as a PNG grid or as arrays",
    "interpolate": "a strip and a GIF of the way between two latents",
    "train_denoiser": "train an autoencoder that cleans generated digits",
    "denoise": "samples raw, clipped and cleaned, side by side",
}
"""Name of a module with a `main` to what it does."""


def main():
    """Run the command that the process's arguments name, or list all; returns the exit code."""
    end_on_signals()  # first, since the other imports take a while
    from training_run.package_commands import run_package

    return run_package("gan_mnist", COMMANDS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
