"""log.csv: reading it, and cutting it back to a step."""

import csv
import io

import numpy as np

from training_run.errors import UserError
from training_run.files import write_text


def forget_rows_after(path, step, columns):
    """Keep the whole rows of a log.csv up to `step`, and give it the columns it will need.

    Columns that are new come last, empty so far; those no longer wanted stay.

    Raises:
        UserError: if the file is no such log.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (ValueError, csv.Error):
        header, rows = [], []
    if header[:2] != ["step", "seconds"]:
        raise UserError(
            f"{path}: expected a log with the columns step and seconds, received something else; "
            "move it away to go on with a new one"
        )
    new = [name for name in columns if name not in header]
    kept = [
        row + [""] * len(new)
        for row in rows
        if len(row) == len(header) and row[0].isdecimal() and int(row[0]) <= step
    ]
    if not kept:
        path.unlink()
        return
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header + new, *kept])
    write_text(path, text.getvalue())


def read_log(log_csv_path):
    """A log's columns as a dict of name -> (rows,) float64.

    What is empty, cut off or no number becomes NaN; rows without a step are left out.
    """
    try:
        with open(log_csv_path, newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except FileNotFoundError:
        raise UserError(f"There is no log to draw. Received: {log_csv_path}") from None
    if "step" not in header:
        raise UserError(f"A log needs a column named step. Received: {log_csv_path}")
    values = np.full((len(rows), len(header)), np.nan)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells[: len(header)]):
            values[row, column] = _number(cell)
    columns = dict(zip(header, values.T, strict=True))
    has_step = np.isfinite(columns["step"])
    return {name: column[has_step] for name, column in columns.items()}


def _number(cell):
    try:
        return float(cell)
    except ValueError:
        return np.nan
