"""What the parts of one run share."""

from dataclasses import dataclass
from typing import NamedTuple

from training_run.config.intervals import Schedule
from training_run.config.sections import RunConfig
from training_run.data.image_data import ImageData
from training_run.devices.strategy import ONE_DEVICE, Devices
from training_run.loop.callbacks import StepClock
from training_run.run_folder.networks import InitialNetworks
from training_run.run_folder.paths import RunDir


@dataclass(frozen=True)
class RunContext:
    """All that a callback of a family may need.

    Attributes:
        config: the run's configuration.
        data: the images as the family prepared them.
        source_data: the images as they were read.
        helper: what the family made for its callbacks, see `Family.prepare`.
        schedule: when things happen.
        model: the compiled composite.
        run: the run's folder; None in a new run's worker that is not the chief.
        clock: knows the step.
        devices: where it trains.
        initial: the `InitialNetworks` that it starts from; None for random weights or a checkpoint.
    """

    config: RunConfig
    data: ImageData
    source_data: ImageData
    helper: object
    schedule: Schedule
    model: object
    run: RunDir | None
    clock: StepClock
    devices: Devices = ONE_DEVICE
    initial: InitialNetworks | None = None


class Ended(NamedTuple):
    """How a training ended.

    Attributes:
        run: its `RunDir`; None in a new run's worker that is not the chief.
        exit_code: 0 done, 1 diverged, 130 stopped by a signal.
    """

    run: RunDir | None
    exit_code: int
