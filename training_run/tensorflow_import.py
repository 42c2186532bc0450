"""Importing TensorFlow without its start-up messages."""

import logging
import os
import sys
import tempfile
from contextlib import contextmanager, suppress


def import_tensorflow():
    """Import TensorFlow and Keras. Show what they print only if the import fails.

    Without a GPU TensorFlow prints a dozen lines about missing libraries, some of them before it
    reads its log level.

    Returns:
        The modules `tensorflow` and `keras`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with standard_error_kept_back():
        import keras
        import tensorflow as tf

        let_gpu_memory_grow(tf)  # without a GPU this prints most
    return tf, keras


@contextmanager
def without_retracing_warnings():
    """Leave out TensorFlow's warnings that a function is traced again: each training traces its
    own, and all have the same name."""

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger = logging.getLogger("tensorflow")
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def let_gpu_memory_grow(tf):
    """Take GPU memory as it is needed. By default TensorFlow takes all of it at the start.

    A GPU that is in use already, or split into logical ones, stays as it is.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        with suppress(RuntimeError, ValueError):
            tf.config.experimental.set_memory_growth(gpu, True)


@contextmanager
def standard_error_kept_back():
    """Hold back what is written to file descriptor 2; replay it if the block fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        except Exception:
            buffer.seek(0)
            os.write(kept, buffer.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
