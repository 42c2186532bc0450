"""What a run of each preset asks of the machine: seconds to its first step, and peak memory.

With --whole, each preset is trained to its end: minutes of the whole command, pictures included.
The times in the presets' comments and in the README are these, on an idle machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from training_run.config.load import find_config, list_presets
from training_run.config.yaml_source import read_yaml

PROGRAMS = {
    "gan": "gan_mnist.train",
    "vae": "vae_mnist.train",
    "denoiser": "gan_mnist.train_denoiser",
}


class Finished(NamedTuple):
    """What a run took: seconds to its first row in log.csv and in all, and peak memory in MB."""

    seconds_to_log: float
    seconds: float
    peak_megabytes: float


def shortened(name, steps, every):
    """Overrides that make a preset's run short, with all its intervals of the same length."""
    sections = read_yaml(find_config(name)).values
    intervals = [
        key for key, section in sections.items() if isinstance(section, dict) and "every" in section
    ]
    return [f"training.steps={steps}", *(f"{key}.every={every}" for key in intervals)]


def first_step(name):
    """Overrides for a run whose first log row is that of its first step, before any score."""
    return [*shortened(name, 2, 2), "log.every=1"]


def run_preset(name, program, overrides):
    """Train a preset with some keys changed, to its end, and watch it from outside.

    Raises:
        subprocess.CalledProcessError: if the run fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", program, "--config", name, f"output_dir={folder}"]
        started, to_log = time.monotonic(), None
        process = subprocess.Popen([*command, *overrides], stdout=subprocess.DEVNULL)
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if to_log is None and list(Path(folder).glob("*/log.csv")):
                to_log = time.monotonic() - started
            if ended:
                break
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen need not wait
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Finished(to_log, time.monotonic() - started, usage.ru_maxrss / 1024)


def main(argv=None):
    """Print a row for each preset."""
    presets = {name: family for family in PROGRAMS for name, _ in list_presets(family)}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.presets", description=__doc__)
    parser.add_argument(
        "presets", nargs="*", metavar="PRESET", help="default: all but the smoke presets"
    )
    parser.add_argument("--whole", action="store_true", help="train to the end: minutes in all")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.presets) - presets.keys():
        parser.error(f"expected presets of {', '.join(presets)}, received {', '.join(unknown)}")
    names = arguments.presets or [name for name in presets if not name.endswith("_smoke")]
    row = whole_run if arguments.whole else start_and_memory
    print(f"{'preset':22} {'whole run' if arguments.whole else 'first step, peak memory':>26}")
    for name in names:
        print(f"{name:22} {row(name, PROGRAMS[presets[name]]):>26}", flush=True)


def start_and_memory(name, program):
    """Seconds to a preset's first step and peak memory, as text."""
    seconds = run_preset(name, program, first_step(name)).seconds_to_log
    peak = run_preset(name, program, shortened(name, 200, 100)).peak_megabytes
    return f"{seconds:.1f} s {peak:9.0f} MB"


def whole_run(name, program):
    """Minutes of a preset's whole command, as text."""
    return f"{run_preset(name, program, []).seconds / 60:.1f} min"


if __name__ == "__main__":
    sys.exit(main())
