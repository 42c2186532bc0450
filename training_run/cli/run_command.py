"""Running a command: its outcome becomes an exit code, and an error one sentence."""

import os
import sys

from training_run.errors import UserError

EXIT_USAGE, EXIT_INTERRUPTED = 2, 130


def run_command(function, *args):
    """Call a command; print a user's error as one sentence, without a traceback.

    Returns:
        What `function` returns; the exit code of a `UserError`; 2 for a file that cannot be read
        or written; 130 for an interrupt.
    """
    try:
        return function(*args)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe went away, as in `--list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, say, or a folder that may not be written to
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}cannot be read or written: {error.strerror or error}", file=sys.stderr)
        return EXIT_USAGE
