"""Several seeds of one configuration are compared as one entry, with a mean and a spread."""

import math
import statistics
from collections import Counter
from typing import NamedTuple

from gan_vs_vae.runs import Run
from sample_quality.protocol import Protocol
from sample_quality.table import columns
from training_run.run_folder.resume import flatten, may_change

MAY_DIFFER = ("seed", "name")
"""Keys in which pooled runs may differ, beside those that leave a training the same: the configured
length is among these, but only runs that trained equally many steps are pooled."""


class Entry(NamedTuple):
    """What is compared: one run, or several seeds of one configuration."""

    title: str
    runs: tuple[Run, ...]

    @property
    def family(self):
        return self.runs[0].family

    @property
    def is_unfinished(self):
        return any(run.is_unfinished for run in self.runs)

    @property
    def seconds(self):
        """Mean training time, or None if one of the runs has none."""
        times = [run.seconds for run in self.runs]
        return None if None in times else statistics.fmean(times)


class PooledScore(NamedTuple):
    """A `Score` of an `Entry`. Over several runs, `value` and `parts` are means, the 95% interval
    reaches from the lowest to the highest end of theirs, and `spread` is the standard deviation
    between runs. (`spread` is None for one run. The interval is infinite if a score has none, so
    that nothing follows from it.)"""

    value: float
    low: float
    high: float
    spread: float | None
    num_runs: int
    parts: tuple


class ScoreRow(NamedTuple):
    """Scores of one name and one `Protocol`, which can be compared: title of an entry to
    `PooledScore`. `floor` is the score of real images, or None."""

    name: str
    protocol: Protocol
    floor: float | None
    scores: dict


def pool_runs(runs):
    """Group runs that differ only in the seed: list of `Entry`, in the order of their first runs.

    Runs that stopped at different steps are not pooled. The same seed twice is not pooled either:
    one result would count twice.
    """
    groups, repeats = {}, Counter()
    for run in runs:
        key = (_comparable_config(run), run.step)
        repeats[key, run.seed] += 1
        groups.setdefault((key, repeats[key, run.seed]), []).append(run)
    entries, titles = [], Counter()
    for group in groups.values():
        title = _title(group)
        titles[title] += 1
        unique = title if titles[title] == 1 else f"{title} [{titles[title]}]"
        entries.append(Entry(unique, tuple(group)))
    return entries


def _comparable_config(run):
    """A run's configuration without `MAY_DIFFER` and without empty keys: an older run does not
    have a key that was added later."""
    return tuple(
        sorted(
            (key, repr(value))
            for key, value in flatten(run.values).items()
            if value is not None and not (key in MAY_DIFFER or may_change(key))
        )
    )


def _title(group):
    if len(group) == 1:
        return group[0].title
    names = " / ".join(dict.fromkeys(run.name for run in group))
    seeds = sorted(run.seed for run in group)
    return f"{names} (seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]})"


def pool_scores(scores):
    """One `PooledScore` from the `Score`s of several runs, all of one protocol."""
    values = [score.value for score in scores]
    intervals = [score.interval or (-math.inf, math.inf) for score in scores]
    parts = zip(*(score.parts for score in scores), strict=True)
    return PooledScore(
        value=statistics.fmean(values),
        low=min(low for low, _ in intervals),
        high=max(high for _, high in intervals),
        spread=statistics.stdev(values) if len(values) > 1 else None,
        num_runs=len(values),
        parts=tuple(statistics.fmean(part) for part in parts),
    )


def pooled_rows(entries, qualities):
    """The scores of entries, from title of a run to `Quality`: list of `ScoreRow`.

    A score has several rows if runs were scored by different protocols.
    """
    rows = []
    for column in columns({title: quality.scores for title, quality in qualities.items()}):
        scores = {}
        for entry in entries:
            titles = [run.title for run in entry.runs]
            found = [column.scores[title] for title in titles if title in column.scores]
            if found:
                scores[entry.title] = pool_scores(found)
        rows.append(ScoreRow(column.name, column.protocol, column.floor, scores))
    return rows
