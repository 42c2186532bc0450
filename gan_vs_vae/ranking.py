"""The order of entries in a score, as far as their 95% intervals tell them apart."""

from typing import NamedTuple


class Bounds(NamedTuple):
    """A value and its interval."""

    value: float
    low: float
    high: float


class Ranking(NamedTuple):
    """Titles of entries, ranked by one score: the best, those whose intervals overlap its interval,
    and the others, the better ones first."""

    best: str
    tied: tuple
    behind: tuple


def rank(scores, better):
    """The `Ranking` of one or more entries.

    Args:
        scores: title to what has `value`, `low` and `high`.
        better: "lower" or "higher".
    """
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
