"""The time left does not count the compilation, which the first block of steps waits for."""

import io
import sys
from types import SimpleNamespace

import pytest

from training_run.loop import progress

MODEL = SimpleNamespace(metrics=[SimpleNamespace(name="d_loss")])
LOGS = {"d_loss": 1.25}


class Clock:
    """A `StepClock` whose time the test sets; `monotonic` and tqdm read the same."""

    total, step, seconds = 1000, 0, 0.0


def after(callback, clock, step, seconds):
    clock.step, clock.seconds = step, seconds
    callback.on_train_batch_end(step - 1, LOGS)


def start(callback):
    callback._model = MODEL  # Keras's `set_model` wants a Keras model
    callback.on_train_begin()
    return callback


def test_lines_count_from_the_end_of_the_first_block(capsys):
    clock = Clock()
    lines = start(progress.PlainLines(clock, seconds=0.0))
    after(lines, clock, 50, 30.0)  # of which nearly all was compilation
    after(lines, clock, 100, 31.0)
    after(lines, clock, 500, 41.0)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "step 50/1,000  d_loss 1.25"
    assert second == "step 100/1,000  50.0 steps/s  0:18 left  d_loss 1.25"
    assert third == "step 500/1,000  40.9 steps/s  0:12 left  d_loss 1.25"


def test_a_resumed_run_counts_its_own_steps(capsys):
    clock = Clock()
    clock.step, clock.seconds = 400, 70.0
    lines = start(progress.PlainLines(clock, seconds=0.0))
    after(lines, clock, 450, 100.0)
    after(lines, clock, 500, 101.0)
    assert "50.0 steps/s  0:10 left" in capsys.readouterr().out


def test_the_bar_counts_from_the_end_of_the_first_block():
    clock = Clock()
    bar = start(progress.TerminalBar(clock))
    now = [0.0]
    bar.bar._time = lambda: now[0]
    bar.bar.start_t = bar.bar.last_print_t = 0.0
    for step, seconds in ((50, 30.0), (100, 31.0), (150, 32.0)):
        now[0] = seconds
        after(bar, clock, step, seconds)
    state = bar.bar.format_dict
    assert state["n"] == 150
    assert state["rate"] == pytest.approx(50.0)
    assert state["elapsed"] == pytest.approx(2.0)
    bar.on_train_end()


def test_a_notebook_shows_one_moving_line_among_what_the_run_prints(monkeypatch, capsys):
    kernel_stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stdout", kernel_stream)
    clock = Clock()
    bar = start(progress.progress_callback(clock))
    after(bar, clock, 50, 30.0)
    bar.on_train_end()
    text = kernel_stream.getvalue()
    assert text.count("\n") == 1 and text.endswith("\n")
    assert "50/1000" in text and "d_loss 1.25" in text
    assert capsys.readouterr().err == ""
