"""One writer to a run folder, and what it says when it cannot write."""

from contextlib import contextmanager

from filelock import FileLock, Timeout

from training_run.errors import UserError


@contextmanager
def locked(run):
    """Hold a run folder for writing; a second process is refused.

    Raises:
        UserError: if another process holds it, or nobody can write to it.
    """
    lock = FileLock(run.path / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{run.path}: another process is training in this run folder") from None
    except (OSError, NotImplementedError) as error:
        raise UserError(
            f"{run.path}: expected a run folder that can be written to, received: "
            f"{getattr(error, 'strerror', None) or error}"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing(run):
    """Turn what keeps a run from being written into a sentence that says how to go on.

    Raises:
        UserError: the disk is full, say, or the folder is gone.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{error.filename or run.path}: expected to be able to write there, received: "
            f"{error.strerror or error}; nothing is half-written, and --resume {run.path} goes on "
            "once that is put right"
        ) from error
