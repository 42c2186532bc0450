"""Scores as text for a terminal."""

from typing import NamedTuple

from sample_quality.protocol import METRICS, Protocol


class Column(NamedTuple):
    """Comparable scores, of one name and one protocol: dict of run to `Score`, and their floor."""

    name: str
    protocol: Protocol
    floor: float | None
    scores: dict


def columns(scores_of_runs):
    """Sort the scores of several runs into columns of comparable ones.

    Args:
        scores_of_runs: dict of run to dict of name to `Score`.

    Returns:
        List of `Column`, in the order of `METRICS`. A name comes several times if runs were scored
        by different protocols.
    """
    found = {}
    for run, scores in scores_of_runs.items():
        for name, score in scores.items():
            column = Column(name, score.protocol, score.floor, {})
            found.setdefault((name, score.protocol), column).scores[run] = score
    order = list(METRICS)
    return sorted(found.values(), key=lambda column: order.index(column.name))


def format_scores(scores, class_names=None):
    """One run's scores as a text of lines grouped by protocol.

    Args:
        scores: dict of name to `Score`.
        class_names: of the images' classes; None where they have none.
    """
    groups = {}
    for name, score in scores.items():
        groups.setdefault(score.protocol, []).append(_row(name, score))
    head = ("", "score", "95% interval", "real images", "better")
    lines = []
    for protocol, rows in groups.items():
        lines += [str(protocol), *_align([head, *rows]), ""]
    if "class_imbalance" in scores:
        shares = [f"{100 * share:.1f}%" for share in scores["class_imbalance"].parts]
        if class_names:
            shares = [f"{name} {share}" for name, share in zip(class_names, shares, strict=True)]
        lines.append(f"share of each class: {'  '.join(shares)}")
    return "\n".join(lines).rstrip()


def format_comparison(scores_of_runs):
    """Several runs' scores as a table: a row for each run, a column for each comparable score.

    Args as for `columns`. Columns have the number of their protocol, given below the table.
    """
    found = columns(scores_of_runs)
    protocols = list(dict.fromkeys(column.protocol for column in found))
    head = ["", *(f"{METRICS[c.name].label} [{protocols.index(c.protocol) + 1}]" for c in found)]
    rows = [[run, *(_cell(column.scores.get(run)) for column in found)] for run in scores_of_runs]
    floors = ["real images", *(_number(column.floor) for column in found)]
    notes = [f"[{number}] {protocol}" for number, protocol in enumerate(protocols, start=1)]
    return "\n".join([*_align([head, *rows, floors]), "", *notes])


def _align(rows):
    """Rows of texts as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()


def _row(name, score):
    metric = METRICS[name]
    interval = " to ".join(map(_number, score.interval)) if score.interval else "-"
    return (metric.label, _number(score.value), interval, _number(score.floor), metric.better)


def _cell(score):
    if score is None:
        return "-"
    if score.interval is None:
        return _number(score.value)
    margin = (score.interval[1] - score.interval[0]) / 2
    return f"{_number(score.value)} ± {margin:.2g}"


def _number(value):
    return "-" if value is None else f"{value:.4g}"
