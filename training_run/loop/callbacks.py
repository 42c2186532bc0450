"""What happens beside the training steps; one class, one job.

Keras's own step counts restart with each epoch and jump by the execution block, and its
metrics average since the last reset. So one `StepClock` knows the step of the whole run,
and everything periodic derives from `EverySteps`.
"""

import math
import time

import keras

from training_run.files import sync_file
from training_run.pictures.grid import save_image_grid
from training_run.run_folder.checkpoint import (
    prune_checkpoints,
    restore_checkpoint,
    save_checkpoint,
    state_is_finite,
)
from training_run.run_folder.log import append_row, count_rows, read_header
from training_run.run_folder.networks import save_networks


class StepClock(keras.callbacks.Callback):
    """The step and the training time of the whole run, resumed parts included.

    Args:
        total: the run's number of steps.
        first_step: steps done before this process.
        seconds_before: training time before this process.
    """

    def __init__(self, total, first_step=0, seconds_before=0.0):
        super().__init__()
        self.total, self.first_step, self.step = total, first_step, first_step
        self._seconds_before, self._started = seconds_before, time.monotonic()

    @property
    def seconds(self):
        """Training time of the whole run so far."""
        return self._seconds_before + time.monotonic() - self._started

    def on_train_begin(self, logs=None):
        self._started = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.step = self.first_step + batch + 1


class EverySteps(keras.callbacks.Callback):
    """Calls `at_step(step, logs)` every so many steps and at the run's last one."""

    def __init__(self, clock, every):
        super().__init__()
        self.clock, self.every = clock, every

    def on_train_batch_end(self, batch, logs=None):
        step = self.clock.step
        if step % self.every == 0 or step == self.clock.total:
            self.at_step(step, logs)

    def at_step(self, step, logs):
        """What happens at these steps; `logs` are the metrics since the last log row."""
        raise NotImplementedError


class StopAfterMinutes(keras.callbacks.Callback):
    """Makes the first step after a time the last one of the run.

    It runs right after the clock, so that all others do what is due at the last step.

    Args:
        clock: the run's `StepClock`.
        minutes: of the whole run's training time; None for no end by time.
    """

    def __init__(self, clock, minutes):
        super().__init__()
        self.clock, self.minutes = clock, minutes

    def on_train_batch_end(self, batch, logs=None):
        if is_time_up(self.clock, self.minutes):
            self.clock.total = self.clock.step
            self.model.stop_training = True


def is_time_up(clock, minutes):
    """True if a run has been trained for that time; never for None."""
    return minutes is not None and clock.seconds >= 60 * minutes


class Restore(keras.callbacks.Callback):
    """Loads a checkpoint once `fit` has reset the metrics, which it does at its start."""

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint = checkpoint

    def on_epoch_begin(self, epoch, logs=None):
        restore_checkpoint(self.checkpoint, self.model)


class Diverged(Exception):
    """Training produced numbers that are not finite; the text says which."""


def check_finite(model):
    """Refuse to go on from weights that are not finite.

    A gradient that overflows shows in the weights one step before it shows in a loss.

    Raises:
        Diverged: saying so.
    """
    if not state_is_finite(model):
        raise Diverged("weights are no longer finite")


class StopWhenNotFinite(keras.callbacks.Callback):
    """Ends a run whose metrics are no longer finite, before anything good is overwritten.

    Raises:
        Diverged: naming the steps and the metric.
    """

    def __init__(self, clock, block):
        super().__init__()
        self.clock, self.block = clock, block

    def on_train_batch_end(self, batch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise Diverged(f"{name} became {value} in the last {self.block} steps")


class CsvLog(EverySteps):
    """Rows of log.csv: step, seconds and every metric over the row's own interval.

    Args:
        clock, every: when.
        path: the CSV file; rows are appended, in the order of the columns that it has.
        columns: metric names for a new file. A metric without a value in an interval (a score that
            is computed less often) leaves its cell empty.

    Attributes:
        num_rows: rows in the file.
    """

    def __init__(self, clock, every, path, columns):
        super().__init__(clock, every)
        self.path, self.columns, self.num_rows = path, ("step", "seconds", *columns), 0

    def on_train_begin(self, logs=None):
        self.columns = read_header(self.path) or self.columns
        self.num_rows = count_rows(self.path)

    def at_step(self, step, logs):
        seconds = f"{self.clock.seconds:.2f}"
        append_row(self.path, self.columns, {**logs, "step": step, "seconds": seconds})
        self.num_rows += 1
        self.model.reset_metrics()


class SampleGrids(EverySteps):
    """Grids of images from the same latents, at step 0 and at every interval.

    Args:
        clock, every: when.
        make_images: function without arguments giving (N, H, W, C) float images.
        value_range: (low, high) of black and white.
        num_columns: images in a row.
        path_of: step -> where that step's grid belongs.
        titles: function without arguments giving the grid's title and the widest title of all of
            them; None for grids without.
        row_captions: texts left of the rows.
    """

    def __init__(
        self,
        clock,
        every,
        make_images,
        value_range,
        num_columns,
        path_of,
        titles=None,
        row_captions=(),
    ):
        super().__init__(clock, every)
        self.titles, self.row_captions = titles, row_captions
        self.make_images, self.value_range = make_images, value_range
        self.num_columns, self.path_of = num_columns, path_of

    def on_train_begin(self, logs=None):
        if self.clock.step == 0:
            self.at_step(0, logs)

    def at_step(self, step, logs):
        path = self.path_of(step)
        path.parent.mkdir(exist_ok=True)
        title, widest = self.titles() if self.titles else (None, None)
        save_image_grid(
            path,
            self.make_images(),
            self.value_range,
            self.num_columns,
            title=title,
            widest_title=widest,
            row_captions=self.row_captions,
        )


class Checkpoints(EverySteps):
    """Checkpoints and the `.keras` networks beside them; also when a run ends early.

    A checkpoint is written after all else that is due at its step. At the run's last step it comes
    after what other callbacks write when training ends. A resumed run thus finds everything.

    Args:
        clock, every: when.
        run: the `RunDir`.
        config: the run's configuration, which the checkpoint carries.
        log: the `CsvLog`, whose rows it counts.
    """

    def __init__(self, clock, every, run, config, log):
        super().__init__(clock, every)
        self.run, self.config, self.log = run, config, log
        self.saved_step = clock.first_step or None

    def on_train_begin(self, logs=None):
        if self.clock.step == 0:  # so that a run killed at any moment can be resumed
            self.at_step(0, logs)

    def on_train_batch_end(self, batch, logs=None):
        if self.clock.step != self.clock.total:
            super().on_train_batch_end(batch, logs)

    def at_step(self, step, logs):
        check_finite(self.model)
        save_networks(self.run, self.model)
        sync_file(self.run.log)
        folder, config = self.run.checkpoints, self.config.model_dump(mode="json")
        save_checkpoint(folder, self.model, step, self.clock.seconds, config, self.log.num_rows)
        prune_checkpoints(folder, self.config.checkpoints.keep)
        self.saved_step = step

    def on_train_end(self, logs=None):
        if self.saved_step != self.clock.step:
            self.at_step(self.clock.step, logs)


class AtEnd(keras.callbacks.Callback):
    """Calls a function without arguments when training ends, also when a signal has ended it."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def on_train_end(self, logs=None):
        self.function()


class TensorBoard(EverySteps):
    """The log rows' metrics as TensorBoard scalars.

    Keras's callback of that name counts its own epochs; this one writes the run's steps.
    """

    def __init__(self, clock, every, folder):
        super().__init__(clock, every)
        self.folder, self.writer = folder, None

    def on_train_begin(self, logs=None):
        import tensorflow as tf

        self.writer = tf.summary.create_file_writer(str(self.folder))

    def at_step(self, step, logs):
        import tensorflow as tf

        with self.writer.as_default(step=step):
            for name, value in logs.items():
                tf.summary.scalar(name, value)

    def on_train_end(self, logs=None):
        self.writer.close()
