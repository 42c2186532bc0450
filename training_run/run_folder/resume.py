"""What makes a resumed run the same run: what may change, and what is forgotten.

Nothing here imports TensorFlow.
"""

import json
import shutil
from typing import NamedTuple

from training_run.config.intervals import interval_to_steps
from training_run.config.messages import dotted_keys, nearest
from training_run.config.yaml_source import ConfigError, Problem
from training_run.files import read_json, write_text
from training_run.run_folder.checkpoint import checkpoints_in
from training_run.run_folder.log import forget_rows_after

MAY_CHANGE = (
    "training.steps",
    "log",
    "samples.every",
    "gif",
    "checkpoints",
    "validation.every",
    "quality.every",
    "output_dir",
)
"""Keys that only extend a run or change how it is watched; the rest would make it another run."""


class Change(NamedTuple):
    """One key of the configuration, before and after; None where it was or is not there."""

    key: str
    before: object
    after: object


def changes_between(stored, config):
    """`Change`s from one configuration to another, in the order of their keys."""
    before, after = flatten(stored.model_dump(mode="json")), flatten(config.model_dump(mode="json"))
    return [
        Change(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def flatten(values, parent=""):
    """Nested dicts as one dict of dotted keys."""
    flat = {}
    for name, value in values.items():
        key = f"{parent}.{name}" if parent else name
        flat |= flatten(value, key) if isinstance(value, dict) else {key: value}
    return flat


def is_one_of(key, keys):
    """Whether a dotted key is one of `keys` or lies in a section that is."""
    return any(key == other or key.startswith(f"{other}.") for other in keys)


def check_allowed_keys(config_class, keys):
    """Refuse what no configuration has among the keys to be changed on purpose.

    Args:
        config_class: the family's `RunConfig`.
        keys: dotted keys, sections included.

    Raises:
        ConfigError: a line for each, with the nearest valid key.
    """
    known = [key for key in dotted_keys(config_class) if key != "family"]
    problems = [
        Problem(
            "--allow-change",
            "",
            f"expected a key of the configuration, received {key!r}{nearest(key, known)}",
        )
        for key in keys
        if key not in known
    ]
    if problems:
        raise ConfigError(problems)


def check_same_training(stored, config, allowed, spec, path):
    """Refuse to resume under a configuration that would have trained differently.

    Args:
        stored: the run's own configuration.
        config: the same with the command line's overrides.
        allowed: dotted keys or sections that are changed on purpose.
        spec: the data set's `DataSpec`.
        path: the run's config.yaml, for the message.

    Raises:
        ConfigError: a line for each changed key that may not change.
    """
    problems = [
        Problem(
            str(path),
            key,
            f"expected {before!r} as the run was started with, received {after!r}; "
            f"to change it on purpose, add --allow-change {key}",
        )
        for key, before, after in changes_between(stored, config)
        if not is_one_of(key, (*MAY_CHANGE, *allowed))
    ]
    steps_per_epoch = spec.num_train // config.training.batch_size
    steps = [interval_to_steps(each.training.steps, steps_per_epoch) for each in (stored, config)]
    if steps[1] < steps[0] and not is_one_of("training.steps", allowed):
        message = (
            f"expected at least the {steps[0]:,} steps that the run was started with, received "
            f"{steps[1]:,}; to end it sooner, add --allow-change training.steps"
        )
        problems.append(Problem(str(path), "training.steps", message))
    if problems:
        raise ConfigError(problems)


def has_begun(run):
    """Whether a run got as far as anything that a start from step 0 would overwrite.

    Networks without a picture of the real images, which is drawn before them, come from elsewhere:
    a copy of a run, made to be looked at.
    """
    is_copy = any(run.path.glob("*.keras")) and not (run.path / "reals.png").exists()
    return bool(checkpoints_in(run.checkpoints)) or run.log.exists() or is_copy


def forget_after(run, step, columns):
    """Remove what is later than `step` and about to be made again, and what a kill left behind.

    Args:
        run: the `RunDir`, held by this process.
        step: of the checkpoint that the run goes on from.
        columns: metric names of its log from now on.
    """
    for path in run.path.glob("*/step_*.png"):
        cell = path.stem.removeprefix("step_")
        if cell.isdecimal() and int(cell) > step:
            path.unlink()
    for found, path in checkpoints_in(run.checkpoints):
        if found > step:  # damaged, else the run would go on from there
            shutil.rmtree(path)
    for path in run.path.rglob(".tmp-*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix != ".json":  # that may be a score that is being written just now
            path.unlink(missing_ok=True)
    if run.log.exists():
        forget_rows_after(run.log, step, columns)


def note_changes(run, step, changes):
    """Add to environment.json what was changed when the run was resumed, and at which step."""
    if changes:
        path = run.path / "environment.json"
        environment = read_json(path)
        entry = {"step": step, "keys": {key: [before, after] for key, before, after in changes}}
        environment["changed_on_resume"] = [*environment.get("changed_on_resume", []), entry]
        write_text(path, json.dumps(environment, indent=2) + "\n")


def forget_later_best(run, step):
    """Remove a best that another training would have to beat, though it is not on its way.

    Where the training is the same it will come again, so this is for changes on purpose.
    """
    try:
        best_step = int(read_json(run.path / "best" / "score.json")["step"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return
    if best_step > step:
        shutil.rmtree(run.path / "best")
