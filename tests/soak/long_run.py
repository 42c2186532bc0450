"""Resident memory and step rate over a long run with pictures, checkpoints and scores.

    python tests/soak/long_run.py [--preset gan_mlp_smoke] [--steps 100000] [--out FILE.json]

Starts the training as a user does, reads its resident memory once a second and its rate from
log.csv. Memory counts as flat if at the end it is within 50 MB of what it was after the first
tenth (medians over a tenth, since scores come and go). Exit code 1 if it is not. Linux only.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULES = {"gan": "gan_mnist.train", "vae": "vae_mnist.train"}
MAX_GROWTH = 50
"""Megabytes."""


def main():
    """Run the benchmark; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="gan_mlp_smoke", help="of a GAN or a VAE")
    parser.add_argument("--steps", type=int, default=100_000, help="a multiple of 10,000")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    arguments = parser.parse_args()
    if arguments.steps < 10_000 or arguments.steps % 10_000:
        parser.error("--steps: expected a multiple of 10,000")
    with tempfile.TemporaryDirectory() as folder:
        memory, seconds = watch(command(arguments.preset, arguments.steps, folder), Path(folder))
    figures = summarize(memory, seconds, arguments.steps)
    print_table(figures)
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["growth_mb"] <= MAX_GROWTH else 1


def command(preset, steps, folder):
    """What a user would type: everything on, ten scores and a grid every 500 steps."""
    return [
        sys.executable, "-m", MODULES[preset.partition("_")[0]], "--config", preset,
        f"output_dir={folder}", f"training.steps={steps}", "samples.every=500", "log.every=100",
        "checkpoints.every=1000", f"quality.every={steps // 10}", "quality.num_images=1000",
    ]  # fmt: skip


def watch(arguments, folder):
    """Run a training to its end.

    Returns:
        (list of (step, resident MB), dict of step -> seconds of training).
    """
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    memory, told = [], 0
    try:
        while process.poll() is None:
            time.sleep(1)
            step = max(log_of(folder), default=0)
            if step and (resident := resident_mb(process.pid)):
                memory.append((step, resident))
                if step - told >= 5000:
                    told = step
                    print(f"step {step:,}: {resident:.0f} MB", flush=True)
    finally:
        if process.poll() is None:
            process.kill()
        output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"the training ended with {process.returncode}:\n{output}")
    return memory, log_of(folder)


def log_of(folder):
    """Step -> seconds of training, from the only run's log.csv; rows being written are left out."""
    seconds = {}
    for path in folder.glob("*/log.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["seconds"]:
                    seconds[int(row["step"])] = float(row["seconds"])
    return seconds


def resident_mb(pid):
    """Resident memory of a process in megabytes; None when it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    sizes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    return sizes[0] / 1024 if sizes else None


def summarize(memory, seconds, steps):
    """Figures by tenth of the run: median memory in MB, and steps a second."""
    tenth = steps // 10
    by_tenth = [
        [size for step, size in memory if number * tenth < step <= (number + 1) * tenth]
        for number in range(10)
    ]
    medians = [round(statistics.median(sizes), 1) if sizes else None for sizes in by_tenth]
    ends = [seconds[min(seconds)], *(seconds[(number + 1) * tenth] for number in range(10))]
    counts = [tenth - min(seconds)] + [tenth] * 9
    rates = [
        round(count / (end - start), 1)
        for count, start, end in zip(counts, ends, ends[1:], strict=False)
    ]
    known = [size for size in medians if size is not None]
    return {
        "steps": steps,
        "memory_mb": medians,
        "steps_per_second": rates,
        "growth_mb": round(known[-1] - known[0], 1),
        "peak_mb": round(max(size for _, size in memory), 1),
        "slowest_of_fastest": round(min(rates) / max(rates), 3),
    }


def print_table(figures):
    """A line for each tenth, and what follows."""
    print(f"\n{'up to step':>12}{'resident MB':>14}{'steps/s':>10}")
    rows = zip(figures["memory_mb"], figures["steps_per_second"], strict=True)
    for number, (size, rate) in enumerate(rows, start=1):
        shown = "-" if size is None else f"{size:.0f}"
        print(f"{number * figures['steps'] // 10:>12,}{shown:>14}{rate:>10.0f}")
    print(
        f"\nlast tenth against first: {figures['growth_mb']:+.1f} MB, peak "
        f"{figures['peak_mb']:.0f} MB; slowest tenth at {figures['slowest_of_fastest']:.0%} of the "
        "fastest"
    )


if __name__ == "__main__":
    sys.exit(main())
