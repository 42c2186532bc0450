"""Clean generated digits: `python -m gan_mnist.denoise --help`."""

import sys

from gan_mnist.denoiser.denoise import main

if __name__ == "__main__":
    sys.exit(main())
