import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from sample_quality.image_scores import score_images
from sample_quality.protocol import METRICS, Protocol, Quality, Score, read_quality, write_quality
from sample_quality.table import columns, format_comparison, format_scores
from training_run.errors import UserError

NUM_CLASSES = 4


class BrightnessClassifier:
    """Four classes by the bright quadrant; features are the quadrants' mean levels."""

    record = SimpleNamespace(test_accuracy=0.99)
    features_name, features_sha256 = "quadrants classifier", "ab" * 32
    knows_classes = True

    def __call__(self, images):
        x = images[..., 0].reshape(len(images), 2, 3, 2, 3).mean(axis=(2, 4)).reshape(-1, 4) / 255
        odds = np.exp(20 * x)
        probabilities = odds / odds.sum(axis=1, keepdims=True)
        return SimpleNamespace(
            features=x.astype(np.float32),
            probabilities=probabilities,
            classes=probabilities.argmax(axis=1),
        )


def make_images(random, classes):
    images = random.integers(0, 80, (len(classes), 6, 6, 1), dtype=np.uint8)
    for image, label in zip(images, classes, strict=True):
        row, column = 3 * (label // 2), 3 * (label % 2)
        image[row : row + 3, column : column + 3] += 120
    return images


@pytest.fixture(scope="module")
def real_sets():
    random = np.random.default_rng(0)
    test, train = (make_images(random, np.arange(n) % NUM_CLASSES) for n in (400, 900))
    return test, train


@pytest.fixture(scope="module")
def new_images():
    classes = np.arange(300) % NUM_CLASSES
    return make_images(np.random.default_rng(1), classes), classes


@pytest.fixture(scope="module")
def scores(real_sets, new_images):
    images, labels = new_images
    return score_images(images, *real_sets, BrightnessClassifier(), labels=labels, seed=3)


def test_every_score_is_there_with_all_that_it_must_carry(scores, real_sets):
    assert list(scores) == [name for name in METRICS if name in scores]
    assert len(scores) == 15
    for name, score in scores.items():
        # 300 images are too few for the interval of a score of neighbours.
        if name in ("precision", "recall", "density", "coverage"):
            assert score.interval is None
        else:
            low, high = score.interval
            assert low <= score.value <= high, name
        assert isinstance(score.floor, float)
        assert (score.protocol.seed, score.protocol.num_generated) == (3, 300)
    test, train = real_sets
    by_features = scores["frechet_distance"].protocol
    assert (by_features.features, by_features.features_sha256) == (
        "quadrants classifier",
        "ab" * 32,
    )
    assert (by_features.split, by_features.num_real) == ("test", len(test))
    copies = scores["memorized"].protocol
    assert (copies.features, copies.split, copies.num_real) == ("pixels", "train", len(train))
    assert copies.real_sha256 != by_features.real_sha256


def test_new_real_images_score_like_the_floor(scores):
    for name, score in scores.items():
        assert score.value == pytest.approx(score.floor, abs=0.1), name
    assert scores["frechet_distance"].value < 0.01
    assert scores["conditional_accuracy"].value > 0.95
    assert scores["class_imbalance"].parts == pytest.approx((0.25,) * 4, abs=0.02)


def test_what_is_wrong_shows_in_the_score_that_is_for_it(real_sets, new_images, scores):
    images, labels = new_images
    classifier = BrightnessClassifier()
    dark = score_images(images // 3, *real_sets, classifier)
    assert dark["frechet_distance"].interval[0] > 10 * scores["frechet_distance"].floor
    assert dark["kernel_distance"].interval[0] > scores["kernel_distance"].interval[1]
    assert dark["precision"].value == 0.0
    one_class = score_images(images[labels == 2], *real_sets, classifier)
    assert one_class["missing_classes"].value == 3
    assert one_class["class_imbalance"].value == pytest.approx(0.75)
    assert one_class["coverage"].value < 0.4
    assert one_class["classifier_score"].value < 1.2 < 3 < one_class["classifier_score"].floor
    wrong = score_images(images, *real_sets, classifier, labels=(labels + 1) % 4)
    assert wrong["conditional_accuracy"].value < 0.05
    assert wrong["conditional_accuracy"].floor == 0.99


def test_copies_are_found(real_sets, new_images):
    test, train = real_sets
    images = new_images[0].copy()
    images[:30] = train[100:130]
    images[50:60] = images[40:50]
    scores = score_images(images, test, train)
    assert list(scores) == ["sharpness", "fine_detail", "contrast", "memorized", "duplicated"]
    assert scores["memorized"].value == pytest.approx(0.1)
    assert scores["memorized"].floor == 0.0
    assert scores["duplicated"].value == pytest.approx(20 / 300)


def test_few_held_out_images_do_not_make_copies_rarer(real_sets, new_images):
    """All samples are looked at, also those beyond the number of held-out images."""
    test, train = real_sets
    images = new_images[0].copy()
    images[200:230] = train[100:130]
    memorized = score_images(images, test[:40], train)["memorized"]
    assert memorized.value == pytest.approx(0.1)
    assert (memorized.floor, memorized.protocol.num_generated) == (0.0, 300)


def test_shares_have_exact_intervals(scores):
    """No hit among n: 0 to 1 - 0.025^(1/n); duplicates come in pairs."""
    assert (scores["memorized"].value, scores["duplicated"].value) == (0.0, 0.0)
    for name, num in (("memorized", 300), ("duplicated", 150)):
        low, high = scores[name].interval
        assert low == 0.0 and high == pytest.approx(1 - 0.025 ** (1 / num), rel=1e-9)
    low, high = scores["conditional_accuracy"].interval
    assert 0.9 < low < high < 1.0 or scores["conditional_accuracy"].value == high == 1.0
    assert scores["missing_classes"].interval == (0.0, 0.0)
    assert scores["duplicated"].protocol == Protocol("pixels", "", "", "", 0, 300, 3)


def test_the_scores_of_neighbours_have_intervals_for_enough_images(real_sets):
    random = np.random.default_rng(4)
    real, images, train = (make_images(random, np.arange(n) % 4) for n in (600, 500, 600))
    scores = score_images(images, real, train, BrightnessClassifier())
    for name in ("precision", "recall", "density", "coverage"):
        low, high = scores[name].interval
        assert low < scores[name].value < high or high == 1.0
        assert 0.01 < high - low < 0.5


def test_the_same_seed_gives_the_same_scores(real_sets, new_images, scores):
    images, labels = new_images
    again = score_images(images, *real_sets, BrightnessClassifier(), labels=labels, seed=3)
    assert again == scores
    other = score_images(images, *real_sets, BrightnessClassifier(), labels=labels, seed=4)
    assert other["frechet_distance"].value == scores["frechet_distance"].value
    assert other["frechet_distance"].floor != scores["frechet_distance"].floor


def test_more_images_than_could_stand_in_for_them_are_refused(real_sets):
    test, train = real_sets
    with pytest.raises(ValueError, match="as many training images"):
        score_images(test, test, train[:100])


def test_the_file_gives_back_what_was_written(tmp_path, scores):
    about = {"run": "00001-x", "network": "g.keras", "network_sha256": "0f", "notes": ["a"]}
    quality = Quality(scores, about)
    write_quality(tmp_path / "quality.json", quality)
    assert read_quality(tmp_path / "quality.json") == quality


def test_a_score_that_is_not_finite_is_not_written(tmp_path, scores):
    nan = dataclasses.replace(scores["recall"], value=float("nan"))
    with pytest.raises(UserError, match="expected finite numbers to write"):
        write_quality(tmp_path / "quality.json", Quality({"recall": nan}, {}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", '{"format": 99}', '{"format": 1, "scores": {"a": 1}}'])
def test_a_damaged_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "quality.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"quality\.json: "):
        read_quality(path)


PROTOCOL = Protocol("pixels", "", "test", "cd" * 32, 100, 50, 0)


def test_scores_of_different_protocols_are_never_in_one_column():
    other = dataclasses.replace(PROTOCOL, num_generated=60)
    runs = {
        "a": {"precision": Score(0.5, (0.4, 0.6), 0.9, PROTOCOL)},
        "b": {"precision": Score(0.625, (0.5, 0.75), 0.8, other)},
        "c": {"precision": Score(0.75, (0.65, 0.85), 0.9, PROTOCOL)},
    }
    found = columns(runs)
    assert [list(column.scores) for column in found] == [["a", "c"], ["b"]]
    assert [column.floor for column in found] == [0.9, 0.8]
    lines = format_comparison(runs).splitlines()
    assert lines[0].split() == ["precision", "[1]", "precision", "[2]"]
    assert lines[1].split() == ["a", "0.5", "±", "0.1", "-"]
    assert lines[2].split() == ["b", "-", "0.625", "±", "0.12"]
    assert lines[4].split() == ["real", "images", "0.9", "0.8"]
    assert lines[6:] == [f"[1] {PROTOCOL}", f"[2] {other}"]


def test_the_table_of_a_run(scores):
    text = format_scores(scores)
    assert text.count("300 samples against 400 real images (test ") == 1
    assert "among 300 samples, by pixels, seed 3" in text
    assert "\n300 samples, each image by itself, seed 3\n" in text
    (recall,) = [line for line in text.splitlines() if line.startswith("recall")]
    assert recall.split()[2:4] == ["-", f"{scores['recall'].floor:.4g}"]
    assert "300 samples against 900 real images (train " in text
    for name in scores:
        assert METRICS[name].label in text
    assert "share of each class: 25.0%  25.0%  25.0%  25.0%" in text
    text = format_scores(scores, ["ape", "cat", "dog", "ewe"])
    assert "share of each class: ape 25.0%  cat 25.0%  dog 25.0%  ewe 25.0%" in text
