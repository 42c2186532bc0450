"""The findings of a report: sentences computed from the scores.

A sentence states a difference only if the 95% intervals do not overlap. (This is stricter than a
test at 5%, since a reader makes several comparisons at once.) For several seeds, the interval
covers those of all seeds, so the difference holds for each seed.
"""

import math
from typing import NamedTuple

from gan_vs_vae.wording import duration, interval, join_with_and, number, percent
from sample_quality.priors import SUFFIX

PRIOR_SCORES = {
    "frechet_distance": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
}
"""Scores that samples of N(0, I) have as well, where a prior is learned."""

SAME_TIME = 1.1
"""Times within 10% are about the same: one machine varies as much."""


class Ranking(NamedTuple):
    """Titles of entries, ranked by one score: the best, those whose intervals overlap its interval,
    and the others, the better ones first."""

    best: str
    tied: tuple
    behind: tuple


def rank(scores, better):
    """The `Ranking` of one or more entries, by title to `PooledScore`; `better` is "lower" or
    "higher"."""
    sign = 1 if better == "lower" else -1
    first, *others = sorted(scores, key=lambda title: sign * scores[title].value)
    best = scores[first]

    def overlaps(title):
        return scores[title].low <= best.high and best.low <= scores[title].high

    return Ranking(
        first,
        tuple(title for title in others if overlaps(title)),
        tuple(title for title in others if not overlaps(title)),
    )


def find_all(entries, rows):
    """All sentences on a list of `Entry` and their `ScoreRow`s, the most important first."""
    return [
        *unfinished(entries),
        *frechet(rows),
        *learned_priors(rows),
        *precision_and_recall(rows),
        *classes(rows),
        *copies(entries, rows),
        *times(entries),
    ]


def _rows_of(rows, name):
    """The rows of one score: several if runs were scored by different protocols."""
    return [row for row in rows if row.name == name]


def unfinished(entries):
    """A sentence for each run that has not reached its last step."""
    return [
        f"The training of {entry.title} is not finished: step {run.step:,} of {run.total_steps:,}."
        for entry in entries
        for run in entry.runs
        if run.is_unfinished
    ]


def frechet(rows):
    """The order of the entries in Fréchet distance, and the distance of real images."""
    meaning = "the features of its samples are distributed more like those of real images"
    sentences = []
    for row in _rows_of(rows, "frechet_distance"):
        sentences.append(_compare(row, "Fréchet distance", "lower", meaning))
        if row.floor is not None:
            sentences.append(_against_floor(row))
    return sentences


def _against_floor(row):
    floor = f"Real training images in place of samples have a distance of {number(row.floor)}"
    above = [title for title, score in row.scores.items() if score.low > row.floor]
    if len(above) < len(row.scores):
        return f"{floor}."
    distances = "the distance is" if len(above) == 1 else "all distances are"
    return f"{floor}; {distances} larger than that."


def learned_priors(rows):
    """What N(0, I) would have given in place of a learned prior, and what that gained in nats."""
    values = {(row.name, title): one.value for row in rows for title, one in row.scores.items()}
    sentences = []
    for title in dict.fromkeys(title for name, title in values if name.endswith(SUFFIX)):
        pairs = [
            f"{label} {number(values[name, title])} "
            f"(N(0, I): {number(values[name + SUFFIX, title])})"
            for name, label in PRIOR_SCORES.items()
            if (name + SUFFIX, title) in values
        ]
        sentences.append(
            f"The samples of {title} come from a prior that was fitted to its codes: "
            f"{join_with_and(pairs)}."
        )
    learned = "negative_log_likelihood_learned_prior"
    for title in (title for name, title in values if name == learned):
        before, after = values["negative_log_likelihood", title], values[learned, title]
        change = "more" if after <= before else "less"
        sentences.append(
            f"The learned prior of {title} gives test images {number(abs(before - after))} nats "
            f"{change} than N(0, I): −log p(x) is {number(after)} against {number(before)}."
        )
    return sentences


def precision_and_recall(rows):
    """The order of the entries in precision and in recall: the two often differ."""
    meanings = {
        "precision": "more of its samples have features close to those of real images",
        "recall": "more real images have features close to those of its samples",
    }
    return [
        _compare(row, name, "higher", meaning)
        for name, meaning in meanings.items()
        for row in _rows_of(rows, name)
        if len(row.scores) > 1
    ]


def _compare(row, label, better, meaning):
    """The order of entries in one score; `meaning` is what a better score says of an entry."""
    best, tied, behind = rank(row.scores, better)
    values = {title: f"{number(one.value)} ({interval(one)})" for title, one in row.scores.items()}
    others = join_with_and([f"{title}, {values[title]}" for title in behind]) if behind else ""
    if tied:
        text = f"There is no clear difference in {label} between {join_with_and([best, *tied])}: "
        found = join_with_and([values[title] for title in (best, *tied)])
        is_known = all(math.isfinite(row.scores[title].low) for title in (best, *tied))
        text += f"the intervals of {found} overlap." if is_known else f"{found}."
        worse = {"lower": "higher", "higher": "lower"}[better]
        return text + (f" It is {worse} for {others}." if others else "")
    if not others:
        return f"The {label} of {best} is {values[best]}."
    degree = better if len(behind) == 1 else f"{better.removesuffix('er')}est"
    return f"{best} has the {degree} {label}, {values[best]}, against {others}: {meaning}."


def classes(rows):
    """Missing and unequal classes, as the classifier sees them."""
    sentences = []
    for row in _rows_of(rows, "missing_classes"):
        if complete := [title for title, score in row.scores.items() if score.high == 0]:
            titles = join_with_and(complete)
            sentences.append(f"The classifier finds every class among the samples of {titles}.")
        sentences += [
            f"{title} hardly generates {number(score.value)} of {len(score.parts)} classes: each "
            "has less than a tenth of an equal share."
            for title, score in row.scores.items()
            if score.low > 0
        ]
    for row in _rows_of(rows, "class_imbalance"):
        unequal = [
            _extreme_classes(title, score.parts)
            for title, score in row.scores.items()
            if score.low > row.floor
        ]
        if unequal:
            sentences.append(
                f"The classes are less equal than those of real images. {'; '.join(unequal)}."
            )
    return sentences


def _extreme_classes(title, shares):
    most, least = max(shares), min(shares)
    return (
        f"{title}: the most frequent class is {shares.index(most)} ({percent(most)}), the least "
        f"frequent is {shares.index(least)} ({percent(least)})"
    )


def copies(entries, rows):
    """Copies of training images, and samples that are nearly equal."""
    sentences = []
    for row in _rows_of(rows, "memorized"):
        clean = [title for title, score in row.scores.items() if score.value == 0]
        if clean:
            each = "each of" if len(clean) > 1 else "of"
            sentences.append(
                "A comparison of pixels finds no copy of a training image among "
                f"{row.protocol.num_generated:,} samples {each} {join_with_and(clean)}."
                f"{_missed_copies(entries, clean)}"
            )
        sentences += _more_than_real(row, "are copies of training images")
    for row in _rows_of(rows, "duplicated"):
        sentences += _more_than_real(row, "are nearly equal to another sample")
    return sentences


def _missed_copies(entries, titles):
    is_changed = any(
        entry.title in titles and entry.runs[0].settings.data.mirror_and_shift is not None
        for entry in entries
    )
    text = " (It cannot find copies of images that were mirrored or shifted for the training.)"
    return text if is_changed else ""


def _more_than_real(row, what):
    return [
        f"{percent(score.value)} of the samples of {title} {what} (real images: "
        f"{percent(row.floor)})."
        for title, score in row.scores.items()
        if score.low > row.floor
    ]


def times(entries):
    """Training times, and their ratio if the hardware is the same."""
    known = [entry for entry in entries if entry.seconds and not entry.is_unfinished]
    if len(known) < 2:
        return []
    texts = join_with_and([f"{duration(entry.seconds)} for {entry.title}" for entry in known])
    environments = [run.environment for entry in known for run in entry.runs]
    machines = {repr(environment and environment.hardware) for environment in environments}
    if len(machines) > 1:
        return [f"Training took {texts}. The recorded hardware is not the same."]
    fast, *_, slow = sorted(known, key=lambda entry: entry.seconds)
    ratio = slow.seconds / fast.seconds
    if ratio < SAME_TIME:
        return [f"Training took about the same time: {texts}."]
    return [f"Training took {texts}; {slow.title} took {ratio:.1f} times as long as {fast.title}."]
