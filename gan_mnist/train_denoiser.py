"""Train the denoising autoencoder: `python -m gan_mnist.train_denoiser --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from gan_mnist.denoiser.family import FAMILY
from training_run.cli.train import train_command


def main(argv=None):
    """Run the command; returns its exit code."""
    return train_command(FAMILY, argv)


if __name__ == "__main__":
    sys.exit(main())
