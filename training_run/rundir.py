"""The folder of a run: numbered, never reused, and explaining itself."""

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from training_run.bundled import PREFIX, find_bundled
from training_run.config import config_to_yaml
from training_run.errors import UserError
from training_run.files import write_text
from training_run.yaml_source import ConfigError, read_yaml

_NUMBERED = re.compile(r"^(\d{5,})-(.+)$")


@dataclass(frozen=True)
class RunDir:
    """Paths inside one run folder."""

    path: Path

    @property
    def config(self):
        return self.path / "config.yaml"

    @property
    def log(self):
        return self.path / "log.csv"

    @property
    def checkpoints(self):
        return self.path / "checkpoints"

    @property
    def gif(self):
        return self.path / "progress.gif"

    def sample(self, step):
        """Path of the sample grid of `step`."""
        return self.path / "samples" / f"step_{step:06d}.png"

    def frame(self, step):
        """Path of a GIF frame of `step` that is no sample grid."""
        return self.path / "frames" / f"step_{step:06d}.png"

    def reconstruction(self, step):
        """Path of the grid of originals and reconstructions of `step`."""
        return self.path / "reconstructions" / f"step_{step:06d}.png"

    def network(self, name):
        """Path of a saved network."""
        return self.path / f"{name}.keras"


def create_run_dir(output_dir, name):
    """Make the next numbered run folder, also when several runs start at once.

    A number is never given twice, even if its folder was deleted: the last one is kept in
    a file beside the runs, and counting happens under a lock.

    Args:
        output_dir: folder of all runs; made if it is missing.
        name: the configuration's name.

    Returns:
        A `RunDir`, for example of `outputs/00003-gan_mlp`.

    Raises:
        UserError: if the folder cannot be made.
    """
    output_dir = Path(output_dir)
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(output_dir / ".numbers.lock"):
            number = _last_number(output_dir) + 1
            path = output_dir / f"{number:05d}-{name}"
            path.mkdir()
            write_text(output_dir / ".last_number", f"{number}\n")
    except OSError as error:
        raise UserError(
            f"{output_dir}: expected a folder that can be written to (output_dir), "
            f"received: {error.strerror or error}"
        ) from None
    return RunDir(path)


def _last_number(output_dir):
    numbers = [
        int(match.group(1)) for match in map(_NUMBERED.match, os.listdir(output_dir)) if match
    ]
    counter = output_dir / ".last_number"
    text = counter.read_text().strip() if counter.is_file() else ""
    return max([0, *numbers, int(text) if _is_number(text) else 0])


def find_run(reference, output_dir, family=None):
    """The run that a user means.

    Args:
        reference: a run folder, a number, "latest", or "bundled:NAME".
        output_dir: where numbers and "latest" are looked up.
        family: "gan", "vae", ...: whose runs "latest" chooses from; None for any.

    Returns:
        A `RunDir`.

    Raises:
        UserError: if there is none.
    """
    if str(reference).startswith(PREFIX):
        return RunDir(find_bundled(str(reference)))
    path = Path(reference)
    if reference == "latest":
        path = _latest(Path(output_dir), family)
    elif _is_number(str(reference)) and not path.is_dir():
        path = _by_number(Path(output_dir), int(reference))
    if not str(reference) or not _is_file(path / "config.yaml"):
        kind = "a folder without one" if path.is_dir() else "a path where there is none"
        raise UserError(
            f"{reference or repr('')}: expected a run folder (with a config.yaml), a run's number, "
            f"'latest' or 'bundled:NAME', received {kind if str(reference) else 'an empty name'}"
        )
    return RunDir(path)


def _is_number(text):
    return text.isascii() and text.isdecimal() and len(text) < 19


def _is_file(path):
    """Whether there is a file; names that no file can have are those of none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _runs(output_dir):
    """(number, path) of every run below `output_dir`, oldest first."""
    names = sorted(os.listdir(output_dir)) if output_dir.is_dir() else []
    matches = [(name, _NUMBERED.match(name)) for name in names]
    return sorted((int(match.group(1)), output_dir / name) for name, match in matches if match)


def _latest(output_dir, family):
    for _, path in reversed(_runs(output_dir)):
        if (path / "config.yaml").is_file() and family in (None, run_family(RunDir(path))):
            return path
    kind = f"{family} " if family else ""
    raise UserError(f"{output_dir}: expected at least one {kind}run, received a folder without any")


def _by_number(output_dir, number):
    for found, path in _runs(output_dir):
        if found == number:
            return path
    numbers = ", ".join(str(found) for found, _ in _runs(output_dir)[-5:]) or "none"
    raise UserError(
        f"{output_dir}: expected the number of a run (newest: {numbers}), received {number}"
    )


def run_family(run):
    """The `family` key of a run's configuration."""
    values = read_yaml(run.config).values
    return values.get("family") if isinstance(values, dict) else None


def check_family(run, family):
    """Refuse a run of another family, with its own commands' name.

    Raises:
        UserError: if the `family` key is not `family`.
    """
    source = read_yaml(run.config)
    if source.values is None and source.problems:
        raise ConfigError(source.problems)
    found = source.values.get("family") if isinstance(source.values, dict) else None
    if found != family:
        received = f"one of family {found!r}" if isinstance(found, str) else "one without a family"
        raise UserError(f"{run.path}: expected a run of family {family!r}, received {received}")


def check_output_dir(output_dir):
    """Refuse, before anything is waited for, a folder for runs that cannot be made or written to.

    Raises:
        UserError: naming what is there instead.
    """
    path, reason = Path(output_dir), None
    try:
        while not path.exists():
            path = path.parent
    except OSError as error:  # a name that is too long, a loop of links
        reason = f"{output_dir}: {error.strerror}"
    if "\0" in str(output_dir):
        reason = "a name with a null character"
    elif reason is None and not path.is_dir():
        reason = f"{path}, which is no folder"
    elif reason is None and not os.access(path, os.W_OK | os.X_OK):
        reason = f"{path}, which may not be written to"
    if reason:
        raise UserError(f"output_dir: expected a folder for the runs, received {reason}")


@contextmanager
def locked(run):
    """Hold a run folder for writing; a second process is refused.

    Raises:
        UserError: if another process holds it, or nobody can write to it.
    """
    lock = FileLock(run.path / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{run.path}: another process is training in this run folder") from None
    except (OSError, NotImplementedError) as error:
        raise UserError(
            f"{run.path}: expected a run folder that can be written to, received: "
            f"{getattr(error, 'strerror', None) or error}"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing(run):
    """Turn what keeps a run from being written into a sentence that says how to go on.

    Raises:
        UserError: the disk is full, say, or the folder is gone.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{run.path}: expected to be able to write there, received: "
            f"{error.strerror or error}; nothing is half-written, and --resume {run.path} goes on "
            "once that is put right"
        ) from error


def check_disk_space(path, needed_bytes):
    """Refuse to start a run that the disk has no room for.

    Args:
        path: a folder on the disk in question, or one yet to be made.
        needed_bytes: estimate of everything the run will keep at once.

    Raises:
        UserError: if less is free.
    """
    path = Path(path).absolute()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    if free < needed_bytes:
        raise UserError(
            f"{path}: expected at least {needed_bytes / 1e6:.0f} MB of free disk for this run, "
            f"received {free / 1e6:.0f} MB"
        )


def write_config(run, config):
    """Write the resolved configuration; `load_config` gives an equal object back."""
    command = "vae_mnist" if config.family == "vae" else "gan_mnist"
    head = f"# The resolved configuration of this run ({command}).\n"
    write_text(run.config, head + config_to_yaml(config))
