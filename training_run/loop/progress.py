"""What a terminal or a file shows of a training: step, rate, time left and metrics.

Rates count from the end of the first block of steps, since that one waits for the compilation.
"""

import math
import sys
import time

import keras
from tqdm import tqdm


class TerminalBar(keras.callbacks.Callback):
    """One moving line: step, rate, time left and losses."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.bar, self.is_compiled = clock, None, False

    def on_train_begin(self, logs=None):
        self.bar = tqdm(
            total=self.clock.total, initial=self.clock.step, unit=" steps", smoothing=0.1
        )

    def on_train_batch_end(self, batch, logs=None):
        bar, step = self.bar, self.clock.step
        bar.set_postfix_str(format_metrics(self.model, logs), refresh=False)
        if self.is_compiled:
            bar.update(step - bar.n)
        else:
            self.is_compiled = True
            bar.initial = bar.n = bar.last_print_n = step
            bar.unpause()  # the bar's clock starts here
            bar.refresh()

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
        self._printed, self._start = -math.inf, None

    def on_train_batch_end(self, batch, logs=None):
        step, now = self.clock.step, time.monotonic()
        self._start = self._start or (step, self.clock.seconds)
        if now - self._printed < self.seconds and step != self.clock.total:
            return
        self._printed = now
        print(
            f"step {step:,}/{self.clock.total:,}  {self._pace(step)}"
            f"{format_metrics(self.model, logs)}",
            flush=True,
        )

    def _pace(self, step):
        """Rate and time left; nothing at the first block, which shows neither."""
        steps, seconds = step - self._start[0], self.clock.seconds - self._start[1]
        if not steps:
            return ""
        rate = steps / max(seconds, 1e-9)
        return f"{rate:.1f} steps/s  {format_duration((self.clock.total - step) / rate)} left  "


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
