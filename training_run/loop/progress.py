"""What a terminal or a file shows of a training: step, rate, time left and metrics."""

import math
import sys
import time

import keras
from tqdm import tqdm


class TerminalBar(keras.callbacks.Callback):
    """One moving line: step, rate, time left and losses."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.bar = clock, None

    def on_train_begin(self, logs=None):
        self.bar = tqdm(
            total=self.clock.total, initial=self.clock.step, unit=" steps", smoothing=0.1
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.set_postfix_str(format_metrics(self.model, logs), refresh=False)
        self.bar.update(self.clock.step - self.bar.n)

    def on_train_end(self, logs=None):
        self.bar.close()


class PlainLines(keras.callbacks.Callback):
    """The same as lines, for pipes and files: one every few seconds, and one at the end.

    Args:
        clock: the run's `StepClock`.
        seconds: least time between two lines; the first and the last step always get one.
    """

    def __init__(self, clock, seconds=10.0):
        super().__init__()
        self.clock, self.seconds = clock, seconds
        self._printed, self._start = -math.inf, (0, 0.0)

    def on_train_begin(self, logs=None):
        self._start = (self.clock.step, self.clock.seconds)

    def on_train_batch_end(self, batch, logs=None):
        step, now = self.clock.step, time.monotonic()
        if now - self._printed < self.seconds and step != self.clock.total:
            return
        self._printed = now
        rate = (step - self._start[0]) / max(self.clock.seconds - self._start[1], 1e-9)
        left = format_duration((self.clock.total - step) / rate)
        print(
            f"step {step:,}/{self.clock.total:,}  {rate:.1f} steps/s  {left} left  "
            f"{format_metrics(self.model, logs)}",
            flush=True,
        )


def progress_callback(clock):
    """A bar on a terminal, lines elsewhere."""
    return TerminalBar(clock) if sys.stderr.isatty() else PlainLines(clock)


def format_metrics(model, logs):
    """Metrics as text, in the model's order: `d_loss 1.234  g_loss 0.876`."""
    return "  ".join(f"{metric.name} {logs[metric.name]:.4g}" for metric in model.metrics)


def format_duration(seconds):
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
