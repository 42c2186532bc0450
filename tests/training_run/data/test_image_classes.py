"""Classes of a user's images: folders, CSV files, `.npz` class names."""

import os

import numpy as np
import pytest
from PIL import Image

from training_run.config.sections import DataConfig
from training_run.data.datasets import find_dataset
from training_run.data.image_data import ImageFile
from training_run.data.image_folder.classes import Classes, find_classes, read_label_file
from training_run.data.image_folder.find import train_every_class
from training_run.errors import UserError


def write_images(folder, counts):
    """Images of each class in a folder of its name; their red is the class's place in `counts`."""
    for number, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new("RGB", (8, 8), (50 * number, index, 0)).save(folder / name / f"{index}.png")
    return folder


def find(path, **settings):
    return find_dataset(
        DataConfig(dataset="image_folder", path=str(path), image_size=8, cache=False, **settings)
    )


def load(path, **settings):
    lines = []
    return find(path, **settings).read(lines.append), lines


def test_folders_are_classes_in_the_order_of_their_names(tmp_path):
    write_images(tmp_path, {"cat": 12, "ape": 20, "dog/small": 8})
    dataset = find(tmp_path)
    assert dataset.spec.class_names == ("ape", "cat", "dog")
    assert dataset.spec.num_classes == 3
    assert dataset.spec.notes == ("3 classes, from the folders: ape 20, cat 12, dog 8",)
    data, lines = load(tmp_path)
    assert "image_folder: 3 classes, from the folders: ape 20, cat 12, dog 8" in lines
    assert (data.num_classes, data.class_names) == (3, ("ape", "cat", "dog"))
    reds = np.concatenate([data.x_train, data.x_test])[:, 0, 0, 0]
    labels = np.concatenate([data.y_train, data.y_test])
    np.testing.assert_array_equal(reds, np.array([50, 0, 100])[labels])
    assert data.y_train.dtype == np.int32
    assert data.spec.class_names == data.class_names


def test_numbers_are_in_their_own_order(tmp_path):
    write_images(tmp_path, {"10": 3, "9": 3, "2": 3})
    assert find(tmp_path).spec.class_names == ("2", "9", "10")


def test_labels_can_be_left_alone(tmp_path):
    write_images(tmp_path, {"a": 5, "b": 5})
    data, _ = load(tmp_path, labels="none")
    assert (data.y_train, data.num_classes, data.class_names) == (None, None, None)
    np.testing.assert_array_equal(data.x_train, load(tmp_path)[0].x_train)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({".": 4}, "all images lie in the folder itself"),
        ({"a": 4}, "one folder, a"),
        ({"a": 4, "b": 3, ".": 2}, r"2 of 9 images outside of any \([01]\.png, [01]\.png\)"),
        ({str(number): 1 for number in range(1001)}, "1,001 folders"),
    ],
)
def test_folders_that_are_no_classes(tmp_path, counts, reason):
    write_images(tmp_path, counts)
    spec = find(tmp_path).spec
    assert (spec.num_classes, spec.class_names) == (None, None)
    with pytest.raises(UserError, match=reason):
        find(tmp_path, labels="folders")
    (note,) = spec.notes
    assert note.startswith("no labels: ")


def test_parts_of_a_data_set_are_no_classes_unless_it_is_said(tmp_path):
    write_images(tmp_path, {"train": 4, "Test": 4})
    spec = find(tmp_path).spec
    assert spec.num_classes is None
    assert "point data.path at one of them" in spec.notes[0]
    assert find(tmp_path, labels="folders").spec.class_names == ("Test", "train")


def test_a_thousand_classes_are_told_by_their_extremes(tmp_path):
    names = [f"{number}/0.png" for number in range(1000)] + ["7/1.png"]
    classes = find_classes("folders", tmp_path, names)
    assert len(classes.names) == 1000
    assert classes.notes == ("1,000 classes, from the folders: 1 images (0) to 2 (7)",)


def test_unbalanced_classes_and_single_images_are_told(tmp_path):
    write_images(tmp_path, {"many": 9, "one": 1})
    notes = find(tmp_path).spec.notes
    assert notes[1:] == (
        "unbalanced: many has 9.0 times as many images as one; data.balance=true draws all classes "
        "equally often",
        "one has 1 image: a model can only copy it",
    )
    assert find(tmp_path, balance=True).spec.notes[1:] == notes[2:]


@pytest.mark.parametrize("seed", range(5))
def test_each_class_has_a_training_image(seed):
    rng = np.random.default_rng(seed)
    names = [f"{number}.png" for number in rng.permutation(40)]
    number_of = {name: int(name[:-4]) // 10 for name in names}
    for extra in range(4, 8):  # four classes of one image each, at the end: all would be held out
        names.append(f"{extra}")
        number_of[f"{extra}"] = extra
    files = [ImageFile(name, 0, 0) for name in names]
    ordered = train_every_class(files, Classes(tuple("abcdefgh"), number_of))
    assert sorted(ordered) == sorted(files)
    assert {number_of[file.name] for file in ordered[:40]} == set(range(8))
    moved = sum(before != after for before, after in zip(files, ordered, strict=True))
    assert moved == 8


def test_a_class_of_unreadable_files_is_told(tmp_path):
    write_images(tmp_path, {"good": 10, "fine": 10})
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_text("no")
    data, lines = load(tmp_path)
    assert data.class_names == ("bad", "fine", "good")
    assert set(data.y_train) == {1, 2}
    assert any("no readable training image of bad" in line for line in lines)


def test_a_csv_file_gives_labels(tmp_path):
    images = write_images(tmp_path / "images", {".": 6, "below": 2})
    table = tmp_path / "labels.csv"
    table.write_text(
        "id,Label,File\n1,round,0.png\n2,round,./1.png\n3, square ,2.png\n4,square,below\\\\0.png\n"
        "5,round,gone.png\n".replace("\\\\", "\\")
    )
    dataset = find(images, labels=str(table))
    assert dataset.spec.class_names == ("round", "square")
    assert dataset.spec.notes == (
        f"2 classes, from {table}: round 2, square 2",
        f"{table}: 1 rows name no image here (gone.png)",
        dataset.spec.notes[2],
    )
    assert dataset.spec.notes[2].startswith("4 images have no row and are left out (")
    data = dataset.read(lambda line: None)
    greens = np.concatenate([data.x_train, data.x_test])[:, 0, 0]
    labels = np.concatenate([data.y_train, data.y_test])
    pairs = zip(greens[:, :2].tolist(), labels, strict=True)
    assert sorted((*colour, label) for colour, label in pairs) == [
        (0, 0, 0), (0, 1, 0), (0, 2, 1), (50, 0, 1),
    ]  # fmt: skip


def test_a_csv_file_may_lie_beside_the_images_and_have_no_header(tmp_path):
    write_images(tmp_path, {".": 4})
    (tmp_path / "labels.csv").write_bytes(b"\xef\xbb\xbf0.png,a\n\n1.png,a\n2.png,b\n3.png,b\n")
    assert find(tmp_path, labels="labels.csv").spec.class_names == ("a", "b")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0.png,a\n0.png,b\n", ":2: expected one label for 0.png, received 'a' and 'b'"),
        ("0.png,a\n1.png\n", r":2: expected a file and its label, received \['1.png'\]"),
        ("0.png,a\n1.png,\n", ":2: expected a file and its label"),
        ("x.png,a\ny.png,b\n", r"received 0 in 0 rows .* 2 rows of files that are not \(x.png, y"),
        ("0.png,a\n1.png,a\n", "2 to 1,000 different labels, received 1 in 2 rows"),
        ("", "received 0 in 0 rows"),
        (b"\xff\xfe0.png,a\n", "to be CSV in UTF-8"),
        (None, "cannot be read: No such file"),
    ],
)
def test_label_files_that_cannot_be_used(tmp_path, text, sentence):
    write_images(tmp_path, {".": 4})
    table = tmp_path / "labels.csv"
    if text is not None:
        table.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=sentence):
        find(tmp_path, labels=str(table))


def test_a_label_file_keeps_the_same_label_given_twice(tmp_path):
    (tmp_path / "x.csv").write_text("a/b.png,cat\na//b.png,cat\n")
    assert read_label_file(tmp_path / "x.csv") == {os.path.join("a", "b.png"): "cat"}


def write_npz(path, **more):
    images, labels = np.zeros((9, 8, 8), np.uint8), np.arange(9) % 3
    np.savez(path, x_train=images, y_train=labels, **more)
    return DataConfig(path=str(path))


def test_names_of_classes_in_an_npz_file(tmp_path):
    dataset = find_dataset(write_npz(tmp_path / "x.npz", class_names=["cat", "dog", "ewe"]))
    assert dataset.spec.class_names == ("cat", "dog", "ewe")
    assert dataset.read(print).class_names == ("cat", "dog", "ewe")
    assert find_dataset(write_npz(tmp_path / "x.npz")).spec.class_names is None


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["cat", "dog"], "a different text for each of the 3 classes, received shape"),
        (["cat", "dog", "cat"], "a different text for each of the 3 classes"),
        ([1, 2, 3], "dtype int64"),
        (np.array(["cat", "dog", "ewe"], object), "received a damaged one: Object arrays"),
    ],
)
def test_names_that_are_not_one_a_class(tmp_path, names, sentence):
    with pytest.raises(UserError, match=sentence):
        find_dataset(write_npz(tmp_path / "x.npz", class_names=names))


def test_labels_of_other_data_are_taken_or_left(tiny_data):
    assert find_dataset(DataConfig(path=str(tiny_data))).spec.num_classes == 10
    dataset = find_dataset(DataConfig(path=str(tiny_data), labels="none"))
    assert dataset.spec.num_classes is None
    data = dataset.read(print)
    assert (data.y_train, data.y_test, data.num_classes) == (None, None, None)
    with pytest.raises(UserError, match=r"data\.labels: expected auto or none with .*tiny\.npz"):
        find_dataset(DataConfig(path=str(tiny_data), labels="folders"))
