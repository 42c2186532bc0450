"""Ending a run cleanly when a signal arrives."""

import signal
from contextlib import contextmanager

import keras

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
    before = {number: signal.signal(number, request) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
