"""Signals that end a command: Ctrl-C, `kill`, and a terminal that closes.

A command passes three stages. While its modules are imported there is nothing to clean up: it ends
at once (`end_on_signals`, the first line of every command that is started by `python -m`). Then a
signal raises KeyboardInterrupt (`signals_as_interrupts`). While a training runs, the first signal
is noted and the training saves (`handling_signals`). A second one falls back to the stage before.
"""

import os
import signal
import threading
from contextlib import contextmanager, suppress

EXIT_INTERRUPTED = 130

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def end_on_signals():
    """From now on, let a signal end the process with one word and exit code 130."""
    try:
        error_output = os.dup(2)  # 2 itself is held back while TensorFlow is imported
    except OSError:  # it is closed
        error_output = -1

    def end_at_once(number, frame):
        with suppress(OSError):  # nobody may be reading
            os.write(error_output, b"interrupted\n")
        os._exit(EXIT_INTERRUPTED)

    set_handlers(end_at_once)


def set_handlers(handler):
    """Let `handler` handle `SIGNALS`, but for those that are ignored, as `nohup` ignores SIGHUP.

    Returns:
        dict of signal number to the handler before.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, old in before.items():
        if number == signal.SIGINT or old is not signal.SIG_IGN:
            signal.signal(number, handler)
    return before


@contextmanager
def signals_as_interrupts():
    """Let a signal raise KeyboardInterrupt, and leave a second one to the handlers before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number, frame):
        restore()
        raise KeyboardInterrupt

    def restore():
        for number, handler in before.items():
            signal.signal(number, handler)

    before = set_handlers(interrupt)
    try:
        yield
    finally:
        restore()


@contextmanager
def handling_signals(request):
    """Let a function of (number, frame) handle the first signal, and leave a second one as it was.

    The block is to end soon after the first. Outside of the main thread Python handles no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number, frame):
        restore()
        request(number, frame)

    def restore():
        for number, handler in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, handler)

    before = set_handlers(handle)
    try:
        yield
    finally:
        restore()
