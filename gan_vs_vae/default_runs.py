"""The runs that are compared when none are named: a short one of each kind, trained first."""

import subprocess
import sys
from typing import NamedTuple

from training_run.errors import UserError
from training_run.run_folder.find import find_run


class Training(NamedTuple):
    """A training to be started.

    Attributes:
        program: the module that trains.
        family: "gan" or "vae".
        arguments: of the command.
        about: what that is, and how long it takes.
    """

    program: str
    family: str
    arguments: tuple
    about: str


DEFAULTS = (
    Training(
        "gan_mnist.train",
        "gan",
        ("--config", "gan_fast", "training.steps=4000", "quality.every=500"),
        "gan_fast, 4,000 steps: about 2 minutes on 2 CPU cores",
    ),
    Training(
        "vae_mnist.train",
        "vae",
        ("training.steps=10 epochs", "quality.every=1 epoch"),
        "vae_mlp, 10 epochs: about a minute",
    ),
)


class TrainingFailed(UserError):
    """A training did not end well; `code` is its exit code."""

    def __init__(self, program, code):
        self.code = code
        super().__init__(
            f"python -m {program}: expected it to train to the end, received exit code {code}; "
            "there is nothing to compare"
        )


def train_defaults(output_dir, trainings=DEFAULTS, report=print):
    """Train the default runs, one after the other.

    Args:
        output_dir: where their run folders go.
        trainings: list of `Training`.
        report: receives a line before each.

    Returns:
        List of their run folders' paths.

    Raises:
        TrainingFailed: if one does not end with exit code 0.
    """
    return [_train(training, output_dir, report) for training in trainings]


def _train(training, output_dir, report):
    report(f"training {training.about}")
    command = [sys.executable, "-m", training.program, *training.arguments]
    code = _wait_for([*command, f"output_dir={output_dir}"])
    if code:
        raise TrainingFailed(training.program, code if code > 0 else 1)  # below 0: a signal
    return str(find_run("latest", output_dir, training.family).path)


def _wait_for(command):
    """Exit code of a command that writes where this process does.

    Ctrl-C reaches both processes: the training then ends cleanly, in its own time.
    """
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
