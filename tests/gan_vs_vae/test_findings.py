"""Sentences from numbers made by hand."""

import dataclasses
from types import SimpleNamespace

import pytest

from gan_vs_vae import findings
from gan_vs_vae.pooling import Entry, PooledScore, ScoreRow
from sample_quality.protocol import Protocol
from training_run.run_folder.environment import Hardware

PROTOCOL = Protocol("mnist classifier", "f" * 64, "test", "e" * 64, 10_000, 10_000, 0)


def pooled(value, margin=0.1, parts=()):
    return PooledScore(value, value - margin, value + margin, None, 1, parts)


def row(name, floor=0.0, protocol=PROTOCOL, **scores):
    return ScoreRow(name, protocol, floor, scores)


def run(seconds=100.0, step=10, total=10, hardware="one", mirrored=None):
    return SimpleNamespace(
        seconds=seconds,
        step=step,
        total_steps=total,
        is_unfinished=step < total,
        environment=SimpleNamespace(hardware=Hardware(processor=hardware)),
        settings=SimpleNamespace(data=SimpleNamespace(mirror_and_shift=mirrored)),
    )


def test_ranking_by_intervals():
    cells = {"a": pooled(3), "b": pooled(1), "c": pooled(1.15), "d": pooled(2)}
    assert findings.rank(cells, "lower") == ("b", ("c",), ("d", "a"))
    assert findings.rank(cells, "higher") == ("a", (), ("d", "c", "b"))


def test_a_clear_difference_in_frechet_distance_is_stated():
    first, second = findings.frechet([row("frechet_distance", 0.16, a=pooled(8), b=pooled(31))])
    assert first.startswith("a has the lower Fréchet distance, 8 (7.90 to 8.10), against b, 31 (")
    assert "have a distance of 0.160; all distances are larger" in second


def test_there_is_no_clear_difference_between_overlapping_intervals():
    (sentence, _) = findings.frechet([row("frechet_distance", a=pooled(8), b=pooled(8.15))])
    assert "no clear difference in Fréchet distance between a and b" in sentence
    assert "lower" not in sentence


def test_of_three_the_tied_and_the_one_behind():
    scores = {"a": pooled(8), "b": pooled(8.1), "c": pooled(12)}
    (sentence, _) = findings.frechet([row("frechet_distance", **scores)])
    assert "between a and b: the intervals of 8 (7.90 to 8.10) and 8.10 (" in sentence
    assert "It is higher for c, 12 (" in sentence


def test_of_three_the_lowest():
    scores = {"a": pooled(8), "b": pooled(9), "c": pooled(12)}
    (sentence, _) = findings.frechet([row("frechet_distance", **scores)])
    assert sentence.startswith("a has the lowest Fréchet distance")


def test_a_distance_at_the_floor_is_not_called_larger():
    (_, sentence) = findings.frechet([row("frechet_distance", 7.95, a=pooled(8))])
    assert "larger" not in sentence


def test_precision_and_recall_can_point_in_opposite_directions():
    rows = [
        row("precision", a=pooled(0.8, 0.01), b=pooled(0.6, 0.01)),
        row("recall", a=pooled(0.3, 0.01), b=pooled(0.5, 0.01)),
    ]
    precision, recall = findings.precision_and_recall(rows)
    assert precision.startswith(
        "a has the higher precision, 0.800 (0.790 to 0.810), against b, 0.600 (0.590 to 0.610): "
    )
    assert recall.startswith("b has the higher recall, 0.500 (")


def test_a_tie_in_recall_leaves_the_precision():
    rows = [
        row("precision", a=pooled(0.8, 0.01), b=pooled(0.6, 0.01)),
        row("recall", a=pooled(0.5), b=pooled(0.51)),
    ]
    first, second = findings.precision_and_recall(rows)
    assert first.startswith("a has the higher precision, 0.800")
    assert second.startswith("There is no clear difference in recall between b and a: ")


def test_precision_and_recall_of_one_run_give_no_sentence():
    rows = [row("precision", a=pooled(0.8)), row("recall", a=pooled(0.8))]
    assert findings.precision_and_recall(rows) == []


def test_missing_and_unequal_classes():
    parts = (0.0, 0.5, 0.3, 0.2)
    rows = [
        row("missing_classes", a=pooled(1, 0, parts), b=pooled(0, 0)),
        row("class_imbalance", 0.02, a=pooled(0.3, 0.01, parts), b=pooled(0.025, 0.01, parts)),
    ]
    assert findings.classes(rows) == [
        "The classifier finds every class among the samples of b.",
        "a hardly generates 1 of 4 classes: each has less than a tenth of an equal share.",
        "The classes are less equal than those of real images. a: the most frequent class is 1 "
        "(50.0%), the least frequent is 0 (0%).",
    ]


def test_copies_count_only_beyond_those_of_real_images():
    rows = [
        row("memorized", 0.1, a=pooled(0, 0), b=pooled(0.15), c=pooled(0.5)),
        row("duplicated", a=pooled(0, 0)),
    ]
    entries = [Entry("a", (run(),))]
    assert findings.copies(entries, rows) == [
        "A comparison of pixels finds no copy of a training image among 10,000 samples of a.",
        "50.0% of the samples of c are copies of training images (real images: 10.0%).",
    ]


def test_copies_of_mirrored_images_cannot_be_found():
    rows = [row("memorized", a=pooled(0, 0))]
    (sentence,) = findings.copies([Entry("a", (run(mirrored=3),))], rows)
    assert sentence.endswith("mirrored or shifted for the training.)")


def test_times_on_one_machine():
    entries = [Entry("a", (run(300.0),)), Entry("b", (run(100.0), run(140.0)))]
    (sentence,) = findings.times(entries)
    assert sentence == (
        "Training took 5 min 0 s for a and 2 min 0 s for b; a took 2.5 times as long as b."
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (run(105.0), "about the same time"),
        (run(300.0, hardware="two"), "hardware is not the same"),
    ],
)
def test_times_that_do_not_differ_or_cannot_be_compared(other, words):
    (sentence,) = findings.times([Entry("a", (run(100.0),)), Entry("b", (other,))])
    assert words in sentence
    assert "times as long" not in sentence


def test_an_unfinished_run_is_named_and_its_time_is_left_out():
    entries = [Entry("a", (run(),)), Entry("b", (run(step=4_000, total=10_000),))]
    assert findings.find_all(entries, []) == [
        "The training of b is not finished: step 4,000 of 10,000."
    ]


def test_scores_of_different_protocols_are_not_compared():
    other = dataclasses.replace(PROTOCOL, num_generated=500)
    rows = [
        row("frechet_distance", 1.0, a=pooled(8)),
        row("frechet_distance", 1.0, protocol=other, b=pooled(31)),
    ]
    sentences = findings.frechet(rows)
    assert "The Fréchet distance of a is 8 (7.90 to 8.10)." in sentences
    assert "The Fréchet distance of b is 31 (30.9 to 31.1)." in sentences
    assert not any("against" in sentence for sentence in sentences)


def test_what_a_learned_prior_gives_is_said_in_scores_and_nats():
    rows = [
        row("frechet_distance", a=pooled(8), vae=pooled(1.31)),
        row("precision", a=pooled(0.9), vae=pooled(0.86)),
        row("frechet_distance_normal_prior", vae=pooled(27)),
        row("precision_normal_prior", vae=pooled(0.63)),
        row("negative_log_likelihood", vae=pooled(-566.1)),
        row("negative_log_likelihood_learned_prior", vae=pooled(-582.8)),
    ]
    samples, gain = findings.learned_priors(rows)
    assert samples == (
        "The samples of vae come from a prior that was fitted to its codes: Fréchet distance 1.31 "
        "(N(0, I): 27) and precision 0.860 (N(0, I): 0.630)."
    )
    assert gain == (
        "The learned prior of vae gives test images 16.7 nats more than N(0, I): −log p(x) is −583 "
        "against −566."
    )
    assert findings.learned_priors(rows[:2]) == []


def test_without_intervals_no_difference_is_clear():
    infinite = pooled(9, margin=float("inf"))
    (sentence,) = findings.precision_and_recall([row("recall", a=pooled(1), b=infinite)])
    assert sentence == (
        "There is no clear difference in recall between b and a: 9 (no interval) and 1 (0.900 to "
        "1.10)."
    )
    assert findings.copies([], [row("duplicated", a=infinite)]) == []
