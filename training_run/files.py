"""Files that are either whole or absent."""

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path):
    """Give a temporary path beside `path`. Rename it to `path` if the block succeeds.

    A reader sees the old file or the new one, and two writers do not mix. The temporary name keeps
    the suffix, by which libraries choose the format.

    Args:
        path: where the finished file belongs; its folder must exist.

    Yields:
        A `pathlib.Path` to write to.
    """
    path = Path(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        sync_file(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_text(path, text):
    """Add `text` to the end of a file as UTF-8: all of it or, on a full disk, nothing.

    A missing file is made.
    """
    with open(path, "ab", buffering=0) as file:
        end, content = file.seek(0, os.SEEK_END), text.encode()
        try:
            while content:
                content = content[file.write(content) :]
        except OSError:
            file.truncate(end)
            raise


def sync_file(path):
    """Wait until a file's content is on the disk. Do nothing without the file."""
    if path.exists():
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def read_json(path):
    """The value in a JSON file; OSError if it cannot be read, ValueError if it is no JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256_of_file(path):
    """Hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
