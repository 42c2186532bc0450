"""environment.json: all that is needed to explain or repeat a run."""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from training_run.errors import UserError
from training_run.files import read_json, write_text
from training_run.step.precision import processor_info


def write_environment(run, seed, data, devices):
    """Write environment.json: all that is needed to explain or repeat the run.

    Args:
        run: the `RunDir`.
        seed: the run's seed.
        data: the `ImageData` it learns from.
        devices: the `Devices` it trains on.
    """
    import tensorflow as tf

    packages = ("tensorflow", "keras", "numpy", "scipy", "matplotlib", "imageio", "pillow")
    environment = {
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "python": platform.python_version(),
        "git_commit": _git_commit(),
        "seed": seed,
        "data": {"source": data.source, "sha256_x_train": data.checksum},
        "command_line": sys.orig_argv,
        "hardware": {
            "machine": platform.machine(),
            "processor": processor_info("model name") or platform.processor(),
            "cpu_count": os.cpu_count(),
            "replicas": devices.num_replicas,
            "workers": devices.num_workers,
            "gpus": [device.name for device in tf.config.list_physical_devices("GPU")],
            "system": platform.platform(),
        },
    }
    write_text(run.path / "environment.json", json.dumps(environment, indent=2) + "\n")


def check_same_data(run, data):
    """Refuse to go on with other images than the run began with; without a record, anything goes.

    Raises:
        UserError: if the checksum in environment.json is not that of `data`.
    """
    path = run.path / "environment.json"
    try:
        expected = read_json(path)["data"]["sha256_x_train"]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected the record of the run's data, received something else "
            f"({type(error).__name__}); without the file, --resume goes on unchecked"
        ) from None
    if expected != data.checksum:
        raise UserError(
            f"{path}: expected the images that the run began with (sha256 {expected[:12]}...), "
            f"received others ({data.checksum[:12]}...) from {data.source}"
        )


def _git_commit():
    """Commit of the checkout this package runs from, or None outside of one."""
    folder = Path(__file__).resolve().parent.parent.parent
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
