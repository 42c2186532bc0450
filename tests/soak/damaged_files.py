"""Run folders with one damaged file each, read by every command that reads that file.

A command must end with 0 or 2 (1 if the training diverges), say one sentence or a few, write
nothing outside the run folder, and nothing inside when it refuses. Commands run in this process.
"""

import contextlib
import io
import json
import logging
import math
import os
import random
import shutil
import signal
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tests.soak import tiny
from tests.soak.damage import damage

GAN, VAE = "00001-gan_mlp_smoke", "00002-vae_mlp_smoke"

SECONDS = 20
"""Longest that a command may take, before it is interrupted: a damaged number can mean that."""

READERS = {
    "config.yaml": ("resume", "fresh", "sample", "compare", "quality"),
    "log.csv": ("resume", "resume", "compare"),
    "environment.json": ("resume", "compare"),
    "health.csv": ("resume",),
    "checkpoints/step_000020/checkpoint.json": ("resume",),
    "checkpoints/step_000020/state.npz": ("resume",),
    "quality.json": ("compare",),
    "best/score.json": ("resume",),
    "../.last_number": ("new",),
    "NETWORK": ("sample", "quality", "compare"),
}
"""File of a run folder to the commands that read it. NETWORK is generator or decoder."""


@dataclass(frozen=True)
class Case:
    """One damaged file and one command that reads it.

    Attributes:
        run: name of the run folder.
        file: the damaged one, below it.
        reader: the command.
        done: what was done to the file, in words.
    """

    run: str
    file: str
    reader: str
    done: str

    def __str__(self):
        return f"{self.reader} of {self.run[6:9]}, {self.file}: {self.done}"


def make_world(folder, images=None, cache=None):
    """Make a folder of images, a classifier and two runs that were stopped at step 20 of 30."""
    from gan_mnist.train import main as train_gan
    from sample_quality.command import main as quality
    from vae_mnist.train import main as train_vae

    folder.mkdir(parents=True, exist_ok=True)
    images = images or tiny.write_images(folder / "tiny.npz")
    os.environ["GAN_VAE_MNIST_CACHE"] = str(
        cache or tiny.write_classifier(folder / "cache", images)
    )
    outputs = folder / "outputs"
    assert train_gan(tiny.gan_arguments(images, outputs)) == 0
    assert train_vae(tiny.vae_arguments(images, outputs)) == 0
    for run in (GAN, VAE):
        assert quality([str(outputs / run), "--num", "100"]) == 0
        shutil.rmtree(outputs / run / "checkpoints/step_000030")
    return folder


def commands():
    """Name of a reader to a function (run folder, images) -> exit code."""
    import gan_mnist.sample
    import gan_mnist.train
    import gan_vs_vae.command
    import sample_quality.command
    import vae_mnist.sample
    import vae_mnist.train

    def family(run, name):
        package = gan_mnist if run.name == GAN else vae_mnist
        return getattr(package, name).main

    def fresh(run, images):
        here = [f"data.path={images}", f"output_dir={run.parent}", "quality.every=null"]
        return family(run, "train")(["--config", str(run / "config.yaml"), *here])

    def new(run, images):
        return family(run, "train")(tiny.gan_arguments(images, run.parent)[:-3] + SHORT)

    compared = ["--num", "100", "--outputs", "reports"]
    return {
        "resume": lambda run, images: family(run, "train")(["--resume", str(run)]),
        "fresh": fresh,
        "new": new,
        "sample": lambda run, images: family(run, "sample")([str(run), "--out", "out.png"]),
        "quality": lambda run, images: sample_quality.command.main([str(run), "--num", "100"]),
        "compare": lambda run, images: gan_vs_vae.command.main([str(run), *compared]),
    }


SHORT = ["training.steps=1", "quality.every=null"]


def try_case(world, number, seed, images=None, readers=READERS):
    """Damage a copy of one of a world's runs and read it.

    Returns:
        (`Case`, exit code, list of faults in words).
    """
    chance = random.Random(f"{seed}/{number}")
    case = world / "case"
    shutil.rmtree(case, ignore_errors=True)
    file = list(readers)[number % len(readers)]
    reader = readers[file][number // len(readers) % len(readers[file])]
    runs = sorted(
        path
        for path in (world / "outputs").glob("0*")
        if file == "NETWORK" or (path / file).exists()
    )
    original = chance.choice(runs)
    if file == "NETWORK":
        file = "generator.keras" if original.name == GAN else "decoder.keras"
    run = case / original.name
    shutil.copytree(original, run, symlinks=True)
    shutil.copy(world / "outputs/.last_number", case)
    done = damage(run / file, chance)
    (case / "elsewhere").mkdir()
    (case / "elsewhere/step_000900.png").write_bytes(b"somebody's")
    described = Case(run.name, file, reader, done)
    code, output, faults = call(commands()[reader], world, run, images or world / "tiny.npz")
    faults += check_words(code, output)
    return described, code, [*faults, *check_records(run)]


def call(function, world, run, images):
    """Call a command as in a folder of its own; (exit code, standard error, faults)."""
    before, inside = snapshot(world, run), snapshot(run)
    output, errors, faults, code = io.StringIO(), io.StringIO(), [], None
    here = Path.cwd()
    os.chdir(run.parent)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), bounded():
            code = function(run, images)
    except SystemExit as error:
        code = error.code
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        faults.append(f"traceback: {error!r:.200} at {Path(where.filename).name}:{where.lineno}")
        faults += [line for line in traceback.format_exc().splitlines() if "/training_run/" in line]
    finally:
        os.chdir(here)
    if code not in (0, 1, 2) and not faults:
        faults.append(f"exit code {code}")
    if snapshot(world, run) != before:
        faults.append("something outside the run folder was changed")
    if code == 2 and snapshot(run) != inside:
        faults.append(f"refused, but changed {sorted(changed(inside, snapshot(run)))[:5]}")
    return code, (output.getvalue(), errors.getvalue()), faults


@contextlib.contextmanager
def bounded():
    """Interrupt a command that takes long, as Ctrl-C does: first kindly, then again and again."""
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def forget_networks():
    """Free what Keras keeps of networks that are gone."""
    import keras

    keras.backend.clear_session()


def snapshot(folder, without=None):
    """Path to size and time of change of all files; locks, new runs and results left out."""
    found = {}
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        ours = without and (path == without or without in path.parents)
        allowed = parts[0] == "case" and len(parts) > 1 and parts[1] in _RESULTS
        new_run = parts[0] == "case" and len(parts) > 1 and parts[1][:1].isdigit()
        if path.name == ".lock" or path.is_dir() or ours or allowed or new_run:
            continue
        status = path.lstat()
        found[str(path)] = (status.st_size, status.st_mtime_ns)
    return found


_RESULTS = ("out.png", "reports", ".last_number", ".numbers.lock")


def changed(before, after):
    """Names of what two snapshots do not have in common."""
    both = before.keys() | after.keys()
    return {os.path.basename(name) for name in both if before.get(name) != after.get(name)}


def check_words(code, output):
    """Faults in what a command said."""
    said, errors = output
    faults = []
    if "Traceback" in said + errors:
        faults.append("a traceback in the output")
    lines = errors.strip().splitlines()
    if code == 2 and not lines:
        faults.append("refused without a word")
    if code == 2 and (len(lines) > 45 or any(len(line) > 700 for line in lines)):
        faults.append(f"{len(lines)} lines, the longest of {max(map(len, lines))} characters")
    marks = {mark for mark in said + errors if not mark.isprintable() and mark not in "\n\r"}
    if marks:
        faults.append(f"control characters reach the terminal: {sorted(marks)}")
    return faults


def check_records(run):
    """Faults in the JSON files that the command has just written: NaN or Infinity."""
    faults = []
    for path in run.rglob("*.json"):
        try:
            text = path.read_text(encoding="utf-8")
            json.loads(text, parse_constant=_refuse)
        except NotFinite:
            if '"' in text and text.startswith("{\n"):  # as we write it
                faults.append(f"{path.name} holds NaN or Infinity")
        except (OSError, ValueError, RecursionError):
            continue
    return faults


class NotFinite(Exception):
    """JSON text holds NaN or Infinity."""


def _refuse(text):
    raise NotFinite(text)


def fuzz(world, numbers, seed, deadline=math.inf, report=print, images=None, readers=READERS):
    """Try cases until the deadline.

    Returns:
        (dict of (file, exit code) -> count, list of fault sentences).
    """
    counts, faults = {}, []
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of many small networks
    with mock.patch.dict(os.environ):
        for number in numbers:
            if time.monotonic() > deadline:
                break
            if number % 20 == 19:  # it takes longer than a case
                forget_networks()
            case, code, found = try_case(world, number, seed, images, readers)
            key = (Path(case.file).name, code)
            counts[key] = counts.get(key, 0) + 1
            for fault in found:
                faults.append(f"case {number}: {case}: {fault}")
                report(faults[-1])
    return counts, faults
