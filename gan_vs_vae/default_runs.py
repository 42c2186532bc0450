"""The runs that are compared when the user names none: a short one of each family."""

import subprocess
import sys
from typing import NamedTuple

from training_run.errors import UserError
from training_run.run_folder.find import find_run


class Training(NamedTuple):
    """A training command: family of the run, module, arguments, and a description with its time."""

    family: str
    module: str
    arguments: tuple
    description: str


DEFAULTS = (
    Training(
        "gan",
        "gan_mnist.train",
        ("--config", "gan_fast", "training.steps=4000", "quality.every=500"),
        "gan_fast, 4,000 steps: about 2 minutes on 2 CPU cores",
    ),
    Training(
        "vae",
        "vae_mnist.train",
        ("--config", "vae_fast", "quality.every=1 epoch"),
        "vae_fast, 10 epochs: about 2 minutes",
    ),
)


class TrainingFailed(UserError):
    """A training did not end with exit code 0. The report command ends with the same code."""

    def __init__(self, module, exit_code):
        self.exit_code = exit_code
        super().__init__(
            f"python -m {module}: expected it to train to the end, received exit code "
            f"{exit_code}; there is nothing to compare"
        )


def train(training, output_dir):
    """Train a run in a process of its own.

    Returns:
        Path of its run folder.

    Raises:
        TrainingFailed: the process does not end with exit code 0.
    """
    print(f"training {training.description}", flush=True)
    command = [sys.executable, "-m", training.module, *training.arguments]
    code = _wait_for([*command, f"output_dir={output_dir}"])
    if code:
        raise TrainingFailed(training.module, code if code > 0 else 1)  # below 0: a signal
    return str(find_run("latest", output_dir, training.family).path)


def _wait_for(command):
    """Exit code of a command. Ctrl-C reaches both processes: the training saves a checkpoint."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
