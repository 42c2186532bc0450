"""What a terminal or a file shows of a training: step, rate, time left and metrics.

Rates count from the end of the first block of steps, since that one waits for the compilation.
"""

import math
import sys
import time

import keras
from tqdm import tqdm

from training_run.notebook import is_notebook


class TerminalBar(keras.callbacks.Callback):
    """One moving line: step, rate, time left and losses.

    Args:
        clock: the run's `StepClock`.
        minutes: after which it ends; None for no end by time.
        stream: that shows it; None for standard error.
    """

    def __init__(self, clock, minutes=None, stream=None):
        super().__init__()
        self.clock, self.minutes, self.stream = clock, minutes, stream
        self.bar, self.is_compiled = None, False

    def on_train_begin(self, logs=None):
        self.bar = tqdm(
            total=self.clock.total,
            initial=self.clock.step,
            unit=" steps",
            smoothing=0.1,
            file=self.stream,
        )

    def on_train_batch_end(self, batch, logs=None):
        bar, step = self.bar, self.clock.step
        text = format_metrics(self.model, logs)
        if self.minutes is not None:
            text = f"ends in {format_duration(time_left(self.clock, self.minutes))}  {text}"
        bar.set_postfix_str(text, refresh=False)
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
        minutes: after which the run ends; None for no end by time.
    """

    def __init__(self, clock, seconds=10.0, minutes=None):
        super().__init__()
        self.clock, self.seconds, self.minutes = clock, seconds, minutes
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
        left = (self.clock.total - step) / rate
        if self.minutes is not None:
            left = min(left, time_left(self.clock, self.minutes))
        speed = f"{rate:.1f} steps/s" if rate >= 1 else f"{1 / rate:.1f} s a step"
        return f"{speed}  {format_duration(left)} left  "


class SaySpeed(keras.callbacks.Callback):
    """Says once, after the second block of steps, how long a step takes: the first one compiles.

    Args:
        clock: the run's `StepClock`.
        minutes: after which the run ends.
    """

    def __init__(self, clock, minutes):
        super().__init__()
        self.clock, self.minutes, self._ends = clock, minutes, []

    def on_train_batch_end(self, batch, logs=None):
        if len(self._ends) == 2:
            return
        self._ends.append((self.clock.step, self.clock.seconds))
        if len(self._ends) == 2:
            (first, began), (second, ended) = self._ends
            seconds = (ended - began) / (second - first)
            num_steps = second + time_left(self.clock, self.minutes) / seconds
            tqdm.write(
                f"{seconds:.2g} s a step: about {min(num_steps, self.clock.total):,.0f} steps in "
                f"{self.minutes:g} minutes"
            )


def progress_callback(clock, minutes=None):
    """A bar on a terminal and in a notebook, lines elsewhere.

    Args:
        clock, minutes: as for `TerminalBar`.
    """
    if is_notebook(sys.stdout):  # there standard error is red, and ends a line of standard output
        return TerminalBar(clock, minutes, sys.stdout)
    if sys.stderr.isatty():
        return TerminalBar(clock, minutes)
    return PlainLines(clock, minutes=minutes)


def time_left(clock, minutes):
    """Seconds until a run has been trained for that many minutes; 0 afterwards."""
    return max(60 * minutes - clock.seconds, 0.0)


def format_metrics(model, logs):
    """Metrics as text, in the model's order: `d_loss 1.234  g_loss 0.876`."""
    return "  ".join(f"{metric.name} {logs[metric.name]:.4g}" for metric in model.metrics)


def format_duration(seconds):
    """Seconds as `m:ss` or `h:mm:ss`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
