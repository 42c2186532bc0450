"""Lengths and intervals, given in steps or in epochs, and the schedule made of them."""

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_BLOCK = 50
"""Longest run of steps in one execution; longer ones gain nothing measurable."""


MAX_COUNT = 10**12
"""Steps or epochs that are taken for a length: more would not fit into TensorFlow's integers."""


_PATTERN = re.compile(r"^\s*([0-9]{1,20})\s*(steps?|epochs?)?\s*$")


def parse_interval(value):
    """Bring an interval into its one canonical form.

    Args:
        value: a positive int (steps), or text such as "200 steps" or "30 epochs".

    Returns:
        An int for steps, or text "N epochs".

    Raises:
        PydanticCustomError: for anything else.
    """
    is_interval = isinstance(value, int | str) and not isinstance(value, bool)
    match = _PATTERN.match(str(value)) if is_interval else None
    count = int(match.group(1)) if match else 0
    if count < 1:
        raise PydanticCustomError(
            "interval",
            "expected a number of steps or epochs from 1 on, "
            "such as 200, '200 steps' or '30 epochs'",
        )
    if count > MAX_COUNT:
        raise PydanticCustomError("interval", f"expected at most {MAX_COUNT:,} steps or epochs")
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
    """When things happen, all in steps.

    Attributes:
        steps: length of the whole run.
        steps_per_epoch: full batches in one pass over the training images.
        log_every, samples_every, gif_every, checkpoints_every: intervals.
        extra: further intervals by name (a score's, a validation's).
        block: steps in one compiled execution; it divides all of the above, so everything
            falls exactly on its step. (Keras overshoots an interval that it does not divide.)
    """

    steps: int
    steps_per_epoch: int
    log_every: int
    samples_every: int
    gif_every: int
    checkpoints_every: int
    extra: tuple[tuple[str, int], ...]
    block: int

    def every(self, name):
        """The extra interval called `name`, in steps."""
        return dict(self.extra)[name]


def resolve_schedule(config, num_train, extra=None, first_step=0):
    """Turn a configuration's intervals into steps and choose the execution block.

    Args:
        config: a `RunConfig`.
        num_train: number of training images.
        extra: name -> interval, for what only some models do.
        first_step: where a resumed run starts; the block must divide what is left.

    Returns:
        A `Schedule`.
    """
    steps_per_epoch = num_train // config.training.batch_size

    def steps(interval):
        return interval_to_steps(interval, steps_per_epoch)

    total = steps(config.training.steps)
    main = {
        "log_every": steps(config.log.every),
        "samples_every": steps(config.samples.every),
        "gif_every": steps(config.gif.every or config.samples.every),
        "checkpoints_every": steps(config.checkpoints.every),
    }
    more = {name: steps(interval) for name, interval in (extra or {}).items()}
    inside = [every for every in (*main.values(), *more.values()) if every < total]
    block = 1
    if config.distribution.strategy == "none":
        block = largest_block(math.gcd(total, first_step, *inside))
    return Schedule(
        steps=total,
        steps_per_epoch=steps_per_epoch,
        extra=tuple(more.items()),
        block=block,
        **main,
    )


def largest_block(common):
    """The largest divisor of `common` that is at most `MAX_BLOCK`."""
    return max(divisor for divisor in range(1, MAX_BLOCK + 1) if common % divisor == 0)
