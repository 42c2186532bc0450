"""Running a command: its outcome becomes an exit code, and an error one sentence.

A command keeps running when the reader of its output ends. It also starts with standard output or
standard error closed.
"""

import io
import os
import re
import sys
from contextlib import contextmanager

from training_run.errors import UserError
from training_run.interrupts import EXIT_INTERRUPTED, signals_as_interrupts

EXIT_USAGE = 2

LONGEST_WORD, LONGEST_LINE = 200, 600
"""Characters of a message's words, such as paths, and of its lines."""


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
            print(fit_for_terminal(error), file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return EXIT_INTERRUPTED
        except OSError as error:  # a full disk, say, or a folder that may not be written to
            where = f"{error.filename}: " if error.filename else ""
            message = f"{where}cannot be read or written: {error.strerror or error}"
            print(fit_for_terminal(message), file=sys.stderr)
            return EXIT_USAGE


def fit_for_terminal(message):
    """The text of a message without what a terminal would obey, its values cut where they are long.

    Names and paths may hold control characters, and a command line may be of any length.
    """
    return "\n".join(map(_fit_line, str(message).split("\n")))


def _fit_line(line):
    line = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in line)
    words = [_cut(word, LONGEST_WORD) for word in re.split("( )", line)]
    return _cut("".join(words), LONGEST_LINE)


def _cut(text, longest):
    """A text whose middle is left out if it is longer than that."""
    half = longest // 2 - 2
    return text if len(text) <= longest else f"{text[:half]}...{text[-half:]}"


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
