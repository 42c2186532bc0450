"""The part that a worker other than the chief takes in a run: it computes and writes nothing.

Wherever the chief's callbacks read what is spread over all workers, the others read it too.
"""

from training_run.devices.strategy import sum_over_workers
from training_run.loop.callbacks import (
    Checkpoints,
    EverySteps,
    Restore,
    StopWhenNotFinite,
    check_finite,
)
from training_run.loop.signals import StopOnSignal
from training_run.run_folder.checkpoint import state_arrays

ASK_EVERY = 10
"""Steps between two checks for signals on other workers. A check takes a few milliseconds, as long
as a step of a small network."""


class ResetMetrics(EverySteps):
    """Resets the metrics where the chief writes a log row and does so."""

    def at_step(self, step, logs):
        self.model.reset_metrics()


class TakePartInCheckpoints(Checkpoints):
    """Reads the state when the chief saves it, since metric values are spread over the workers."""

    def __init__(self, clock, every):
        super().__init__(clock, every, run=None, config=None, log=None)

    def at_step(self, step, logs):
        check_finite(self.model)
        state_arrays(self.model)
        self.saved_step = step


class StopTogether(EverySteps):
    """Ends `fit` on all workers at the same step, soon after a signal has reached one of them.

    Args:
        clock: the run's `StepClock`.
        request: this worker's `StopRequest`.
        devices: the run's `Devices`.
    """

    def __init__(self, clock, request, devices):
        super().__init__(clock, ASK_EVERY)
        self.request, self.devices = request, devices

    def at_step(self, step, logs):
        if sum_over_workers(self.devices, int(self.request.received is not None)):
            self.request.received = self.request.received or "a signal to another worker"
            self.model.stop_training = True


def stop_callback(context, request):
    """What ends a run on a signal: on one worker, or on all of them together."""
    if context.devices.num_workers == 1:
        return StopOnSignal(request)
    return StopTogether(context.clock, request, context.devices)


def follower_callbacks(context, request, checkpoint=None):
    """The callbacks of a worker that is not the chief, in the order of the chief's.

    Args:
        context: its `RunContext`.
        request: its `StopRequest`.
        checkpoint: the one to go on from, or None.
    """
    clock, schedule = context.clock, context.schedule
    return [
        *([Restore(checkpoint)] if checkpoint else []),
        clock,
        StopWhenNotFinite(clock, schedule.block),
        ResetMetrics(clock, schedule.log_every),
        TakePartInCheckpoints(clock, schedule.checkpoints_every),
        stop_callback(context, request),
    ]
