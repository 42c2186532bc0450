"""Train the feature network: `python -m sample_quality.train_classifier --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from sample_quality.features.training import main

if __name__ == "__main__":
    sys.exit(main())
