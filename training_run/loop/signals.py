"""Ending a run cleanly when a signal arrives."""

import signal

import keras


class StopRequest:
    """A signal handler that notes a signal.

    Attributes:
        received: name of the signal, or None so far.
    """

    received = None

    def __call__(self, number, frame):
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
