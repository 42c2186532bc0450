"""Ending a run cleanly when a signal arrives."""

import signal
from contextlib import contextmanager

import keras

STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Ctrl-C, `kill`, and a terminal that closes."""


class StopRequest:
    """A signal handler that notes the first signal and raises KeyboardInterrupt at the second.

    Attributes:
        received: name of the signal, or None so far.
    """

    received = None

    def __call__(self, number, frame):
        if self.received:
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name
        print(f"\n{self.received}: saving, then stopping (once more to stop at once)", flush=True)


class StopOnSignal(keras.callbacks.Callback):
    """Ends `fit` after the running block of steps once a `StopRequest` has received a signal."""

    def __init__(self, request):
        super().__init__()
        self.request = request

    def on_train_batch_end(self, batch, logs=None):
        if self.request.received:
            self.model.stop_training = True


@contextmanager
def handling_signals(request):
    """Let a `StopRequest` handle `STOP_SIGNALS`, and restore the handlers afterwards."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, handler in before.items():
        if number == signal.SIGINT or handler is not signal.SIG_IGN:  # `nohup` ignores SIGHUP
            signal.signal(number, request)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
