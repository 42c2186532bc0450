"""Which samples are closer to real images: said only where measures agree.

One number never decides. The Fréchet distance has to be clearly lower, a second measure has to
agree, and none may say otherwise: blurred samples can have a high precision, and a training image
has no distance from real images at all.
"""

from typing import NamedTuple

from gan_vs_vae.faults import GRAINY, SAME_LOOK
from gan_vs_vae.ranking import Bounds, rank
from gan_vs_vae.wording import join_with_and, number

MEASURES = {
    "frechet_distance": "the Fréchet distance",
    "precision": "precision",
    "coverage": "coverage",
    "sharpness": "sharpness",
    "fine_detail": "fine detail",
    "contrast": "contrast",
}
"""Scores that have a say, and their names in a sentence."""

TOLERANCES = {"sharpness": SAME_LOOK, "fine_detail": GRAINY - 1, "contrast": SAME_LOOK}
"""Part of the score of real images by which a score may differ from it and look the same."""

DISQUALIFY = {
    "copies": "its samples are copies of training images",
    "duplicates": "its samples repeat each other",
    "one class": "its samples are of one class",
    "missing": "its samples leave classes out",
}
"""Faults of variety that closeness does not show, and what they take from it."""


def distance_from_real(name, score, floor):
    """How far a `PooledScore` is from real images, 0 where no difference can be seen: `Bounds`.

    A precision or coverage above that of real images is no merit, and none is lost by it.
    """
    if name == "frechet_distance":
        return Bounds(score.value, score.low, score.high)
    if name in TOLERANCES:
        margin = TOLERANCES[name] * floor
        ends = [max(0.0, abs(end - floor) - margin) for end in (score.low, score.high)]
        nearest = 0.0 if score.low <= floor <= score.high else min(ends)
        return Bounds(max(0.0, abs(score.value - floor) - margin), nearest, max(ends))
    value, high, low = (max(0.0, floor - one) for one in (score.value, score.low, score.high))
    return Bounds(value, low, high)


class Verdict(NamedTuple):
    """A sentence, and the names of the scores that disagree with the Fréchet distance."""

    text: str
    disputed_by: tuple = ()


def find_verdict(titles, rows, faults):
    """Which samples are closer to real images, or why that is not said: a `Verdict`.

    Args:
        titles: of the entries, two or more.
        rows: their `ScoreRow`s.
        faults: title to faults, from `find_faults`.

    Returns:
        None unless one protocol gave all of them a Fréchet distance.
    """
    rows = {row.name: row for row in rows if row.scores.keys() == set(titles)}
    rows = {name: rows[name] for name in MEASURES if name in rows}
    if "frechet_distance" not in rows:
        return None
    rankings = {name: _rank(row) for name, row in rows.items()}
    best, tied, behind = rankings.pop("frechet_distance")
    if tied:
        return Verdict(_tie([best, *tied], behind))
    disputed_by, agreeing = _sides(best, rankings)
    if disputed_by:
        return Verdict(_disagreement(best, rows, rankings, disputed_by), tuple(disputed_by))
    if not agreeing:
        return Verdict(_alone(best, rows["frechet_distance"]))
    blocking = [kind for kind in DISQUALIFY if kind in faults[best]]
    if blocking:
        return Verdict(_disqualified(best, agreeing[0], blocking[0]))
    return Verdict(_agreement(best, rows, agreeing))


def _sides(best, rankings):
    """Names of the scores that speak against an entry, and for it.

    Noise has sharp edges and too much fine detail, blur the reverse: where these two scores
    differ, neither speaks against it.
    """
    against = [name for name, ranking in rankings.items() if best in ranking.behind]
    agreeing = [name for name, one in rankings.items() if one.behind and name not in against]
    if {"sharpness", "fine_detail"} & set(agreeing):
        against = [name for name in against if name not in ("sharpness", "fine_detail")]
    return against, agreeing


def _rank(row):
    distances = {
        title: distance_from_real(row.name, score, row.floor) for title, score in row.scores.items()
    }
    return rank(distances, "lower")


def _tie(tied, behind):
    higher = f"; it is higher for {join_with_and(behind)}" if behind else ""
    return (
        f"There is no clear difference in Fréchet distance between {join_with_and(tied)}: the "
        f"intervals overlap{higher}."
    )


def _alone(best, row):
    return (
        f"The Fréchet distance is the lowest for {best} ({_values(best, row)}), but no second "
        "measure agrees, so no samples are called closer to real images."
    )


def _disqualified(best, agreeing, fault):
    return (
        f"The Fréchet distance and {MEASURES[agreeing]} are in favour of {best}, but "
        f"{DISQUALIFY[fault]}: they are not called better."
    )


def _agreement(best, rows, agreeing):
    names = ("frechet_distance", *agreeing)
    if len(rows["frechet_distance"].scores) == 2:
        measures = [f"{MEASURES[name]} ({_values(best, rows[name])})" for name in names]
        return f"The samples of {best} are closer to real images: {join_with_and(measures)} agree."
    measures = join_with_and([MEASURES[name] for name in names])
    return f"The samples of {best} are the closest to real images: {measures} agree."


def _disagreement(best, rows, rankings, against):
    others = [
        f"by {MEASURES[name]}, {rankings[name].best} ({_values(rankings[name].best, rows[name])})"
        for name in against
    ]
    return (
        "The measures disagree on which samples are closer to real images: by the Fréchet "
        f"distance those of {best} ({_values(best, rows['frechet_distance'])}), "
        f"{join_with_and(others)}. So none are called better: the pictures decide."
    )


def _values(best, row):
    """The best score against the others, and that of real images."""
    others = [number(score.value) for title, score in row.scores.items() if title != best]
    text = f"{number(row.scores[best].value)} against {join_with_and(others)}"
    return f"{text}; real images {number(row.floor)}"
