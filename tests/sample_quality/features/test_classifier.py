import dataclasses
import json
import shutil

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sample_quality.features import training
from sample_quality.features.classifier import (
    SHIPPED,
    Classifier,
    build_classifier,
    classifier_for,
    load_classifier,
    options_of,
    read_record,
    save_classifier,
)
from sample_quality.features.training import random_shift, train_classifier
from sample_quality.scores.frechet import frechet_distance, moments
from sample_quality.train_classifier import data_of, main
from training_run.config.sections import DataConfig
from training_run.data.datasets import load_dataset
from training_run.data.image_data import ImageData, make_image_data
from training_run.errors import UserError


@pytest.fixture
def quick_and_apart(monkeypatch, tmp_path):
    """Few steps, and a cache folder of the test's own."""
    monkeypatch.setattr(training, "NUM_EPOCHS", 4)
    monkeypatch.setattr(training, "MIN_STEPS", 4)
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def data(tiny_data):
    return load_dataset(DataConfig(path=str(tiny_data)))


def test_the_shipped_classifier_is_what_its_record_says():
    record = read_record(SHIPPED)
    assert SHIPPED.stat().st_size < 1_500_000
    assert record.test_accuracy >= 0.993
    assert record.num_test == 10_000
    assert (record.image_shape, record.num_classes) == ((28, 28, 1), 10)
    classifier = load_classifier(SHIPPED)  # compares the checksum
    assert classifier.network.count_params() == 459_946
    classified = classifier(np.zeros((3, 28, 28, 1), np.uint8))
    assert classified.features.shape == (3, record.feature_dim)
    np.testing.assert_allclose(classified.probabilities.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.network
def test_the_shipped_classifier_reads_the_test_digits_as_recorded():
    digits = load_dataset(DataConfig())
    classifier = classifier_for(digits, DataConfig())
    classified = classifier(digits.x_test)
    accuracy = (classified.classes == digits.y_test).mean()
    # Another processor rounds otherwise, which may turn a doubtful digit or two.
    assert accuracy == pytest.approx(classifier.record.test_accuracy, abs=3e-4)
    assert (classified.features.std(axis=0) > 0.01).all()  # no feature is dead


def test_batches_do_not_change_the_features(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28, 1), dtype=np.uint8)
    classifier = load_classifier(SHIPPED)
    whole = classifier(images).features
    monkeypatch.setattr("sample_quality.features.classifier.BATCH", 3)
    np.testing.assert_allclose(classifier(images).features, whole, atol=1e-4)


def test_images_of_another_shape_or_type_are_refused():
    classifier = load_classifier(SHIPPED)
    for images in (np.zeros((2, 8, 8, 1), np.uint8), np.zeros((2, 28, 28, 1), np.float32)):
        with pytest.raises(ValueError, match="takes uint8 images of shape"):
            classifier(images)


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped files, to be damaged."""
    for suffix in (".npz", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), tmp_path / f"copy{suffix}")
    return tmp_path / "copy.npz"


def test_changed_weights_are_refused(copy):
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(UserError, match="not the weights that mnist's record describes"):
        load_classifier(copy)


@pytest.mark.parametrize("change", [{"num_classes": 11}, {"format": 9}, {"surprise": 1}])
def test_a_record_that_does_not_fit_is_refused(copy, change):
    path = copy.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError):
        load_classifier(copy)


def test_a_missing_file_is_one_sentence(copy):
    copy.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        load_classifier(copy)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (64, 64, 3)])
def test_any_image_shape_has_a_classifier(shape):
    network = build_classifier(shape, 5, seed=0)
    assert network(np.zeros((2, *shape), np.float32)).shape == (2, 5)
    assert network.get_layer("features").output.shape == (None, 128)


@pytest.fixture(scope="module")
def trained(data):
    """(network, record) after a few steps with seed 0."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "NUM_EPOCHS", 4)
        patch.setattr(training, "MIN_STEPS", 4)
        return train_classifier(data, "tiny", 0)


@pytest.mark.usefixtures("quick_and_apart")
def test_the_same_seed_gives_the_same_classifier(data, trained):
    network, record = train_classifier(data, "tiny", 0)
    for ours, theirs in zip(network.get_weights(), trained[0].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert record == trained[1]


def test_another_seed_gives_other_weights():
    one, other = (build_classifier((8, 8, 1), 5, seed).get_weights()[0] for seed in (0, 1))
    assert not np.array_equal(one, other)


@pytest.mark.usefixtures("quick_and_apart")
def test_the_command_trains_and_scores_find_it(tiny_data, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "accuracy_floor", lambda labels: 0.0)
    config = DataConfig(path=str(tiny_data))
    with pytest.raises(UserError, match=f"train_classifier --data {tiny_data}"):
        classifier_for(data, config)
    assert main(["--data", str(tiny_data)]) == 0
    output = capsys.readouterr().out
    assert "epoch 4/4" in output
    classifier = classifier_for(data, config)
    assert classifier.record.steps == 4
    assert classifier.record.sha256_x_train == data.checksum
    assert f"test accuracy {classifier.record.test_accuracy}" in output
    assert len(list((tmp_path / "cache").iterdir())) == 2
    # The recorded accuracy is that of the weights on disk.
    right = classifier(data.x_test).classes == data.y_test
    assert right.mean() == pytest.approx(classifier.record.test_accuracy, abs=1e-6)


@pytest.mark.usefixtures("quick_and_apart")
def test_a_sample_is_judged_by_the_classifier_of_all_images(tiny_data, data, monkeypatch):
    monkeypatch.setattr(training, "accuracy_floor", lambda labels: 0.0)
    assert main(["--data", str(tiny_data)]) == 0
    config = DataConfig(path=str(tiny_data), max_images=20)
    sample = load_dataset(config)
    assert sample.checksum != data.checksum
    assert classifier_for(sample, config).record.sha256_x_train == data.checksum


def test_weights_survive_the_file_to_the_bit(data, trained, tmp_path):
    network, record = trained
    save_classifier(tmp_path / "a.npz", network, record)
    loaded = load_classifier(tmp_path / "a.npz")
    assert dataclasses.replace(loaded.record, sha256="") == record
    before, after = Classifier(network, record)(data.x_test), loaded(data.x_test)
    np.testing.assert_array_equal(before.features, after.features)


def test_it_learns_what_a_shift_does_not_change(monkeypatch):
    """Upright and lying bars on noise, at any place: new ones are told apart."""
    monkeypatch.setattr(training, "MIN_STEPS", 40)
    random = np.random.default_rng(0)
    images = random.integers(0, 60, (300, 12, 12, 1), dtype=np.uint8)
    labels = np.arange(300) % 2
    for image, label in zip(images, labels, strict=True):
        row, column = random.integers(2, 5, size=2)
        height, width = (6, 2) if label else (2, 6)
        image[row : row + height, column : column + width] = 200
    bars = {"x_train": images[:200], "y_train": labels[:200]}
    bars |= {"x_test": images[200:], "y_test": labels[200:]}
    _, record = train_classifier(make_image_data(bars, 2, "bars"), "bars", 0)
    assert record.num_test == 100
    assert record.test_accuracy > 0.9


@pytest.mark.network
def test_the_features_see_what_eyes_see():
    """The more noise, blur or shift, the larger the distance; a missing class shows too."""
    digits = load_dataset(DataConfig())
    classifier = load_classifier(SHIPPED)
    target = moments(classifier(digits.x_test[:2500]).features)
    real, labels = digits.x_train[:500], digits.y_train[:500]
    random = np.random.default_rng(0)

    def distance(images):
        images = np.clip(images, 0, 255).astype(np.uint8)
        return frechet_distance(moments(classifier(images).features), target)

    def noisy(level):
        return real + random.normal(0, level, real.shape)

    def blurred(width):
        return gaussian_filter(real.astype(float), (0, width, width, 0))

    floor = distance(real)
    for damage, levels in (
        (noisy, (10, 20, 40)),
        (blurred, (0.5, 0.8, 1.2)),
        (lambda shift: np.roll(real, shift, axis=2), (2, 3, 5)),
    ):
        distances = [floor, *(distance(damage(level)) for level in levels)]
        assert distances == sorted(distances)
        assert distances[-1] > 5 * floor
    assert distance(real[labels != 7]) > 1.5 * floor


@pytest.mark.usefixtures("quick_and_apart")
def test_images_without_labels_are_refused(tmp_path, capsys):
    path = tmp_path / "plain.npz"
    np.savez(path, x_train=np.zeros((20, 8, 8), np.uint8))
    assert main(["--path", str(path)]) == 2
    assert "expected images with labels" in capsys.readouterr().err
    images = load_dataset(DataConfig(path=str(path)))
    assert isinstance(images, ImageData)
    with pytest.raises(UserError, match="have none"):
        classifier_for(images, DataConfig(path=str(path)))


@pytest.mark.parametrize("options", [["--out", "x.txt"], ["--image-size", "3"]])
def test_wrong_options_are_one_sentence(tiny_data, options, capsys):
    assert main(["--path", str(tiny_data), *options]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_shifts_move_images_on_black_and_differ():
    images = np.zeros((64, 9, 9, 1), np.uint8)
    images[:, 4, 4] = 200
    shifted = random_shift(0, 2)(images, 5).numpy()
    assert (shifted.reshape(64, -1).sum(axis=1) == 200).all()
    places = {tuple(place[:2]) for place in np.argwhere(shifted.max(axis=3))[:, 1:]}
    assert {row for row, _ in places} == {2, 3, 4, 5, 6}
    assert {column for _, column in places} == {2, 3, 4, 5, 6}
    np.testing.assert_array_equal(random_shift(0, 2)(images, 5), shifted)
    assert (random_shift(0, 2)(images, 6) != shifted).numpy().any()


def test_the_floor_halves_the_errors_of_guessing():
    assert training.accuracy_floor(np.array([0, 0, 0, 1])) == pytest.approx(0.875)
    assert training.accuracy_floor(np.arange(10)) == pytest.approx(0.55)


@pytest.mark.usefixtures("quick_and_apart")
def test_a_classifier_below_its_floor_is_not_used(tiny_data, data, monkeypatch, capsys):
    monkeypatch.setattr(training, "accuracy_floor", lambda labels: 0.999)
    assert main(["--data", str(tiny_data)]) == 0
    assert "below the 100% that scores need, so it is not used" in capsys.readouterr().out
    with pytest.raises(UserError, match="expected a classifier that is right on 100% of held-out"):
        classifier_for(data, DataConfig(path=str(tiny_data)))


@pytest.mark.parametrize(
    ("named", "dataset", "path"),
    [("fashion_mnist", "fashion_mnist", None), ("x.npz", "mnist", "x.npz"), ("idx", "mnist", "idx"),
     ("pictures", "image_folder", "pictures")],
)  # fmt: skip
def test_one_way_to_name_data(tmp_path, monkeypatch, named, dataset, path):
    monkeypatch.chdir(tmp_path)
    for place in ("idx/train-images-idx3-ubyte", "pictures/cats/1.png"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(b"")
    assert data_of(named, "mnist", None) == {"dataset": dataset, "path": path}


def test_the_command_for_a_folder_is_told_whole():
    config = DataConfig(dataset="image_folder", path="my cats", image_size=32, labels="x.csv")
    assert options_of(config) == ["--data 'my cats'", "--image-size 32", "--labels x.csv"]
