"""Runs that are killed again and again, compared byte for byte with runs never stopped.

    python tests/soak/kill_soak.py [--kills 13] [--seed 0] [--folder DIR] [PRESET ...]

For each preset: one run that nothing disturbs, and one that gets SIGKILL at random moments and is
resumed each time, with the same command a user would type. Every third kill waits until a
checkpoint is being written. At the end both run folders must hold the same: every array of the
last checkpoint, weights of the saved networks, log.csv in all columns but seconds, pixels of all
grids, frames of the GIF. Prints a table; exit code 1 if anything differs.

The runs are shorter than the presets (see LENGTHS), so that a start takes most of the time: some
5 to 10 seconds each.
"""

import argparse
import csv
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

MODULES = {
    "gan_mlp_smoke": "gan_mnist.train",
    "gan_dcgan_smoke": "gan_mnist.train",
    "vae_mlp_smoke": "vae_mnist.train",
    "denoiser_smoke": "gan_mnist.train_denoiser",
}
COMMON = ["log.every=50", "samples.every=100", "checkpoints.every=100"]
LENGTHS = {
    "gan_mlp_smoke": ["training.steps=3000", "ema.decay=0.99"],
    "gan_dcgan_smoke": ["training.steps=1200", "model.discriminator_dropout=0.2"],
    "vae_mlp_smoke": ["training.steps=3000", "validation.every=500"],
    "denoiser_smoke": ["training.steps=3000"],
}
MAX_STARTS = 300
"""Of one run: a bound, in case a kill leaves something that no resume gets past."""


@dataclass
class Tally:
    """What happened to one preset's run."""

    kills: int = 0
    runs: int = 0
    during_checkpoint: int = 0
    before_training: int = 0
    starts: int = 0
    differences: list = field(default_factory=list)


def main():
    """Run the soak; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", metavar="PRESET", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--kills", type=int, default=13, help="of each preset (default: 13)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--folder", type=Path, help="keep the runs there (default: nowhere)")
    arguments = parser.parse_args()
    unknown = set(arguments.presets) - MODULES.keys()
    if unknown or arguments.kills < 1:
        parser.error(f"expected presets of {', '.join(MODULES)}, and --kills from 1 on")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        chance = random.Random(arguments.seed)
        tallies = {
            preset: soak(preset, folder, arguments.kills, chance)
            for preset in arguments.presets or MODULES
        }
    print_table(tallies)
    return 1 if any(tally.differences for tally in tallies.values()) else 0


def soak(preset, folder, kills, chance, deadline=math.inf):
    """Train a preset undisturbed, and killed until the deadline; returns its `Tally`."""
    whole, tally = folder / f"{preset}-whole", Tally()
    started = time.monotonic()
    finish(command(preset, whole))
    seconds = training_seconds(only_run(whole))
    print(
        f"{preset}: undisturbed in {time.monotonic() - started:.0f} s, training {seconds:.1f} s",
        flush=True,
    )

    def is_over():
        return tally.kills >= kills or time.monotonic() > deadline

    while not is_over() and tally.starts < MAX_STARTS:
        tally.runs += 1  # a run may get to its end before it was killed often enough
        broken = folder / f"{preset}-killed-{tally.runs}"
        while not is_over() and newest_step(broken) < newest_step(whole):
            kill_once(preset, broken, seconds, tally, chance)
            print(
                f"{preset}: kill {tally.kills} of {kills}, step {newest_step(broken)}", flush=True
            )
        finish(command(preset, broken))
        tally.differences += differences(only_run(whole), only_run(broken))
    return tally


def training_seconds(run):
    """Training time of a finished run, start and compilation left out."""
    with open(run / "log.csv", newline="", encoding="utf-8") as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    return seconds[-1] - seconds[0]


def command(preset, output_dir):
    """What to type: a fresh start where there is no run yet, else `--resume`."""
    run = only_run(output_dir)
    start = [sys.executable, "-m", MODULES[preset]]
    if run:
        return [*start, "--resume", str(run)]
    return [*start, "--config", preset, f"output_dir={output_dir}", *COMMON, *LENGTHS[preset]]


def only_run(output_dir):
    """The newest run that got as far as its configuration, or None."""
    return max((path.parent for path in output_dir.glob("*/config.yaml")), default=None)


def finish(arguments):
    """Run a command to its end; anything but success ends the soak."""
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}\nended with {done.returncode}:\n{done.stdout}")


def kill_once(preset, output_dir, seconds, tally, chance):
    """Start or resume a run and SIGKILL it at a random moment."""
    process = subprocess.Popen(
        command(preset, output_dir), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    tally.starts += 1
    before = log_size(output_dir)
    try:
        if tally.kills % 3 == 2:
            during = wait_for_half_checkpoint(process, output_dir, chance.randrange(1, 3))
        else:
            during = wait_for_moment(process, output_dir, before, seconds, chance)
    finally:
        ended = process.poll()
        if ended is None:
            process.kill()
        output, _ = process.communicate()
    if ended:
        sys.exit(f"{preset}: ended by itself with {ended}:\n{output}")
    if ended is None:
        tally.kills += 1
        tally.during_checkpoint += during
        tally.before_training += log_size(output_dir) <= before


def wait_for_moment(process, output_dir, before, seconds, chance):
    """Wait for a while: one time in six from the start on, else from the first new log row on.

    Returns:
        False: it is not known that a checkpoint is being written.
    """
    if chance.random() < 1 / 6:
        time.sleep(chance.uniform(0, 8))
        return False
    while process.poll() is None and log_size(output_dir) <= before:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.1 * seconds))  # soon: else the run would be over
    return False


def log_size(output_dir):
    """Bytes of the newest run's log.csv; -1 without one."""
    run = only_run(output_dir)
    try:
        return (run / "log.csv").stat().st_size if run else -1
    except FileNotFoundError:
        return -1


def wait_for_half_checkpoint(process, output_dir, count):
    """Wait for the `count`-th half-written checkpoint; whether it is still half-written."""
    seen = set()
    while process.poll() is None:
        half = {path for path in output_dir.glob("*/checkpoints/.tmp-*")}
        seen |= half
        if half and len(seen) >= count:
            return True
        time.sleep(0.0005)
    return False


def newest_step(output_dir):
    """Step of the newest checkpoint, -1 if there is none."""
    paths = output_dir.glob("*/checkpoints/step_*")
    return max((int(path.name.removeprefix("step_")) for path in paths), default=-1)


def differences(one, other):
    """Names of what two run folders do not have in common, to the byte."""
    found = []
    for name, contents in (
        ("checkpoint", checkpoint_arrays),
        ("networks", network_weights),
        ("log.csv", log_cells),
        ("grids", grid_pixels),
        ("GIF", gif_frames),
    ):
        ours, theirs = contents(one), contents(other)
        same = ours.keys() == theirs.keys() and all(
            np.array_equal(ours[key], theirs[key]) for key in ours
        )
        if not same or not ours:
            found.append(name)
    return found


def checkpoint_arrays(run):
    """Every array of the newest checkpoint: networks, averages, optimizers, metrics."""
    newest = max((run / "checkpoints").glob("step_*"))
    with np.load(newest / "state.npz", allow_pickle=False) as arrays:
        return {name: np.frombuffer(arrays[name].tobytes(), np.uint8) for name in arrays.files}


def network_weights(run):
    """Weights of the saved networks."""
    import keras

    networks = {path.stem: keras.saving.load_model(path) for path in run.glob("*.keras")}
    return {
        f"{name}/{index}": np.asarray(weight)
        for name, network in networks.items()
        for index, weight in enumerate(network.weights)
    }


def log_cells(run):
    """Cells of log.csv but for the seconds, and of health.csv where there is one."""
    cells = {}
    for path in (run / "log.csv", run / "health.csv"):
        if path.exists():
            with open(path, newline="", encoding="utf-8") as file:
                for number, row in enumerate(csv.DictReader(file)):
                    row.pop("seconds", None)
                    cells[f"{path.name}/{number}"] = np.array(list(row.items()))
    return cells


def grid_pixels(run):
    """Pixels of every picture of a step, and of those that a run ends with."""
    paths = [*run.glob("*/step_*.png"), *run.glob("*.png")]
    paths = [path for path in paths if path.name != "losses.png"]
    return {str(path.relative_to(run)): np.asarray(Image.open(path)) for path in paths}


def gif_frames(run):
    """Pixels of the GIF's frames."""
    frames = {}
    with Image.open(run / "progress.gif") as gif:
        for number in range(gif.n_frames):
            gif.seek(number)
            frames[str(number)] = np.asarray(gif.convert("RGB"))
    return frames


def print_table(tallies):
    """A line for each preset, and the sums."""
    print(f"\n{'preset':<18}{'runs':>6}{'kills':>6}{'in checkpoint':>15}{'in start':>10}  differs")
    for preset, tally in tallies.items():
        print(
            f"{preset:<18}{tally.runs:>6}{tally.kills:>6}{tally.during_checkpoint:>15}"
            f"{tally.before_training:>10}  {', '.join(sorted(set(tally.differences))) or 'nothing'}"
        )
    print(f"{'all':<24}{sum(tally.kills for tally in tallies.values()):>6}")


if __name__ == "__main__":
    sys.exit(main())
