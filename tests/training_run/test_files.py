import pytest

from training_run.files import atomic_path, sha256_of_file, write_text


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
