"""Samples from a trained VAE: `python -m vae_mnist.sample --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from training_run.cli.sample import sample_command
from vae_mnist import prior_choice
from vae_mnist.run import VAERun


def main(argv=None):
    """Run the command; returns its exit code."""
    return sample_command(VAERun, "vae_mnist.sample", argv, prior_choice)


if __name__ == "__main__":
    sys.exit(main())
