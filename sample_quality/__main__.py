"""Score a run: `python -m sample_quality --help`."""

import sys

from sample_quality.command import main

if __name__ == "__main__":
    sys.exit(main())
