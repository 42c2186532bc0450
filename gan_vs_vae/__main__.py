"""Compare runs: `python -m gan_vs_vae --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from gan_vs_vae.command import main

if __name__ == "__main__":
    sys.exit(main())
