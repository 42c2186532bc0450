"""Train a VAE: `python -m vae_mnist.train --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from training_run.cli.train import train_command
from training_run.python.door import let_call
from vae_mnist import train
from vae_mnist.family import FAMILY


def main(argv=None):
    """Run the command; returns its exit code."""
    return train_command(FAMILY, argv)


if __name__ == "__main__":
    sys.exit(main())
else:
    let_call(__name__, train)
