"""The findings of a report: sentences computed from the scores.

First what a look at the samples shows, then the numbers, without praise: whether samples are closer
to real images is said in one place (`verdict.py`), where measures agree. A sentence states a
difference only if the 95% intervals do not overlap. (This is stricter than a test at 5%, since a
reader makes several comparisons at once.) For several seeds, the interval covers those of all
seeds, so the difference holds for each seed.
"""

from typing import NamedTuple

from gan_vs_vae.faults import LOOKS, find_faults, has_classes, read
from gan_vs_vae.verdict import TOLERANCES, find_verdict
from gan_vs_vae.wording import duration, interval, join_with_and, number, percent
from sample_quality.priors import SUFFIX

PRIOR_SCORES = {
    "frechet_distance": "Fréchet distance",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
}
"""Scores that samples of N(0, I) have as well, where a prior is learned."""

MEASURES = {
    "frechet_distance": (
        "The Fréchet distance is 0 if the features of samples are distributed as those of real "
        "images"
    ),
    "precision": (
        "Precision is the share of samples inside the reference's neighbourhoods, and says nothing "
        "of sharpness"
    ),
    "coverage": "Coverage is the share of real images with a sample nearby",
    "sharpness": "Sharpness is the share of the contrast that an edge crosses in a pixel",
}
"""Scores that have a sentence, and what they are."""

SHARES = ("precision", "recall", "coverage")
"""Scores that real images have most of."""

SHOWN = ("blurred", "noise", "grainy", "hard edges")
"""Faults that show in samples in the order of their sharpness."""

LITTLE_VARIETY = 0.75
"""Part of the recall and the coverage of real images below which samples are less varied."""

SAME_TIME = 1.1
"""Times within 10% are about the same: one machine varies as much."""


class Finding(NamedTuple):
    """A sentence, and True if samples in the order of their sharpness show what it says."""

    text: str
    shows_sharpness: bool = False


def find_all(entries, rows):
    """All `Finding`s on a list of `Entry` and their `ScoreRow`s, the most important first."""
    class_names = entries[0].runs[0].spec.class_names
    faults = find_faults(rows, class_names)
    more = [
        *variety(rows, faults),
        *classes(rows, faults, class_names),
        *measures(rows),
        *learned_priors(rows),
        *copies(entries, rows, faults),
        *times(entries),
    ]
    return [
        *map(Finding, unfinished(entries)),
        *verdicts(entries, rows, faults),
        *map(Finding, indistinguishable(rows, faults)),
        *(Finding(text, kind in SHOWN) for one in faults.values() for kind, text in one.items()),
        *map(Finding, more),
    ]


def verdicts(entries, rows, faults):
    """The `Finding` of `find_verdict`, in a list, if there are entries to compare."""
    titles = [entry.title for entry in entries]
    verdict = find_verdict(titles, rows, faults) if len(titles) > 1 else None
    if verdict is None:
        return []
    return [Finding(verdict.text, not {"sharpness", "fine_detail"}.isdisjoint(verdict.disputed_by))]


def indistinguishable(rows, faults):
    """A sentence on samples that no measure tells from real images."""
    titles = [
        title for title, scores in read(rows).items() if not faults[title] and _looks_real(scores)
    ]
    if not titles:
        return []
    return [f"No measure here tells the samples of {join_with_and(titles)} from real images."]


def _looks_real(scores):
    if "frechet_distance" not in scores:
        return False
    distance, *shares = (scores[name] for name in ("frechet_distance", *SHARES))
    return (
        distance.score.low <= distance.floor
        and all(share.score.high >= share.floor for share in shares)
        and all(
            abs(scores[name].score.value - scores[name].floor) <= margin * scores[name].floor
            for name, margin in TOLERANCES.items()
            if name in scores
        )
    )


def unfinished(entries):
    """A sentence for each run that has not reached its last step."""
    return [
        f"The training of {entry.title} is not finished: step {run.step:,} of {run.total_steps:,}."
        for entry in entries
        for run in entry.runs
        if run.is_unfinished
    ]


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
            f"Under the learned prior of {title}, test images are {change} probable than under "
            f"N(0, I), by {number(abs(before - after))} nats each: −log p(x) is {number(after)} "
            f"against {number(before)}."
        )
    return sentences


def variety(rows, faults):
    """Samples that leave out much of what real images show; both recall and coverage say so.

    It is not said of samples that look unlike real images: these are near to none for that reason.
    """
    sentences = []
    for title, scores in read(rows).items():
        pair = [scores[name] for name in ("recall", "coverage") if name in scores]
        is_little = all(one.score.high < LITTLE_VARIETY * one.floor for one in pair)
        if len(pair) == 2 and is_little and not faults[title].keys() & LOOKS:
            recall, coverage = (f"{number(one.score.value)} ({number(one.floor)})" for one in pair)
            sentences.append(
                f"The samples of {title} are less varied than real images: recall {recall} and "
                f"coverage {coverage}; in brackets those of real images."
            )
    return sentences


def classes(rows, faults, class_names=None):
    """What the classifier sees of classes, of samples that it can see."""
    scores = read(rows, class_names)
    known = [title for title in scores if "missing_classes" in scores[title]]
    sentences = [
        f"The classes of {title} say little: the classifier has not learned from such images."
        for title in known
        if not has_classes(scores[title])
    ]
    known = [title for title in known if has_classes(scores[title])]
    complete = [title for title in known if scores[title]["missing_classes"].score.high == 0]
    if complete:
        titles = join_with_and(complete)
        sentences.append(f"The classifier finds every class among the samples of {titles}.")
    unequal = [
        _extreme_classes(title, scores[title]["class_imbalance"])
        for title in complete
        if scores[title]["class_imbalance"].score.low > scores[title]["class_imbalance"].floor
    ]
    if unequal:
        sentences.append(
            f"The classes are less equal than those of real images. {'; '.join(unequal)}."
        )
    return sentences


def _extreme_classes(title, imbalance):
    shares = imbalance.score.parts
    most, least = max(shares), min(shares)
    names = [imbalance.name_of(shares.index(share)) for share in (most, least)]
    return (
        f"{title}: the most frequent class is {names[0]} ({percent(most)}), the least frequent is "
        f"{names[1]} ({percent(least)})"
    )


def measures(rows):
    """The numbers of `MEASURES`, with what they are and those of real images; no praise."""
    return [_measure(row, MEASURES[row.name]) for row in rows if row.name in MEASURES]


def _measure(row, meaning):
    ordered = sorted(row.scores.items(), key=lambda item: item[1].value)
    if row.name != "frechet_distance":
        ordered.reverse()
    values = [f"{title} {number(score.value)} ({interval(score)})" for title, score in ordered]
    text = f"{meaning}: {join_with_and(values)}; real images {number(row.floor)}."
    above = [title for title, score in ordered if score.low > row.floor]
    if row.name == "precision" and above:
        text += (
            f" More than that of real images ({join_with_and(above)}) is no merit: such samples "
            "gather where real images are most alike."
        )
    return text


def copies(entries, rows, faults):
    """Where no copies of training images were found, and a copy would have been noticed."""
    sentences = []
    for row in (row for row in rows if row.name == "memorized"):
        clean = [
            title for title, score in row.scores.items() if score.value == 0 and not faults[title]
        ]
        if clean:
            each = "each of" if len(clean) > 1 else "of"
            sentences.append(
                "A comparison of pixels finds no copy of a training image among "
                f"{row.protocol.num_generated:,} samples {each} {join_with_and(clean)}."
                f"{_missed_copies(entries, clean)}"
            )
    return sentences


def _missed_copies(entries, titles):
    data = [entry.runs[0].settings.data for entry in entries if entry.title in titles]
    is_changed = any(one.mirror or one.mirror_and_shift is not None for one in data)
    text = " (It cannot find copies of images that were mirrored or shifted for the training.)"
    return text if is_changed else ""


def times(entries):
    """Training times, and their ratio if the hardware is the same."""
    known = [entry for entry in entries if entry.seconds and not entry.is_unfinished]
    if len(known) < 2:
        return []
    texts = join_with_and([f"{duration(entry.seconds)} for {entry.title}" for entry in known])
    environments = [run.environment for entry in known for run in entry.runs]
    machines = [environment and environment.hardware for environment in environments]
    if None in machines:
        return [f"Training took {texts}. On which hardware is not recorded."]
    if len(set(map(repr, machines))) > 1:
        return [f"Training took {texts}. The recorded hardware is not the same."]
    fast, *_, slow = sorted(known, key=lambda entry: entry.seconds)
    ratio = slow.seconds / fast.seconds
    if ratio < SAME_TIME:
        return [f"Training took about the same time: {texts}."]
    return [f"Training took {texts}; {slow.title} took {ratio:.1f} times as long as {fast.title}."]
