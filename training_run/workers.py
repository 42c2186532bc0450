"""The part that a worker other than the chief takes in a run: it computes and writes nothing.

Wherever the chief's callbacks read what is spread over all workers, the others read it too.
"""

from training_run.callbacks import (
    Checkpoints,
    Diverged,
    EverySteps,
    Restore,
    StopOnSignal,
    StopWhenNotFinite,
)
from training_run.checkpoint import state_arrays, state_is_finite
from training_run.distribution import sum_over_workers


class ForgetMetrics(EverySteps):
    """Resets the metrics where the chief writes a log row and does so."""

    def at_step(self, step, logs):
        self.model.reset_metrics()


class TakePartInCheckpoints(Checkpoints):
    """Reads the state where the chief saves it: what metrics have gathered is spread."""

    def __init__(self, clock, every):
        super().__init__(clock, every, run=None, keep=None)

    def at_step(self, step, logs):
        if not state_is_finite(self.model):
            raise Diverged(f"weights are no longer finite at step {step:,}")
        state_arrays(self.model)
        self.saved_step = step


class StopTogether(StopOnSignal):
    """Ends `fit` on all workers after the step at which a signal has reached one of them."""

    def __init__(self, request, devices):
        super().__init__(request)
        self.devices = devices

    def on_train_batch_end(self, batch, logs=None):
        if sum_over_workers(self.devices, int(self.request.received is not None)):
            self.request.received = self.request.received or "a signal to another worker"
            self.model.stop_training = True


def stop_callback(request, devices):
    """What ends a run on a signal: on one worker, or on all of them together."""
    return StopTogether(request, devices) if devices.num_workers > 1 else StopOnSignal(request)


def helper_callbacks(context, request, checkpoint=None):
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
        ForgetMetrics(clock, schedule.log_every),
        TakePartInCheckpoints(clock, schedule.checkpoints_every),
        stop_callback(request, context.devices),
    ]
