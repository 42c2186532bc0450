"""Lengths and intervals, given in steps or in epochs, and the schedule made of them."""

import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_BLOCK = 50
"""Maximum number of steps in one execution. Longer blocks are not measurably faster."""

_PATTERN = re.compile(r"^\s*([0-9]{1,12})\s*(steps?|epochs?)?\s*$")


def parse_interval(value):
    """The canonical form of an interval.

    Args:
        value: a positive int (steps), or text such as "200 steps" or "30 epochs".

    Returns:
        An int for steps, or text "N epochs".

    Raises:
        PydanticCustomError: for anything else.
    """
    may_be_interval = isinstance(value, int | str) and not isinstance(value, bool)
    match = _PATTERN.match(str(value)) if may_be_interval else None
    count = int(match.group(1)) if match else 0
    if count < 1:
        raise PydanticCustomError(
            "interval",
            "expected a number of steps or epochs from 1 on, "
            "such as 200, '200 steps' or '30 epochs'",
        )
    if (match.group(2) or "steps").startswith("step"):
        return count
    return f"{count} epoch" + ("s" if count > 1 else "")


Interval = Annotated[
    int | str,
    BeforeValidator(parse_interval),
    WithJsonSchema(
        {
            "description": "steps (200, '200 steps') or epochs ('30 epochs')",
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\s*[0-9]+\s*(steps?|epochs?)?\s*$"},
            ],
        }
    ),
]


def interval_to_steps(interval, steps_per_epoch):
    """Number of steps of a canonical interval."""
    if isinstance(interval, int):
        return interval
    return int(interval.split()[0]) * steps_per_epoch


@dataclass(frozen=True)
class Schedule:
    """Length, intervals and execution block of a run, all in steps.

    Attributes:
        steps: length of the whole run.
        steps_per_epoch: full batches in one pass over the training images.
        log_every, samples_every, gif_every, checkpoints_every: intervals.
        extra: intervals that only some models have (of a score, of a validation), by name.
        block: steps in one compiled execution. It divides all of the above, since Keras would
            overshoot the other intervals.
    """

    steps: int
    steps_per_epoch: int
    log_every: int
    samples_every: int
    gif_every: int
    checkpoints_every: int
    extra: dict[str, int]
    block: int


def resolve_schedule(config, num_train, extra=None, first_step=0):
    """The `Schedule` of a run: its intervals in steps, and the longest block that fits them.

    Args:
        config: a `RunConfig`.
        num_train: number of training images.
        extra: name to interval, of what only some models do.
        first_step: where a resumed run starts. The block divides it too.
    """
    steps_per_epoch = num_train // config.training.batch_size
    in_steps = partial(interval_to_steps, steps_per_epoch=steps_per_epoch)
    total = in_steps(config.training.steps)
    common = {
        "log_every": in_steps(config.log.every),
        "samples_every": in_steps(config.samples.every),
        "gif_every": in_steps(config.gif.every or config.samples.every),
        "checkpoints_every": in_steps(config.checkpoints.every),
    }
    more = {name: in_steps(interval) for name, interval in (extra or {}).items()}
    block = 1
    if config.distribution.strategy == "none":
        reached = [every for every in (*common.values(), *more.values()) if every < total]
        block = largest_block(math.gcd(total, first_step, *reached))
    return Schedule(total, steps_per_epoch, **common, extra=more, block=block)


def largest_block(common):
    """The largest divisor of `common` that is at most `MAX_BLOCK`."""
    return max(divisor for divisor in range(1, MAX_BLOCK + 1) if common % divisor == 0)
