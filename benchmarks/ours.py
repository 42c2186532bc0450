"""Our rate, as users have it: the `train` command itself, read from the log it writes."""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.models import MODELS
from training_run.run_folder.log import read_log

OVERRIDES = {"ours": (), "ours_float32": ("training.precision=float32",)}
"""What each of our ways changes in a preset."""


def milliseconds(name, way="ours"):
    """Milliseconds a step of a run with everything on.

    From the first row of the log, before which the step is traced and compiled, to the last.

    Args:
        name: of `MODELS`.
        way: of `OVERRIDES`.
    """
    timed = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", timed.program, "--config", timed.preset,
            f"output_dir={folder}", *timed.overrides, *OVERRIDES[way],
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (log,) = Path(folder).glob("*/log.csv")
        columns = read_log(log)
    steps, seconds = columns["step"], columns["seconds"]
    return float(1000 * (seconds[-1] - seconds[0]) / (steps[-1] - steps[0]))
