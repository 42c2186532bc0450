"""Score a run: `python -m sample_quality --help`."""

import sys

from training_run.interrupts import end_on_signals


def main():
    """Run the command on the process's own arguments; returns its exit code."""
    end_on_signals()  # first, since the other imports take a while
    from sample_quality.command import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
