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
    """Turn a write error into a sentence that says how to continue.

    Raises:
        UserError: the disk is full, say, or the folder is gone.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{error.filename or run.path}: cannot be written: {error.strerror or error}. No file "
            f"is damaged; once there is room, --resume {run.path} continues"
        ) from error
