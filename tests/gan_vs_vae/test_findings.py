"""Sentences from numbers made by hand."""

import dataclasses
from types import SimpleNamespace

import pytest

from gan_vs_vae import findings
from gan_vs_vae.pooling import Entry, Measured, Row
from sample_quality.protocol import Protocol

PROTOCOL = Protocol("mnist classifier", "f" * 64, "test", "e" * 64, 10_000, 10_000, 0)


def measured(value, margin=0.1, parts=()):
    return Measured(value, value - margin, value + margin, None, 1, parts)


def row(name, floor=0.0, protocol=PROTOCOL, **cells):
    return Row(name, protocol, floor, cells)


def run(seconds=100.0, step=10, total=10, hardware="one", mirrored=None):
    return SimpleNamespace(
        seconds=seconds,
        step=step,
        total_steps=total,
        is_unfinished=step < total,
        environment={"hardware": {"processor": hardware}},
        settings=SimpleNamespace(data=SimpleNamespace(mirror_and_shift=mirrored)),
    )


def test_ranking_by_intervals():
    cells = {"a": measured(3), "b": measured(1), "c": measured(1.15), "d": measured(2)}
    assert findings.rank(cells, "lower") == ("b", ("c",), ("d", "a"))
    assert findings.rank(cells, "higher") == ("a", (), ("d", "c", "b"))


def test_a_clear_difference_in_frechet_distance_is_stated():
    first, second = findings.frechet([row("frechet_distance", 0.16, a=measured(8), b=measured(31))])
    assert first.startswith("a has the lower Fréchet distance, 8 (7.90 to 8.10), against b, 31 (")
    assert "get 0.16" in second
    assert "neither comes to that" in second


def test_overlapping_intervals_cannot_be_told_apart():
    (sentence, _) = findings.frechet([row("frechet_distance", a=measured(8), b=measured(8.15))])
    assert "a and b cannot be told apart" in sentence
    assert "lower" not in sentence


def test_of_three_the_tied_and_the_one_behind():
    cells = {"a": measured(8), "b": measured(8.1), "c": measured(12)}
    (sentence, _) = findings.frechet([row("frechet_distance", **cells)])
    assert "a and b cannot be told apart" in sentence
    assert "Farther from real images: c, 12 (" in sentence


def test_reaching_the_floor_is_not_denied():
    (_, sentence) = findings.frechet([row("frechet_distance", 7.95, a=measured(8))])
    assert "does not come" not in sentence


def test_precision_and_recall_can_point_in_opposite_directions():
    rows = [
        row("precision", a=measured(0.8, 0.01), b=measured(0.6, 0.01)),
        row("recall", a=measured(0.3, 0.01), b=measured(0.5, 0.01)),
    ]
    (sentence,) = findings.precision_and_recall(rows)
    assert "what a draws looks real (precision 0.800 against 0.600)" in sentence
    assert "b has more of the variety of real images (recall 0.500 against 0.300)" in sentence


def test_one_can_be_ahead_in_both():
    rows = [
        row(name, a=measured(0.8, 0.01), b=measured(0.6, 0.01)) for name in ("precision", "recall")
    ]
    (sentence,) = findings.precision_and_recall(rows)
    assert sentence.startswith("a is ahead both")


def test_a_tie_in_recall_leaves_the_precision():
    rows = [
        row("precision", a=measured(0.8, 0.01), b=measured(0.6, 0.01)),
        row("recall", a=measured(0.5), b=measured(0.51)),
    ]
    first, second = findings.precision_and_recall(rows)
    assert first.startswith("a has the higher precision, 0.800 against 0.600")
    assert second == "In recall b and a cannot be told apart (0.510 and 0.500)."


def test_precision_and_recall_of_one_run_say_nothing():
    rows = [row("precision", a=measured(0.8)), row("recall", a=measured(0.8))]
    assert findings.precision_and_recall(rows) == []


def test_missing_and_uneven_classes():
    parts = (0.0, 0.5, 0.3, 0.2)
    rows = [
        row("missing_classes", a=measured(1, 0, parts), b=measured(0, 0)),
        row("class_imbalance", 0.02, a=measured(0.3, 0.01, parts), b=measured(0.025, 0.01, parts)),
    ]
    assert findings.classes(rows) == [
        "Every class appears among the samples of b.",
        "a misses 1 of 4 classes.",
        "Classes come less evenly than among real images: a draws class 1 most often (50.0%), "
        "class 0 least often (0%).",
    ]


def test_copies_count_only_beyond_those_of_real_images():
    rows = [
        row("memorized", 0.1, a=measured(0, 0), b=measured(0.15), c=measured(0.5)),
        row("duplicated", a=measured(0, 0)),
    ]
    entries = [Entry("a", (run(),))]
    assert findings.copies(entries, rows) == [
        "None of 10,000 samples of a is a copy of a training image.",
        "50.0% of the samples of c are copies of training images (of real images 10.0%).",
    ]


def test_copies_of_mirrored_images_would_not_be_noticed():
    rows = [row("memorized", a=measured(0, 0))]
    (sentence,) = findings.copies([Entry("a", (run(mirrored=3),))], rows)
    assert sentence.endswith("such a copy would not be noticed.)")


def test_times_on_one_machine():
    entries = [Entry("a", (run(300.0),)), Entry("b", (run(100.0), run(140.0)))]
    (sentence,) = findings.times(entries)
    assert sentence == (
        "Training took 5 min 0 s for a and 2 min 0 s for b; a 2.5 times as long as b."
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (run(105.0), "about the same time"),
        (run(300.0, hardware="two"), "on different machines"),
    ],
)
def test_times_that_do_not_differ_or_cannot_be_compared(other, words):
    (sentence,) = findings.times([Entry("a", (run(100.0),)), Entry("b", (other,))])
    assert words in sentence
    assert "times as long" not in sentence


def test_an_unfinished_run_is_said_to_be_one_and_its_time_is_left_out():
    entries = [Entry("a", (run(),)), Entry("b", (run(step=4_000, total=10_000),))]
    assert findings.find_all(entries, []) == ["b is not trained to its end: step 4,000 of 10,000."]


def test_scores_of_different_protocols_are_not_compared():
    other = dataclasses.replace(PROTOCOL, num_generated=500)
    rows = [
        row("frechet_distance", 1.0, a=measured(8)),
        row("frechet_distance", 1.0, protocol=other, b=measured(31)),
    ]
    sentences = findings.frechet(rows)
    assert "The Fréchet distance of a is 8 (7.90 to 8.10)." in sentences
    assert "The Fréchet distance of b is 31 (30.9 to 31.1)." in sentences
    assert not any("against" in sentence for sentence in sentences)
