import gzip
import os
import struct

import numpy as np
import pytest

from training_run.data.local_arrays import find_local
from training_run.errors import UserError


def images(num_images, *shape):
    return np.random.default_rng(num_images).integers(0, 256, (num_images, *shape), np.uint8)


def save_npz(tmp_path, **arrays):
    np.savez(tmp_path / "own.npz", **arrays)
    return tmp_path / "own.npz"


def describe(path):
    return find_local(path, "Bars", "bars").spec


def load(path):
    return find_local(path, "Bars", "bars").read(pytest.fail)


def write_idx(file, array, type_code=0x08):
    header = struct.pack(f">HBB{array.ndim}I", 0, type_code, array.ndim, *array.shape)
    with (gzip.open if file.suffix == ".gz" else open)(file, "wb") as stream:
        stream.write(header + array.tobytes())


def test_all_four_arrays_of_an_npz(tmp_path):
    x, y = images(30, 28, 28), np.arange(30, dtype=np.uint8) % 7
    path = save_npz(tmp_path, x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    data = load(str(path))
    np.testing.assert_array_equal(data.x_train[..., 0], x[:20])
    np.testing.assert_array_equal(data.x_test[..., 0], x[20:])
    np.testing.assert_array_equal(data.y_train, y[:20])
    np.testing.assert_array_equal(data.y_test, y[20:])
    assert data.x_train.shape == (20, 28, 28, 1)
    assert data.x_train.dtype == np.uint8
    assert data.y_train.dtype == data.y_test.dtype == np.int32
    assert data.num_classes == 7
    assert str(path) in data.source


def test_without_a_test_split_the_last_tenth_is_held_out(tmp_path):
    x, y = images(35, 32, 32, 3), np.arange(35)
    data = load(save_npz(tmp_path, x_train=x, y_train=y % 5))
    np.testing.assert_array_equal(data.x_train, x[:32])
    np.testing.assert_array_equal(data.x_test, x[32:])
    np.testing.assert_array_equal(data.y_test, [2, 3, 4])
    spec = describe(tmp_path / "own.npz")
    assert (spec.num_train, spec.image_shape, spec.num_classes) == (32, (32, 32, 3), 5)


def test_labels_are_optional(tmp_path):
    data = load(save_npz(tmp_path, x_train=images(2, 8, 8)))
    assert data.y_train is None
    assert data.y_test is None
    assert data.num_classes is None
    assert len(data.x_train) == len(data.x_test) == 1


def test_labels_may_be_a_column_and_images_in_fortran_order(tmp_path):
    x = images(20, 4, 6)
    path = save_npz(tmp_path, x_train=np.asfortranarray(x), y_train=np.ones((20, 1), np.int64))
    data = load(path)
    np.testing.assert_array_equal(data.x_train[..., 0], x[:18])
    assert data.x_train.flags.c_contiguous
    assert data.y_train.shape == (18,)


def test_checksum_is_of_the_bytes_of_x_train(tmp_path):
    path = save_npz(tmp_path, x_train=np.zeros((2, 1, 1), np.uint8))
    # sha256 of one zero byte
    assert load(path).checksum == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_describing_reads_no_images(tmp_path):
    path = save_npz(tmp_path, x_train=images(50, 16, 16), y_train=np.zeros(50, np.uint8))
    raw = bytearray(path.read_bytes())
    raw[2000] ^= 0xFF  # inside x_train: its CRC no longer fits
    path.write_bytes(raw)
    assert describe(path).num_train == 45
    with pytest.raises(UserError, match=r"own\.npz: expected a \.npz file, received a damaged one"):
        load(path)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x_test": images(3, 8, 8)}, "expected an array x_train"),
        (
            {"x_train": np.zeros((9, 8, 8))},
            r"dtype uint8, received shape \(9, 8, 8\), dtype float64",
        ),
        ({"x_train": np.full((9, 8, 8), np.nan, np.float32)}, "dtype uint8, .* dtype float32"),
        (
            {"x_train": images(9, 8)},
            r"expected x_train of shape \(N, H, W\).*received shape \(9, 8\)",
        ),
        ({"x_train": images(9, 8, 8, 2)}, r"received shape \(9, 8, 8, 2\)"),
        ({"x_train": images(0, 8, 8)}, r"N at least 2, .* received shape \(0, 8, 8\)"),
        ({"x_train": images(1, 8, 8)}, "N at least 2"),
        ({"x_train": images(9, 0, 8)}, r"received shape \(9, 0, 8\)"),
        ({"x_train": np.array([None, "a"])}, "dtype uint8, .* dtype object"),
        (
            {"x_train": images(9, 8, 8), "x_test": images(2, 8, 9)},
            r"images of one size, .* x_test of shape \(2, 8, 9\)",
        ),
        ({"x_train": images(9, 8, 8), "x_test": images(0, 8, 8)}, "expected x_test"),
        ({"x_train": images(9, 8, 8), "y_train": np.zeros(8, int)}, r"y_train of shape \(9,\)"),
        ({"x_train": images(9, 8, 8), "y_train": np.zeros(9)}, "integer dtype, .* dtype float64"),
        ({"x_train": images(9, 8, 8), "y_train": np.full(9, -1)}, "labels from -1 to -1"),
        ({"x_train": images(9, 8, 8), "y_train": np.full(9, 1000)}, "labels from 1000 to 1000"),
    ],
)
def test_unusable_arrays_are_refused_in_one_sentence(tmp_path, arrays, sentence):
    path = save_npz(tmp_path, **arrays)
    for function in (describe, load):
        with pytest.raises(UserError, match=sentence) as error:
            function(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_damaged_files_are_refused(tmp_path):
    whole = save_npz(tmp_path, x_train=images(50, 16, 16)).read_bytes()
    broken = {"empty": b"", "text": b"hello", "cut": whole[:5000], "no-end": whole[:-30]}
    for name, content in broken.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(UserError, match=rf"{name}\.npz: expected a \.npz file"):
            describe(path)


def test_missing_and_special_paths(tmp_path):
    with pytest.raises(UserError, match=r"data.path: .* which does not exist"):
        describe(tmp_path / "nothing.npz")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.npz")
        with pytest.raises(UserError, match="which is neither"):
            describe(tmp_path / "pipe.npz")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_folder(tmp_path, suffix):
    x, y = images(30, 5, 7), np.arange(30, dtype=np.uint8) % 3
    write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", x[:20])
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", y[:20])
    write_idx(tmp_path / f"t10k-images-idx3-ubyte{suffix}", x[20:])
    write_idx(tmp_path / f"t10k-labels.idx1-ubyte{suffix}", y[20:])
    data = load(tmp_path)
    np.testing.assert_array_equal(data.x_train[..., 0], x[:20])
    np.testing.assert_array_equal(data.x_test[..., 0], x[20:])
    np.testing.assert_array_equal(data.y_train, y[:20])
    np.testing.assert_array_equal(data.y_test, y[20:])
    spec = describe(tmp_path)
    assert (spec.num_train, spec.image_shape, spec.num_classes) == (20, (5, 7, 1), 3)


def test_broken_idx_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="expected train-images-idx3-ubyte or"):
        load(tmp_path)
    file = tmp_path / "train-images-idx3-ubyte"
    write_idx(file, np.zeros((4, 3, 3), np.float32), type_code=0x0D)
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte: .* 0000 0d 03"):
        describe(tmp_path)
    write_idx(file, images(4, 3, 3))
    for content, reason in (
        (file.read_bytes()[:-1], "needs 36 bytes, there are 35"),
        (file.read_bytes() + b"!", "needs 36 bytes, there are 37"),
        (b"\0\0", "damaged one"),
    ):
        file.write_bytes(content)
        with pytest.raises(UserError, match=reason):
            describe(tmp_path)


def test_a_cut_gzip_file_is_refused(tmp_path):
    file = tmp_path / "train-images-idx3-ubyte.gz"
    write_idx(file, images(40, 28, 28))
    content = file.read_bytes()
    file.write_bytes(content[:-2000])
    with pytest.raises(UserError, match=r"needs 31360 bytes, and the file's end tells of others"):
        describe(tmp_path)
    file.write_bytes(content[:2000] + content[4000:])  # its header and its end fit
    with pytest.raises(UserError, match=r"received a damaged one: "):
        load(tmp_path)
