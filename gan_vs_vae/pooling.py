"""Several seeds of one configuration are one thing, with a mean and a spread."""

import statistics
from typing import NamedTuple

from training_run.run_folder.resume import MAY_CHANGE, flatten, is_one_of

SAME_THING = ("seed", "name", *MAY_CHANGE)
"""Keys, or sections, in which runs of one configuration may differ: how a run is watched, and how
long it was to be, since only runs of equally many steps are put together."""


class Entry(NamedTuple):
    """What is compared: one run, or several seeds of one configuration.

    Attributes:
        title: what it is called in the report.
        runs: its `Run`s, one a seed.
    """

    title: str
    runs: tuple

    @property
    def family(self):
        return self.runs[0].family

    @property
    def seconds(self):
        """Mean training time, or None where a run does not tell."""
        times = [run.seconds for run in self.runs]
        return None if None in times else statistics.fmean(times)


class Measured(NamedTuple):
    """A score of an `Entry`.

    Attributes:
        value: the score; of several runs, their mean.
        low, high: its 95% interval; of several runs, from the lowest to the highest of theirs.
        spread: standard deviation between runs; None for one.
        num_runs: how many.
        parts: mean of the runs' parts.
    """

    value: float
    low: float
    high: float
    spread: float | None
    num_runs: int
    parts: tuple


class Row(NamedTuple):
    """Scores of one name and one protocol: what may be compared.

    Attributes:
        name: of the score.
        protocol: its `Protocol`.
        floor: what real images get, or None.
        cells: title of an entry -> `Measured`.
    """

    name: str
    protocol: NamedTuple
    floor: float | None
    cells: dict


def pool_runs(runs):
    """Put runs that differ in nothing but the seed together.

    Runs that stopped at different steps are different things, and so is the same seed twice:
    it would count one result as two.

    Args:
        runs: list of `Run`.

    Returns:
        List of `Entry`, in the order of their first runs.
    """
    groups, repeats = {}, {}
    for run in runs:
        key = (_what_it_is(run), run.step)
        nth = repeats[key, run.seed] = repeats.get((key, run.seed), 0) + 1
        groups.setdefault((key, nth), []).append(run)
    entries, titles = [], {}
    for group in groups.values():
        title = _title(group)
        nth = titles[title] = titles.get(title, 0) + 1
        entries.append(Entry(title if nth == 1 else f"{title} [{nth}]", tuple(group)))
    return entries


def _what_it_is(run):
    """A run's configuration without what runs of one may differ in, and without what is not set:
    a key that came later does not make an older run another thing."""
    return tuple(
        sorted(
            (key, repr(value))
            for key, value in flatten(run.values).items()
            if value is not None and not is_one_of(key, SAME_THING)
        )
    )


def _title(group):
    if len(group) == 1:
        return group[0].title
    names = " / ".join(dict.fromkeys(run.name for run in group))
    seeds = sorted(run.seed for run in group)
    return f"{names} (seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]})"


def pool_scores(scores):
    """One `Measured` from the `Score`s of several runs, all of one protocol."""
    values = [score.value for score in scores]
    parts = zip(*(score.parts for score in scores), strict=True)
    return Measured(
        value=statistics.fmean(values),
        low=min(score.interval[0] for score in scores),
        high=max(score.interval[1] for score in scores),
        spread=statistics.stdev(values) if len(values) > 1 else None,
        num_runs=len(values),
        parts=tuple(statistics.fmean(part) for part in parts),
    )


def pooled_rows(entries, scores_of_runs):
    """The scores of entries, sorted into rows of comparable ones.

    Args:
        entries: list of `Entry`.
        scores_of_runs: title of a run -> dict of name -> `Score`.

    Returns:
        List of `Row`; a name comes several times where runs were scored by different protocols.
    """
    from sample_quality.table import columns

    rows = []
    for column in columns(scores_of_runs):
        cells = {}
        for entry in entries:
            titles = [run.title for run in entry.runs]
            found = [column.scores[title] for title in titles if title in column.scores]
            if found:
                cells[entry.title] = pool_scores(found)
        rows.append(Row(column.name, column.protocol, column.floor, cells))
    return rows
