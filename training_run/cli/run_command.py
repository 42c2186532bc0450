"""Running a command: its outcome becomes an exit code, and an error one sentence.

A command keeps running when the reader of its output ends. It also starts with standard output or
standard error closed.
"""

import io
import os
import signal
import sys
import threading
from contextlib import contextmanager

from training_run.errors import UserError

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130

ENDING_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that end a command as Ctrl-C does: `kill`, and a terminal that closes."""


def run_command(function, *args):
    """Call a command; print a user's error as one sentence, without a traceback.

    Returns:
        What `function` returns; the exit code of a `UserError`; 2 for a file that cannot be read
        or written; 130 for an interrupt.
    """
    with lasting_outputs(), signals_as_interrupts():
        try:
            code = function(*args)
            sys.stdout.flush()
            return code
        except UserError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return EXIT_INTERRUPTED
        except OSError as error:  # a full disk, say, or a folder that may not be written to
            where = f"{error.filename}: " if error.filename else ""
            print(f"{where}cannot be read or written: {error.strerror or error}", file=sys.stderr)
            return EXIT_USAGE


class OutputFile(io.FileIO):
    """A standard output that may lose its reader: what is written then goes nowhere.

    Raises:
        UserError: at a write that fails for another reason, such as a full disk.
    """

    def write(self, content):
        try:
            return super().write(content)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return len(content)
        except OSError as error:
            name = {1: "standard output", 2: "standard error"}[self.fileno()]
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            raise UserError(f"{name}: cannot be written: {error.strerror}") from None


@contextmanager
def lasting_outputs():
    """Put an `OutputFile` behind the process's own standard output and error.

    A closed one (`2>&-`) is opened on the null device first: otherwise the next file that is opened
    would take its place, and TensorFlow would write its messages into that.
    """
    before = sys.stdout, sys.stderr
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            while os.open(os.devnull, os.O_RDWR) < number:
                pass
        elif stream is not getattr(sys, f"__{name}__"):
            continue  # somebody else's, such as a test's or a notebook's
        setattr(sys, name, _text_stream(number))
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _text_stream(number):
    raw = OutputFile(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(sys.__stdout__, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=number == 2 or raw.isatty(),
    )


@contextmanager
def signals_as_interrupts():
    """Let `ENDING_SIGNALS` raise KeyboardInterrupt, unless they are ignored (as `nohup` does)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
