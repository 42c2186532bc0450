"""What makes a resumed run the same run: what may change, and what is removed and made again.

Nothing here imports TensorFlow.
"""

import shutil
from typing import NamedTuple

from pydantic import ValidationError

from training_run.config.intervals import interval_to_steps
from training_run.config.load import load_config
from training_run.config.messages import dotted_keys, nearest
from training_run.config.records import Record, read_record
from training_run.config.yaml_source import ConfigError, Problem, is_one_of
from training_run.errors import UserError
from training_run.run_folder.checkpoint import checkpoints_in, latest_checkpoint
from training_run.run_folder.log import cut_log

MAY_CHANGE = (
    "training.steps",
    "training.minutes",
    "log",
    "gif",
    "checkpoints",
    "output_dir",
    "data.cache",
)
"""Keys that only extend a run or change how it is watched, beside all that end in `.every` or
`.keep`."""

STEP_FOLDERS = ("samples", "frames", "reconstructions", "kept")
"""Folders of files that are named by their step: pictures and networks."""


class Change(NamedTuple):
    """One key of the configuration, before and after; None where it was or is not there."""

    key: str
    before: object
    after: object


class BestScore(Record):
    """The step in `best/score.json`."""

    step: int


def changes_between(stored, config):
    """List of `Change` from one configuration to another, by key."""
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


def may_change(key):
    """True for keys that leave the training the same: its length, and how it is watched."""
    return key.endswith((".every", ".keep")) or is_one_of(key, MAY_CHANGE)


def check_allowed_keys(config_class, keys):
    """Refuse keys of --allow-change that no configuration has.

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


def find_checkpoint(run):
    """The newest whole checkpoint of a run; None of one that was killed before its first.

    Raises:
        UserError: if the run has begun, but has no checkpoint that can be used.
    """
    return latest_checkpoint(run.checkpoints) if has_begun(run) else None


def stored_config(run, checkpoint, config_class):
    """The configuration that a run was last trained with.

    It is the checkpoint's. Older checkpoints have none: then it is that of config.yaml.

    Args:
        run: the `RunDir`.
        checkpoint: its `Checkpoint`, or None.
        config_class: the family's `RunConfig`.
    """
    if checkpoint and checkpoint.record.config:
        try:
            return config_class.model_validate(checkpoint.record.config)
        except ValidationError:  # of a version with other keys
            pass
    return load_config(config_class, run.config)


def check_same_training(stored, config, allowed, spec, path):
    """Refuse to resume under a configuration that would have trained differently.

    Args:
        stored: the configuration that the run was trained with.
        config: the one to go on with: config.yaml as it is now, with the command line's overrides.
        allowed: dotted keys or sections that are changed on purpose.
        spec: the data set's `DataSpec`.
        path: the run's config.yaml, for the message.

    Raises:
        ConfigError: a line for each changed key that may not change.
    """
    # A learning rate that falls to the end of the run makes its length part of the training.
    has_schedule = getattr(getattr(config, "optimizer", None), "schedule", "constant") != "constant"
    problems = [
        Problem(
            str(path),
            key,
            f"expected {before!r} as the run was started with, received {after!r}; "
            f"to change it on purpose, add --allow-change {key}",
        )
        for key, before, after in changes_between(stored, config)
        if (not may_change(key) or (has_schedule and key == "training.steps"))
        and not is_one_of(key, allowed)
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


def check_same_initial_run(stored, config, path):
    """Refuse another `init.run`: a run that goes on does not start again.

    Args as for `check_same_training`.

    Raises:
        ConfigError: naming both.
    """
    before, after = stored.init.run, config.init.run
    if before != after:
        message = (
            f"expected {before or 'null'} with --resume, as the run was started with, received "
            f"{after or 'null'}; to start from other networks, begin a new run"
        )
        raise ConfigError([Problem(str(path), "init.run", message)])


def has_begun(run):
    """True if a run has anything that a start from step 0 would overwrite.

    Networks without reals.png, which is drawn before them, are a copy of a run to look at.
    """
    is_copy = any(run.path.glob("*.keras")) and not (run.path / "reals.png").exists()
    return bool(checkpoints_in(run.checkpoints)) or run.log.exists() or is_copy


def remove_after(run, step, columns):
    """Remove what is later than `step` and will be made again, and what a kill left behind.

    Only files that the run itself wrote are removed; links are not followed.

    Args:
        run: the `RunDir`, held by this process.
        step: of the checkpoint that the run goes on from.
        columns: metric names of its log from now on.
    """
    folders = [run.path / name for name in STEP_FOLDERS]
    for folder in (folder for folder in folders if not folder.is_symlink()):
        for path in folder.glob("step_*.*"):
            number = path.stem.removeprefix("step_")
            if number.isdecimal() and int(number) > step:
                path.unlink()
    for found, path in checkpoints_in(run.checkpoints):
        if found > step:  # damaged, else the run would go on from there
            shutil.rmtree(path)
    for path in run.path.rglob(".tmp-*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix != ".json":  # it may be a score that is being written just now
            path.unlink(missing_ok=True)
    if run.log.exists():
        cut_log(run.log, step, columns)
    else:
        run.log.unlink(missing_ok=True)  # a link to nowhere: rows would be written there


def remove_later_best(run, step):
    """Remove a best that is later than `step`, before a training that was changed on purpose.

    Otherwise the changed training would be compared with a score of steps that it did not run.
    """
    path = run.path / "best" / "score.json"
    try:
        best_step = read_record(path, BestScore).step
    except UserError:
        return
    if best_step > step:
        shutil.rmtree(path.parent)
