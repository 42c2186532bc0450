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

    Raises:
        OSError: with `path` as its file name.
    """
    path = Path(path)
    with errors_name(path):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path):
    """Give a temporary folder beside `path`. Move it to `path` if the block succeeds.

    Args:
        path: where the finished folder belongs; its parent must exist. If it is there already, the
            new files replace those of the same names.

    Yields:
        The `pathlib.Path` of an empty folder.

    Raises:
        OSError: with `path` as its file name.
    """
    path = Path(path).absolute()
    with errors_name(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        yield new
        if not path.exists():
            os.replace(new, path)
            return
        old.mkdir()
        for entry in new.iterdir():
            target = path / entry.name
            if target.exists():
                os.replace(target, old / entry.name)
            os.replace(entry, target)


@contextmanager
def errors_name(path):
    """Let every OSError of the block name `path`, the file that the user knows.

    A failed write names no file by itself, and a failed open a temporary one.
    """
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def folder_problem(path):
    """Why files cannot be written in a folder that is there or yet to be made; None if they can.

    A file without a name is opened where that is possible: on a read-only disk and in `/proc`, the
    folder's permissions say nothing.
    """
    if "\0" in str(path):
        return "a name with a null character"
    folder = Path(path).absolute()
    try:
        while not os.path.lexists(folder):
            folder = folder.parent
        if not folder.is_dir():
            return f"{folder}, which is no folder"
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:  # among them a name that is too long, and a loop of links
        return f"{path}, which may not be written to: {error.strerror or error}"


def write_text(path, text):
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_text(path, text):
    """Add `text` to the end of a file as UTF-8: all of it or, on a full disk, nothing.

    A missing file is made.
    """
    with errors_name(path), open(path, "ab", buffering=0) as file:
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
