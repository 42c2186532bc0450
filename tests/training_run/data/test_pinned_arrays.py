import hashlib
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training_run.data.pinned_arrays import PinnedArrays, Source, cache_folder, load_pinned
from training_run.errors import UserError

ARRAYS = {
    "x_train": np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5),
    "y_train": np.array([2, 0, 1], np.uint8),
}
PINNED = PinnedArrays(
    "toy",
    {name: array.shape for name, array in ARRAYS.items()},
    {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in ARRAYS.items()},
    (),
    "do this or that.",
)
GOOD = Source("a good place", lambda report: ARRAYS)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def no_source(report):
    pytest.fail("a source was asked although the cache is good")


def load(*sources):
    """Arrays, where they came from, and the progress lines."""
    lines = []
    arrays, where = load_pinned(replace(PINNED, sources=sources), lines.append)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
    return where, lines


def test_first_from_a_source_then_from_the_cache(cache):
    assert load(GOOD) == ("a good place", [])
    where, lines = load(Source("nowhere", no_source))
    assert where == f"our cache {cache / 'toy.npz'}"
    assert lines == []
    assert [file.name for file in cache.iterdir()] == ["toy.npz"]


def changed(content):
    at = content.index(ARRAYS["x_train"].tobytes())
    return content[:at] + b"!" + content[at + 1 :]


@pytest.mark.parametrize(
    "damage", [changed, lambda content: content[:-40], lambda content: b"", lambda content: b"x"]
)
def test_a_damaged_cache_is_named_and_replaced(cache, damage):
    load(GOOD)
    whole = (cache / "toy.npz").read_bytes()
    (cache / "toy.npz").write_bytes(damage(whole))
    where, lines = load(GOOD)
    assert where == "a good place"
    assert len(lines) == 1
    assert str(cache / "toy.npz") in lines[0]
    assert [file.name for file in cache.iterdir()] == ["toy.npz"]
    assert (cache / "toy.npz").read_bytes() == whole


def test_a_whole_npz_of_other_arrays_is_no_cache(cache):
    cache.mkdir()
    np.savez(cache / "toy.npz", x_train=ARRAYS["x_train"] + 1, y_train=ARRAYS["y_train"])
    where, lines = load(GOOD)
    assert where == "a good place"
    assert f"our cache {cache / 'toy.npz'}: expected x_train with sha256" in lines[0]


def test_a_pickled_cache_is_not_unpickled(cache):
    cache.mkdir()
    np.savez(cache / "toy.npz", x_train=np.array([Trap()], object), y_train=ARRAYS["y_train"])
    where, lines = load(GOOD)
    assert where == "a good place"
    assert "damaged one" in lines[0]


class Trap:
    """Fails the test when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def test_wrong_sources_are_named_and_passed_over(cache):
    def broken(report):
        raise UserError("the line is dead.")

    where, lines = load(
        Source("nothing there", lambda report: None),
        Source("a dead line", broken),
        Source("a wrong mirror", lambda report: ARRAYS | {"y_train": ARRAYS["y_train"] + 1}),
        Source("a short mirror", lambda report: {"x_train": ARRAYS["x_train"]}),
        Source("a flat mirror", lambda report: ARRAYS | {"x_train": ARRAYS["x_train"].ravel()}),
        Source("a float mirror", lambda report: ARRAYS | {"x_train": ARRAYS["x_train"] * 1.0}),
        GOOD,
        Source("too late", no_source),
    )
    assert where == "a good place"
    assert lines[0] == "toy: the line is dead"
    assert lines[1].startswith("toy: a wrong mirror: expected y_train with sha256")
    assert lines[2].startswith("toy: a short mirror: expected an array y_train")
    assert "received shape (60,), dtype uint8" in lines[3]
    assert "received shape (3, 4, 5), dtype float64" in lines[4]


def test_without_any_source_the_sentence_names_reasons_and_ways_out(cache):
    def broken(report):
        raise UserError("the line is dead.")

    with pytest.raises(UserError) as error:
        load(Source("a dead line", broken))
    assert str(error.value) == "toy could not be loaded (the line is dead): do this or that."
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_no_obstacle(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "file" / "cache"))
    where, lines = load(GOOD)
    assert where == "a good place"
    assert len(lines) == 1
    assert lines[0].startswith("toy: not cached: ")


def test_loading_at_the_same_time(cache):
    start, results = threading.Barrier(8), []

    def one():
        start.wait()
        results.append(load(GOOD)[1])

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[]] * 8
    assert [file.name for file in cache.iterdir()] == ["toy.npz"]


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_the_cache_is_in_the_usual_place(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    for name in ("GAN_VAE_MNIST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_folder() == Path("/home/ada/.cache/gan-vae-mnist")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/ada")
    assert cache_folder() == Path("/var/ada/gan-vae-mnist")
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", "~/own")
    assert cache_folder() == Path("/home/ada/own")


def test_without_a_home_there_is_no_cache_but_there_are_arrays(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("GAN_VAE_MNIST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user without a home
    where, lines = load(GOOD)
    assert where == "a good place"
    assert lines == [
        "toy: not cached: no home folder (GAN_VAE_MNIST_CACHE can name one for the cache)"
    ]
    assert not list(tmp_path.iterdir())
