"""The cache of decoded images: written once, whole or not at all, and never trusted blindly."""

import json
import os
import shutil
import threading

import numpy as np
import pytest
from PIL import Image

from training_run.config.sections import DataConfig
from training_run.data.datasets import find_dataset
from training_run.data.image_data import num_held_out, sha256_of_array
from training_run.data.image_folder import cache, reading
from training_run.data.image_folder.find import find_cached


@pytest.fixture
def folder(tmp_path):
    """A folder of 30 images of 8x8, each of its own grey, and one broken file."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(30):
        Image.new("L", (8, 8), 8 * number).save(folder / f"{number}.png")
    (folder / "broken.png").write_text("no")
    return folder


def load(folder, place, **settings):
    """`ImageData`, and the progress lines."""
    lines = []
    settings = {"image_size": 8, "num_channels": 1, "cache": place and str(place)} | settings
    config = DataConfig(dataset="image_folder", path=str(folder), **settings)
    return find_dataset(config).read(lines.append), lines


def in_place(place, ending):
    return sorted(place.glob(f"*.{ending}"))


def assert_same(one, other):
    np.testing.assert_array_equal(one.x_train, other.x_train)
    np.testing.assert_array_equal(one.x_test, other.x_test)
    assert one.checksum == other.checksum == sha256_of_array(one.x_train)


def test_the_second_start_decodes_nothing(folder, tmp_path, monkeypatch):
    plain, _ = load(folder, False)
    first, lines = load(folder, tmp_path / "cache")
    cached = in_place(tmp_path / "cache", "npy")[0]
    assert f"image_folder: cached in {cached} (0.0 MB)" in lines
    assert_same(first, plain)
    monkeypatch.setattr(reading, "try_to_read", pytest.fail)
    second, lines = load(folder, tmp_path / "cache")
    assert_same(second, plain)
    assert isinstance(second.x_train.base, np.memmap)
    assert any("30 images from the cache" in line for line in lines)
    assert any("broken.png: no image in any known format" in line for line in lines)
    assert second.source == plain.source
    assert len(in_place(tmp_path / "cache", "part") + in_place(tmp_path / "cache", "journal")) == 0
    stored = np.load(in_place(tmp_path / "cache", "npy")[0], allow_pickle=False)
    np.testing.assert_array_equal(stored, np.concatenate([plain.x_train, plain.x_test]))


def test_another_state_or_size_has_another_cache(folder, tmp_path):
    place = tmp_path / "cache"
    load(folder, place)
    load(folder, place, image_size=16)
    Image.new("L", (8, 8), 255).save(folder / "new.png")
    assert len(load(folder, place)[0].x_train) == 28
    os.utime(folder / "3.png", (1, 1))
    load(folder, place)
    assert len(in_place(place, "npy")) == 4
    shutil.move(folder, tmp_path / "elsewhere")
    assert any("from the cache" in line for line in load(tmp_path / "elsewhere", place)[1])


def test_the_cache_is_in_the_users_cache_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "user"))
    load(folder, True, cache=True)
    assert len(in_place(tmp_path / "user" / "images", "npy")) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\xff"),
        lambda path: path.write_bytes(b""),
        lambda path: path.with_suffix(".json").write_text("{}"),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_cache_is_made_again(folder, tmp_path, damage):
    place, plain = tmp_path / "cache", load(folder, False)[0]
    load(folder, place)
    damage(in_place(place, "npy")[0])
    again, lines = load(folder, place)
    assert_same(again, plain)
    assert any("reading 31 images" in line for line in lines)
    assert any("from the cache" in line for line in load(folder, place)[1])


def test_a_cache_of_an_older_version_is_not_used(folder, tmp_path, monkeypatch):
    place = tmp_path / "cache"
    load(folder, place)
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    assert any("reading 31 images" in line for line in load(folder, place)[1])
    assert len(in_place(place, "npy")) == 2


class Killed(BaseException):
    """What ends decoding in the middle."""


@pytest.mark.parametrize("cut", [0, 3, 100])
def test_decoding_goes_on_after_a_kill(folder, tmp_path, monkeypatch, cut):
    monkeypatch.setattr(reading, "FILES_PER_BLOCK", 4)
    place, decode, seen = tmp_path / "cache", reading.try_to_read, []

    def decode_twelve(folder, shape, name):
        seen.append(name)
        if len(seen) > 14:
            raise Killed
        return decode(folder, shape, name)

    plain, _ = load(folder, False)
    monkeypatch.setattr(reading, "try_to_read", decode_twelve)
    with pytest.raises(Killed):
        load(folder, place)
    (part,), (journal,) = in_place(place, "part"), in_place(place, "journal")
    assert not in_place(place, "npy")
    with open(part, "ab") as file:  # what a kill leaves of a block
        file.write(b"half a block")
    os.truncate(part, part.stat().st_size - cut)
    with open(journal, "a") as file:
        file.write('{"end": 16, "unr')
    seen.clear()
    monkeypatch.setattr(reading, "try_to_read", decode)
    again, lines = load(folder, place)
    assert_same(again, plain)
    assert any("going on after 12" in line for line in lines) == (cut < 100)


def test_a_full_disk_leaves_nothing_and_the_images_are_read_all_the_same(
    folder, tmp_path, monkeypatch
):
    def full(blocks):
        def decode(*args):
            yield from list(blocks(*args))[:1]
            raise OSError(28, "No space left on device", "images.part")

        return decode

    place = tmp_path / "cache"
    monkeypatch.setattr(cache, "decode_blocks", full(reading.decode_blocks))
    data, lines = load(folder, place)
    assert_same(data, load(folder, False)[0])
    assert any("not cached: images.part: No space left on device" in line for line in lines)
    assert not [path for path in place.iterdir() if path.suffix != ".lock"]


def test_too_little_room_is_seen_before_anything_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 9))
    data, lines = load(folder, tmp_path / "cache")
    assert len(data.x_train) == 27
    assert any("0 MB are needed, 0 MB are free" in line for line in lines)


def test_a_folder_that_may_not_be_written_to(folder, tmp_path):
    (tmp_path / "file").write_text("no folder")
    data, lines = load(folder, tmp_path / "file" / "cache")
    assert len(data.x_train) == 27
    assert any("the decoded images are not cached: " in line for line in lines)


def test_two_runs_build_one_cache(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_LOCK_SECONDS", 0.1)
    decode, decoded, found = cache.decode_blocks, [], []
    at_work, may_go_on = threading.Event(), threading.Event()

    def slow(*args):
        decoded.append(1)
        at_work.set()
        may_go_on.wait(20)
        yield from decode(*args)

    monkeypatch.setattr(cache, "decode_blocks", slow)
    threads = [
        threading.Thread(target=lambda: found.append(load(folder, tmp_path / "cache")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
        at_work.wait(20)
    threads[1].join(0.5)
    may_go_on.set()
    for thread in threads:
        thread.join()
    assert len(decoded) == 1
    assert_same(found[0][0], found[1][0])
    assert any("waiting for its cache" in line for _, lines in found for line in lines)


def test_a_sample_is_the_same_everywhere_and_a_part_of_a_larger_one(folder, tmp_path):
    few, lines = load(folder, False, max_images=10)
    more, _ = load(folder, False, max_images=20)
    assert "image_folder: 10 of 31 images (data.max_images)" in lines
    assert len(few.x_train) + len(few.x_test) in (9, 10)  # the broken file may be among them
    greys = {int(image[0, 0, 0]) for image in [*few.x_train, *few.x_test]}
    assert greys < {int(image[0, 0, 0]) for image in [*more.x_train, *more.x_test]}


def test_a_sample_of_other_data(tiny_data):
    config = DataConfig(path=str(tiny_data), max_images=20)
    dataset, whole = find_dataset(config), find_dataset(DataConfig(path=str(tiny_data))).read(print)
    assert dataset.spec.num_train == 20
    assert dataset.spec.notes == ("20 of 50 training images (data.max_images)",)
    data = dataset.read(print)
    assert (len(data.x_train), len(data.y_train), len(data.x_test)) == (20, 20, 10)
    assert data.checksum == sha256_of_array(data.x_train) != whole.checksum
    places = [
        index for image in data.x_train for index in np.flatnonzero(
            (whole.x_train == image).all(axis=(1, 2, 3))
        )
    ]  # fmt: skip
    assert places == sorted(set(places))
    np.testing.assert_array_equal(data.y_train, whole.y_train[places])
    assert find_dataset(DataConfig(path=str(tiny_data), max_images=50)).spec.num_train == 50


def test_a_folder_as_it_was_comes_from_its_cache_alone(folder, tmp_path):
    config = DataConfig(
        dataset="image_folder", path=str(folder), image_size=8, cache=str(tmp_path / "cache")
    )
    dataset = find_dataset(config)
    assert find_cached(config, dataset.files) is None
    before = dataset.read(print)
    shutil.rmtree(folder)
    folder.mkdir()
    assert_same(find_cached(config, dataset.files).read(print), before)
    assert before.files == dataset.files


def test_the_journal_and_the_record_are_json(folder, tmp_path):
    data, _ = load(folder, tmp_path / "cache")
    record = json.loads(in_place(tmp_path / "cache", "json")[0].read_text())
    assert record["num_images"] == 30
    assert len(record["tally"]["unread"]) == len(record["tally"]["problems"]) == 1
    assert len(data.x_test) == num_held_out(30)


@pytest.mark.skipif(os.name == "nt", reason="folders have other rights there")
def test_a_read_only_cache_is_read_and_not_written(folder, tmp_path, monkeypatch):
    place = tmp_path / "cache"
    whole, _ = load(folder, place)

    class Refusing:
        def __init__(self, path):
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cache, "FileLock", Refusing)  # root may write anywhere
    again, lines = load(folder, place)
    assert_same(again, whole)
    assert any("from the cache" in line for line in lines)
    _, lines = load(folder, place, image_size=16)
    assert any("not cached: " in line and "Permission denied" in line for line in lines)
