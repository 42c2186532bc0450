"""Train the denoising autoencoder: `python -m gan_mnist.train_denoiser --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from gan_mnist.denoiser.train import FAMILY, main  # noqa: F401 - the door of the family

if __name__ == "__main__":
    sys.exit(main())
