"""Compare runs: `python -m gan_vs_vae --help`."""

import sys

from gan_vs_vae.command import main

if __name__ == "__main__":
    sys.exit(main())
