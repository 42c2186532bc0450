"""Networks of earlier steps, kept to look back at: `kept/step_000050.keras` and so on."""

import keras

from training_run.files import atomic_path


class KeptNetworks(keras.callbacks.Callback):
    """Saves the network that draws at some steps of the training.

    Args:
        clock: the `StepClock`.
        steps: when; multiples of the execution block.
        run: the `RunDir`.
        network: a Keras network whose weights change with the training.
    """

    def __init__(self, clock, steps, run, network):
        super().__init__()
        self.clock, self.steps, self.run, self.network = clock, frozenset(steps), run, network

    def on_train_begin(self, logs=None):
        if self.clock.step == 0:
            self.keep_now()

    def on_train_batch_end(self, batch, logs=None):
        self.keep_now()

    def keep_now(self):
        """Save the network if this is one of the steps."""
        if self.clock.step in self.steps:
            path = self.run.kept(self.clock.step)
            path.parent.mkdir(exist_ok=True)
            with atomic_path(path) as temporary:
                self.network.save(temporary)


def kept_networks(context, num, network):
    """The `KeptNetworks` of a run in a list; an empty one where none are kept.

    Args:
        context: the `RunContext`.
        num: how many.
        network: as for `KeptNetworks`.
    """
    if not num:
        return []
    steps = spread_steps(context.schedule.steps, num, context.schedule.block)
    return [KeptNetworks(context.clock, steps, context.run, network)]


def spread_steps(total, num, block):
    """Step 0 and `num` - 1 steps before the last one, evenly spread in the logarithm.

    Args:
        total: steps of the run.
        num: how many, at least 1. Fewer are given where two fall on the same step.
        block: every step is a multiple of it.

    Returns:
        Sorted list of int.
    """
    blocks = total / block
    spread = {block * round(blocks ** (k / num)) for k in range(1, num)}
    return [0, *sorted(step for step in spread if step < total)]
