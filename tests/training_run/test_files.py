import os
import signal

import pytest

from training_run.files import (
    append_text,
    atomic_folder,
    atomic_path,
    folder_problem,
    sha256_of_file,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]


def test_the_new_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / "grid.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path


def test_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # The test vector of FIPS 180-2, appendix B.1.
    assert (
        sha256_of_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_text_is_added_as_a_whole_or_on_a_full_disk_not_at_all(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.csv"
    append_text(path, "1,2\n")
    append_text(path, "3,4\n")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            append_text(path, "5,6\n")  # half of it would fit
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_text() == "1,2\n3,4\n"


def test_an_error_names_the_file_that_the_user_knows(tmp_path):
    path = tmp_path / "samples.png"
    with pytest.raises(OSError, match="No space left") as caught, atomic_path(path):
        raise OSError(28, "No space left on device")
    assert (caught.value.errno, caught.value.filename) == (28, str(path))
    with pytest.raises(OSError, match="No such file") as caught:
        write_text(tmp_path / "no" / "a.txt", "text")
    assert caught.value.filename == str(tmp_path / "no" / "a.txt")


def test_a_folder_that_cannot_be_written_to_is_known_and_left_as_it_is(tmp_path):
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").write_text("text")
    assert folder_problem(tmp_path / "new" / "newer") is None
    assert folder_problem(tmp_path / "dangling") == f"{tmp_path}/dangling, which is no folder"
    assert folder_problem(tmp_path / "file" / "x") == f"{tmp_path}/file, which is no folder"
    assert folder_problem("a\0b") == "a name with a null character"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]


def test_a_folder_is_there_when_it_is_finished(tmp_path):
    out = tmp_path / "out"
    with atomic_folder(out) as folder:
        (folder / "a").mkdir()
        (folder / "a" / "1").write_text("new")
        assert not out.exists()
    assert (out / "a" / "1").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_that_fails_is_not_there(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("half")
        _ = 1 / 0
    assert os.listdir(tmp_path) == []


def test_files_of_a_folder_that_is_there_are_replaced(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "out" / name).mkdir(parents=True)
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("new")
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert (tmp_path / "out" / "b").is_dir()
    assert os.listdir(tmp_path) == ["out"]
