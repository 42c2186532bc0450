"""Make a page in which runs live: `python -m latent_explorer --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from latent_explorer.command import main

if __name__ == "__main__":
    sys.exit(main())
