"""Our rate, as users have it: the `train` command itself, read from the log it writes."""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.models import MODELS


def milliseconds(name):
    """Milliseconds a step of a run with everything on.

    From the first row of the log, before which the step is traced and compiled, to the last.

    Args:
        name: of `MODELS`.
    """
    timed = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", timed.program, "--config", timed.preset,
            f"output_dir={folder}", *timed.overrides,
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (log,) = Path(folder).glob("*/log.csv")
        with open(log, newline="") as file:
            rows = [(int(row["step"]), float(row["seconds"])) for row in csv.DictReader(file)]
    (first_step, first_second), (last_step, last_second) = rows[0], rows[-1]
    return 1000 * (last_second - first_second) / (last_step - first_step)
