"""Export a run's networks: `python -m training_run.export --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from training_run.export.command import main

if __name__ == "__main__":
    sys.exit(main())
