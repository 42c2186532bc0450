"""Train the feature network: `python -m sample_quality.train_classifier --help`."""

import sys

from sample_quality.features.training import main

if __name__ == "__main__":
    sys.exit(main())
