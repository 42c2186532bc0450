"""The folder of a run: numbered, never reused, and explaining itself."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from training_run.config.load import config_to_yaml
from training_run.errors import UserError
from training_run.files import folder_problem, write_text

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

    def kept(self, step):
        """Path of the drawing network as it was at `step`."""
        return self.path / "kept" / f"step_{step:06d}.keras"

    def network(self, name):
        """Path of a saved network."""
        return self.path / f"{name}.keras"

    def values(self, name):
        """Path of the trained numbers that are saved with the networks of a model."""
        return self.path / f"{name}.json"


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
    counter = output_dir / ".last_number"
    text = counter.read_text("ascii", "replace").strip() if counter.is_file() else ""
    numbers = [number for number, _ in numbered_runs(output_dir)]
    return max([0, *numbers, int(text) if is_number(text) else 0])


def numbered_runs(output_dir):
    """(number, path) of every run folder in `output_dir`, by number."""
    names = os.listdir(output_dir) if output_dir.is_dir() else []
    matches = [_NUMBERED.match(name) for name in names]
    return sorted((int(match.group(1)), output_dir / match.string) for match in matches if match)


def is_number(text):
    """True if `text` is the number of a run: ASCII digits, few enough for an integer."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def check_output_dir(output_dir):
    """Refuse, before anything is waited for, a folder for runs that cannot be made or written to.

    Raises:
        UserError: naming what is there instead.
    """
    reason = folder_problem(output_dir)
    if reason:
        raise UserError(f"output_dir: expected a folder for the runs, received {reason}")


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


def write_config(run, config, package):
    """Write the resolved configuration; `load_config` gives an equal object back.

    Args:
        run: the `RunDir`.
        config: its `RunConfig`.
        package: whose commands the run is for, named in the file's first line.
    """
    head = f"# The resolved configuration of this run ({package}).\n"
    write_text(run.config, head + config_to_yaml(config))
