"""Commands whose output is not read, that are interrupted, or whose disk is full.

Each is started as a user types it. None may end in a traceback, or blame the wrong file.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.soak import tiny
from tests.soak.kill_soak import differences, log_size, only_run

ROOT = Path(__file__).resolve().parents[2]

PIPES = {
    "| head -1": 0,
    "| true": 0,
    "> /dev/full": 2,
    "2>&1 | head -1": 0,
    "2>&-": 0,
    ">&-": 0,
}
"""What a user types after a command, and the exit code that the command must have."""

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

STARTING = 0.4
"""Seconds in which Python itself may still be starting: a signal then kills it without a word."""


def environment():
    """The environment of a command that is started anywhere."""
    return os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def train_line(images, output_dir, *overrides):
    """The words of a training of some seconds."""
    start = [sys.executable, "-m", "gan_mnist.train", *tiny.gan_arguments(images, output_dir)]
    return [*start, "quality.every=null", *overrides]


def commands(run, images, folder):
    """Name of a command to its words."""
    start = [sys.executable, "-m"]
    return {
        "train": train_line(images, folder / "runs"),
        "sample": [*start, "gan_mnist.sample", str(run), "--out", "samples.png"],
        "quality": [*start, "sample_quality", str(run), "--num", "100", "--out", "quality.json"],
    }


def try_pipe(words, pipe, folder):
    """Faults of a command before a pipe or a redirection."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"cd '{folder}' && {quoted} {pipe}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=300, env=environment()
    )
    faults = []
    if done.returncode != PIPES[pipe]:
        faults.append(f"exit code {done.returncode}, not {PIPES[pipe]}: {done.stderr[-300:]!r}")
    if "Traceback" in done.stderr + done.stdout or "Exception ignored" in done.stderr:
        faults.append(f"a traceback: {done.stderr[-600:]!r}")
    if "/dev/full" in pipe and "standard output: cannot be written" not in done.stderr:
        faults.append(f"standard output is not named: {done.stderr[-300:]!r}")
    return faults


def try_signals(words, moments):
    """Send signals to a command at moments.

    Args:
        words: of the command.
        moments: list of (seconds after the one before, name of the signal).

    Returns:
        (how it ended, list of faults).
    """
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    for seconds, name in moments:
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(getattr(signal, name))
    try:
        output, errors = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "hangs", ["it goes on after the signal"]
    ours = any(f"/{package}/" in errors for package in ("training_run", "gan_mnist"))
    if moments[0][0] < STARTING and process.returncode != 130 and not ours:
        return "before our code", []
    said = "interrupted" in errors or "saving" in output
    if said and process.returncode == -getattr(signal, moments[-1][1]):
        return "killed by the second while ending", []  # Python had given its handlers back
    faults = []
    if process.returncode not in (0, 130):
        faults.append(f"exit code {process.returncode}")
    if "Traceback" in errors or "Exception ignored" in errors:
        faults.append(f"a traceback: {errors[-900:]!r}")
    elif [line for line in errors.splitlines() if line and line != "interrupted"]:
        faults.append(f"noise: {errors[-500:]!r}")
    if process.returncode == 130 and not said:
        faults.append("no word")
    return "finished" if process.returncode == 0 else "interrupted", faults


def random_moments(chance):
    """One or two signals: half of them in the first second."""
    first = chance.uniform(0.05, 1) if chance.random() < 0.5 else chance.uniform(1, 9)
    moments = [(first, chance.choice(SIGNALS))]
    if chance.random() < 0.5:
        moments.append((chance.uniform(0, 0.4), chance.choice(SIGNALS)))
    return moments


def soak_pipes(run, images, folder, deadline, report=print):
    """Every command before every pipe, until the deadline; (number tried, faults)."""
    tried, faults = 0, []
    for name, words in commands(run, images, folder).items():
        for pipe in PIPES:
            if time.monotonic() > deadline:
                return tried, faults
            found = [f"{name} {pipe}: {fault}" for fault in try_pipe(words, pipe, folder)]
            tried, faults = tried + 1, faults + found
            for fault in found:
                report(fault)
    return tried, faults


def soak_signals(images, folder, number, seed, deadline, report=print):
    """Signals at random moments, until the deadline; (dict of ending -> count, faults)."""
    chance, endings, faults = random.Random(seed), {}, []
    words = train_line(images, folder / "interrupted", "training.steps=200000")
    for _ in range(number):
        if time.monotonic() > deadline:
            break
        moments = random_moments(chance)
        ending, found = try_signals(words, moments)
        endings[ending] = endings.get(ending, 0) + 1
        for fault in found:
            told = ", ".join(f"{name} after {seconds:.2f} s" for seconds, name in moments)
            faults.append(f"{told}: {fault}")
            report(faults[-1])
    return endings, faults


class SmallDisk:
    """A disk of 40 MB in a folder: a tmpfs where that can be mounted."""

    def __init__(self, folder):
        self.folder, self.filler = folder, folder / "filler"

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(self.folder)]
        self.mounted = subprocess.run(mount, capture_output=True).returncode == 0
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def fill(self):
        """Leave no room at all."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def free(self):
        """Make room again."""
        self.filler.unlink(missing_ok=True)


def soak_full_disks(run, images, folder, number, seed, deadline, report=print):
    """Fill the disk of trainings at random moments, then go on; (number of fills, faults).

    None without the right to mount a disk.
    """
    chance, fills, faults = random.Random(seed), 0, []
    if time.monotonic() > deadline:
        return 0, []
    whole = folder / "whole"
    overrides = [
        "training.steps=2000",
        "checkpoints.every=50",
        "checkpoints.keep=2",
        "gif.every=500",
    ]
    subprocess.run(train_line(images, whole, *overrides), check=True, env=environment(),
                   stdout=subprocess.DEVNULL)  # fmt: skip
    with SmallDisk(folder / "disk") as disk:
        if not disk.mounted:
            return None, []
        faults += _sample_on_full_disk(run, disk)
        words = train_line(images, disk.folder / "runs", *overrides)
        while fills < number and time.monotonic() < deadline:
            ended, fault = _train_until_full(words, disk, chance)
            fills += ended
            faults += fault
            words = [*words[:3], "--resume", str(only_run(disk.folder / "runs"))]
            if not ended:
                break
        done = subprocess.run(words, capture_output=True, text=True, env=environment())
        if done.returncode:
            faults.append(f"with room again: exit code {done.returncode}: {done.stderr[-300:]}")
        else:
            found = differences(only_run(whole), only_run(disk.folder / "runs"))
            faults += [f"after a full disk {name} differ" for name in found]
    for fault in faults:
        report(fault)
    return fills, faults


def _train_until_full(words, disk, chance):
    """Start a training and fill its disk; (whether it ended by that, list of faults)."""
    before = log_size(disk.folder / "runs")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    while process.poll() is None and log_size(disk.folder / "runs") <= before:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 1))
    disk.fill()
    _, errors = process.communicate()
    disk.free()
    named = errors.startswith(str(disk.folder)) and errors.count("\n") == 1
    if process.returncode == 0:
        return False, []
    if process.returncode == 2 and named and "No space left" in errors:
        return True, []
    return True, [f"exit code {process.returncode} on a full disk: {errors[-600:]!r}"]


def _sample_on_full_disk(run, disk):
    disk.fill()
    out = disk.folder / "samples.png"
    words = [sys.executable, "-m", "gan_mnist.sample", str(run), "--out", str(out)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment())
    disk.free()
    if done.returncode == 2 and str(out) in done.stderr and done.stderr.count("\n") == 1:
        return []
    return [f"sample on a full disk: exit code {done.returncode}, {done.stderr[-300:]!r}"]
