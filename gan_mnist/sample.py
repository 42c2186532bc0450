"""Samples from a trained GAN: `python -m gan_mnist.sample --help`."""

import sys

from gan_mnist.train import FAMILY
from training_run.cli.sample import sample_command


def main(argv=None):
    """Run the command; returns its exit code."""
    return sample_command(FAMILY, "gan_mnist.sample", "generator", argv)


if __name__ == "__main__":
    sys.exit(main())
