"""Train the denoising autoencoder: `python -m gan_mnist.train_denoiser --help`."""

import sys

from gan_mnist.denoiser.train import main

if __name__ == "__main__":
    sys.exit(main())
