"""Score a run: `python -m sample_quality --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from sample_quality.command import main

if __name__ == "__main__":
    sys.exit(main())
