"""Sentences from numbers made by hand."""

import dataclasses
from types import SimpleNamespace

import pytest

from gan_vs_vae import findings
from gan_vs_vae.faults import find_faults
from gan_vs_vae.pooling import Entry, PooledScore, ScoreRow
from gan_vs_vae.ranking import rank
from gan_vs_vae.verdict import find_verdict
from sample_quality.protocol import Protocol
from training_run.run_folder.environment import Hardware

PROTOCOL = Protocol("mnist classifier", "f" * 64, "test", "e" * 64, 10_000, 10_000, 0)


def pooled(value, margin=0.1, parts=()):
    return PooledScore(value, value - margin, value + margin, None, 1, parts)


def row(name, floor=0.0, protocol=PROTOCOL, **scores):
    return ScoreRow(name, protocol, floor, scores)


def run(seconds=100.0, step=10, total=10, hardware="one", mirror=False, shift=None):
    return SimpleNamespace(
        seconds=seconds,
        step=step,
        total_steps=total,
        is_unfinished=step < total,
        environment=hardware and SimpleNamespace(hardware=Hardware(processor=hardware)),
        settings=SimpleNamespace(data=SimpleNamespace(mirror=mirror, mirror_and_shift=shift)),
        spec=SimpleNamespace(class_names=None),
    )


def test_ranking_by_intervals():
    cells = {"a": pooled(3), "b": pooled(1), "c": pooled(1.15), "d": pooled(2)}
    assert rank(cells, "lower") == ("b", ("c",), ("d", "a"))
    assert rank(cells, "higher") == ("a", (), ("d", "c", "b"))


def verdict(*rows, faults=None):
    """The verdict on what the rows score, and what disputes it."""
    titles = list(rows[0].scores)
    return find_verdict(titles, rows, faults or {title: {} for title in titles})


DISTANCE = row("frechet_distance", 0.16, a=pooled(8), b=pooled(31))


def test_samples_are_closer_where_a_second_measure_agrees():
    coverage = row("coverage", 0.9, a=pooled(0.6, 0.01), b=pooled(0.2, 0.01))
    assert verdict(DISTANCE, coverage) == (
        "The samples of a are closer to real images: the Fréchet distance (8 against 31; real "
        "images 0.160) and coverage (0.600 against 0.200; real images 0.900) agree.",
        (),
    )


def test_one_measure_alone_decides_nothing():
    tied = row("precision", 0.9, a=pooled(0.6), b=pooled(0.65))
    text, _ = verdict(DISTANCE, tied)
    assert "no second measure agrees" in text


def test_a_measure_that_says_otherwise_is_named():
    precision = row("precision", 0.9, a=pooled(0.5, 0.01), b=pooled(0.7, 0.01))
    text, disputed_by = verdict(DISTANCE, precision)
    assert text.startswith("The measures disagree on which samples are closer to real images: ")
    assert "distance those of a (8 against 31; real images 0.160), by precision, b (0.700" in text
    assert disputed_by == ("precision",)


def test_more_precision_than_real_images_have_is_no_merit():
    above = row("precision", 0.7, a=pooled(0.72, 0.01), b=pooled(0.9, 0.01))
    assert "no second measure agrees" in verdict(DISTANCE, above).text


def test_sharpness_that_looks_the_same_has_no_say():
    alike = row("sharpness", 0.77, a=pooled(0.72, 0.001), b=pooled(0.765, 0.001))
    assert "no second measure agrees" in verdict(DISTANCE, alike).text
    blurred = row("sharpness", 0.77, a=pooled(0.5, 0.001), b=pooled(0.765, 0.001))
    assert verdict(DISTANCE, blurred).disputed_by == ("sharpness",)


def test_where_sharpness_and_fine_detail_differ_neither_speaks_against_it():
    coverage = row("coverage", 0.9, a=pooled(0.6, 0.01), b=pooled(0.2, 0.01))
    sharp = row("sharpness", 0.77, a=pooled(0.5, 0.001), b=pooled(0.765, 0.001))
    fine = row("fine_detail", 0.1, a=pooled(0.07, 0.001), b=pooled(0.8, 0.001))
    assert verdict(DISTANCE, coverage, sharp, fine).text.startswith("The samples of a are closer")


def test_copies_are_not_called_better():
    coverage = row("coverage", 0.9, a=pooled(0.9, 0.01), b=pooled(0.2, 0.01))
    text, _ = verdict(DISTANCE, coverage, faults={"a": {"copies": "..."}, "b": {}})
    assert text == (
        "The Fréchet distance and coverage are in favour of a, but its samples are copies of "
        "training images: they are not called better."
    )


def test_there_is_no_clear_difference_between_overlapping_intervals():
    text, _ = verdict(row("frechet_distance", a=pooled(8), b=pooled(8.15), c=pooled(12)))
    assert text == (
        "There is no clear difference in Fréchet distance between a and b: the intervals "
        "overlap; it is higher for c."
    )


def test_scores_of_different_protocols_are_not_compared():
    other = dataclasses.replace(PROTOCOL, num_generated=500)
    rows = [
        row("frechet_distance", 1.0, a=pooled(8)),
        row("frechet_distance", 1.0, protocol=other, b=pooled(31)),
    ]
    assert find_verdict(["a", "b"], rows, {"a": {}, "b": {}}) is None
    first, second = findings.measures(rows)
    assert first.endswith("real images: a 8 (7.90 to 8.10); real images 1.")
    assert second.endswith("real images: b 31 (30.9 to 31.1); real images 1.")


def test_a_measure_is_its_meaning_and_its_numbers_without_praise():
    rows = [row("precision", 0.85, a=pooled(0.8, 0.01), b=pooled(0.9, 0.01))]
    assert findings.measures(rows) == [
        "Precision is the share of samples inside the reference's neighbourhoods, and says nothing "
        "of sharpness: b 0.900 (0.890 to 0.910) and a 0.800 (0.790 to 0.810); real images 0.850. "
        "More than that of real images (b) is no merit: such samples gather where real images are "
        "most alike."
    ]


def test_missing_and_unequal_classes():
    parts = (0.0, 0.5, 0.3, 0.2)
    rows = [
        row("missing_classes", a=pooled(1, 0, parts), b=pooled(0, 0, parts)),
        row("class_imbalance", 0.02, a=pooled(0.3, 0.01, parts), b=pooled(0.3, 0.01, parts)),
    ]
    faults = find_faults(rows)
    assert faults["a"] == {
        "missing": "a hardly generates 1 of 4 classes (0): each has less than a tenth of an equal "
        "share."
    }
    assert findings.classes(rows, faults) == [
        "The classifier finds every class among the samples of b.",
        "The classes are less equal than those of real images. b: the most frequent class is 1 "
        "(50.0%), the least frequent is 0 (0%).",
    ]


def test_classes_go_by_their_names_where_they_have_some():
    parts, names = (0.0, 0.5, 0.3, 0.2), ("cat", "dog", "hen", "cow")
    rows = [
        row("missing_classes", a=pooled(1, 0, parts), b=pooled(0, 0, parts)),
        row("class_imbalance", 0.02, a=pooled(0.3, 0.01, parts), b=pooled(0.3, 0.01, parts)),
    ]
    faults = find_faults(rows, names)
    assert "1 of 4 classes (cat)" in faults["a"]["missing"]
    assert findings.classes(rows, faults, names)[1].endswith(
        "b: the most frequent class is dog (50.0%), the least frequent is cat (0%)."
    )
    rows = [row("class_imbalance", 0.02, a=pooled(0.72, 0.01, (0.03, 0.97)))]
    assert find_faults(rows, names)["a"]["one class"].endswith("are of one class: dog.")


def test_of_one_class_the_missing_ones_are_not_listed():
    parts = (0.01, 0.97, 0.01, 0.01)
    rows = [
        row("missing_classes", a=pooled(3, 0, parts)),
        row("class_imbalance", 0.02, a=pooled(0.72, 0.01, parts)),
    ]
    assert list(find_faults(rows)["a"].values()) == [
        "Of the samples of a, 97.0% are of one class: 1."
    ]


def test_copies_count_only_beyond_those_of_real_images():
    rows = [
        row("memorized", 0.1, a=pooled(0, 0), b=pooled(0.15), c=pooled(0.5)),
        row("duplicated", a=pooled(0, 0), b=pooled(0.005, 0.001), c=pooled(0, 0)),
    ]
    faults = find_faults(rows)
    assert faults == {
        "a": {},
        "b": {},
        "c": {
            "copies": "Of the samples of c, 50.0% (real images: 10.0%) are copies of training "
            "images."
        },
    }
    assert findings.copies([Entry("a", (run(),))], rows, faults) == [
        "A comparison of pixels finds no copy of a training image among 10,000 samples of a."
    ]


def test_copies_of_mirrored_images_cannot_be_found():
    rows = [row("memorized", a=pooled(0, 0))]
    for changed in (run(shift=3), run(mirror=True)):
        (sentence,) = findings.copies([Entry("a", (changed,))], rows, {"a": {}})
        assert sentence.endswith("mirrored or shifted for the training.)")


@pytest.mark.parametrize(
    ("sharpness", "detail", "kind"),
    [
        (0.5, 0.05, "blurred"),
        (0.5, 0.12, None),  # noise on soft edges, say: the two do not agree
        (0.65, 0.08, "blurred"),  # in words, softer
        (0.72, 0.05, None),  # within a tenth: it looks the same
        (0.74, 0.2, "grainy"),
        (0.95, 0.2, "hard edges"),
        (0.95, 0.75, "noise"),
    ],
)
def test_blur_noise_and_hard_edges_take_two_scores(sharpness, detail, kind):
    rows = [
        row("sharpness", 0.77, a=pooled(sharpness, 0.001)),
        row("fine_detail", 0.11, a=pooled(detail, 0.001)),
    ]
    assert list(find_faults(rows)["a"]) == ([kind] if kind else [])


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
        (run(300.0, hardware=None), "hardware is not recorded"),
    ],
)
def test_times_that_do_not_differ_or_cannot_be_compared(other, words):
    (sentence,) = findings.times([Entry("a", (run(100.0),)), Entry("b", (other,))])
    assert words in sentence
    assert "times as long" not in sentence


def test_an_unfinished_run_is_named_and_its_time_is_left_out():
    entries = [Entry("a", (run(),)), Entry("b", (run(step=4_000, total=10_000),))]
    assert findings.find_all(entries, []) == [
        ("The training of b is not finished: step 4,000 of 10,000.", False)
    ]


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
        "Under the learned prior of vae, test images are more probable than under N(0, I), by 16.7 "
        "nats each: −log p(x) is −583 against −566."
    )
    assert findings.learned_priors(rows[:2]) == []


def test_without_intervals_no_difference_is_clear():
    infinite = pooled(9, margin=float("inf"))
    rows = [row("recall", 0.8, a=infinite), row("coverage", 0.8, a=infinite)]
    assert find_faults([row("duplicated", a=infinite), *rows]) == {"a": {}}
    assert findings.variety(rows, {"a": {}}) == []
