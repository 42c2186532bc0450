"""Samples from a trained GAN: `python -m gan_mnist.sample --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from gan_mnist.run import GANRun
from training_run.cli.sample import sample_command


def main(argv=None):
    """Run the command; returns its exit code."""
    return sample_command(GANRun, "gan_mnist.sample", argv)


if __name__ == "__main__":
    sys.exit(main())
