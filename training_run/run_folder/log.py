"""log.csv: a row each log interval with step, seconds and all metrics; and events of health.log."""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training_run.errors import UserError
from training_run.files import append_text, write_text
from training_run.run_folder.paths import is_number

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|[-+]?inf", re.ASCII)
"""What Python writes; `float` reads more, 1_0 and digits of all scripts among it."""

_HEALTH_LINE = re.compile(r"^step ([\d,]+): ([^:]+)(?:: since step ([\d,]+))?")
"""Such as `step 1,800: diversity has collapsed: since step 1,000 samples have ...`."""


def append_row(path, columns, values):
    """Add a row to a log, and its header before the first one.

    Args:
        path: the CSV file.
        columns: names of the columns, in the order of the file.
        values: dict of name to value; a column without one leaves its cell empty.
    """
    rows = [[values.get(name, "") for name in columns]]
    if not path.exists():
        rows.insert(0, columns)
    append_text(path, _to_csv(rows))


def read_header(path):
    """Names of the columns of a log; None where there is no log yet."""
    if not path.exists():
        return None
    header, _ = _read_rows(path)
    return tuple(header)


def read_log(path):
    """A log's columns as a dict of name to (rows,) float64.

    Cells that are empty, cut off or not a number become NaN. Rows without a step are left out.

    Raises:
        UserError: if there is no log, or it has no column `step`.
    """
    header, rows = _read_rows(path)
    if "step" not in header:
        raise UserError(f"{path}: expected a log with a column step, received one without")
    values = np.full((len(rows), len(header)), np.nan)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells[: len(header)]):
            values[row, column] = _number(cell)
    columns = dict(zip(header, values.T, strict=True))
    has_step = np.isfinite(columns["step"])
    return {name: column[has_step] for name, column in columns.items()}


def whole_rows(path, step):
    """The header of a log and its whole rows up to `step`, as lists of cells.

    A row is whole if it ends its line, has a cell of each column, each a number or empty, and a
    step after the one before it.

    Raises:
        UserError: if the file is no such log.
    """
    header, rows = _read_rows(path)
    if header[:2] != ["step", "seconds"]:
        raise UserError(
            f"{path}: expected a log with the columns step and seconds, received something else; "
            "move it away to go on with a new one"
        )
    whole, last = [], -1
    for row in rows:
        numbers = len(row) == len(header) and all(not c or _NUMBER.fullmatch(c) for c in row)
        if numbers and is_number(row[0]) and last < int(row[0]) <= step:
            whole.append(row)
            last = int(row[0])
    return header, whole


def count_rows(path):
    """Number of rows of a log without its header; 0 where there is none."""
    return len(_read_rows(path)[1]) if path.exists() else 0


def cut_log(path, step, columns):
    """Keep a log's whole rows up to `step`, and add the columns that it will need.

    New columns come last, empty so far; columns no longer needed stay.

    Raises:
        UserError: if the file is no such log.
    """
    header, rows = whole_rows(path, step)
    new = [name for name in columns if name not in header]
    if rows:
        write_text(path, _to_csv([header + new, *(row + [""] * len(new) for row in rows)]))
    else:
        path.unlink()


def _read_rows(path):
    """(header, rows) of a CSV file; both empty where it is not CSV text.

    What stands after the last line end is half a row, and left out.
    """
    try:
        text = Path(path).read_bytes().decode()
        header, *rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1]))) or [[]]
    except OSError as error:
        raise UserError(f"{path}: the log cannot be read: {error.strerror or error}") from None
    except (ValueError, csv.Error):
        return [], []
    return header, rows


def _to_csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _number(cell):
    return float(cell) if _NUMBER.fullmatch(cell) else np.nan


class Event(NamedTuple):
    """Something that went wrong.

    Attributes:
        step: where it began, or where it was seen if that is not known.
        label: a few words, "diversity has collapsed".
    """

    step: int
    label: str


def read_events(path):
    """The `Event`s of a health.log, by step, for pictures; none where there is no such file.

    Lines that are none of a health.log are left out.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = [_HEALTH_LINE.match(line) for line in text.splitlines()]
    events = [
        Event(int((match[3] or match[1]).replace(",", "")), match[2].strip())
        for match in found
        if match
    ]
    return sorted(events)
