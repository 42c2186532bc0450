"""Compare runs: `python -m gan_vs_vae --help`."""

import sys

from training_run.interrupts import end_on_signals


def main():
    """Run the command on the process's own arguments; returns its exit code."""
    end_on_signals()  # first, since the other imports take a while
    from gan_vs_vae.command import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
