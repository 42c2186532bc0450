"""Score a run: `python -m sample_quality --help`."""

import os
import sys

if __name__ == "__main__":
    # Linear algebra on threads that wait for each other by spinning: beside a training run on
    # the same cores a product of matrices took a hundred times as long. Read on numpy's import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from sample_quality.command import main

    sys.exit(main())
