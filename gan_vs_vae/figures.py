"""Curves of runs, as SVG that a page carries in itself."""

import io
import json
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gan_vs_vae.pictures import Picture, data_uri
from sample_quality.protocol import Protocol
from training_run.pictures.curves import COLORS, GRID, PALE_TEXT, TEXT, draw_curves, group_metrics

SCORE_COLUMN = "frechet_distance"
"""Column of log.csv that scores a run while it trains."""

WIDTH = 4.5
"""Inches: narrow, so that letters are large enough on a phone and on a wall."""

TITLE_HEIGHT = 0.3
"""Inches that a figure of curves keeps for its title."""

POINTS_TO_PIXELS = 96 / 72


def loss_curves(run):
    """A `Picture` of a run's losses and other logged numbers; None without any."""
    columns = {name: values for name, values in run.log.items() if name != SCORE_COLUMN}
    panels = group_metrics(columns)
    if not panels:
        return None
    figure = draw_curves(columns, panels, title="")  # the page has one
    figure.set_size_inches(WIDTH, figure.get_size_inches()[1] - TITLE_HEIGHT)
    return _svg(figure)


class Course(NamedTuple):
    """Scores of a run while it trained.

    Attributes:
        run: the `Run`.
        minutes: (n,) training time.
        values: (n,) Fréchet distances.
    """

    run: NamedTuple
    minutes: np.ndarray
    values: np.ndarray


def scored_while_training(runs):
    """The courses of runs whose logs have scores, those of one protocol together.

    Returns:
        dict of `Protocol` without seed, or None where a run does not record it -> `Course`s.
    """
    found = {}
    for run in runs:
        nothing = np.full(len(run.log.get("step", ())), np.nan)
        seconds, values = (run.log.get(name, nothing) for name in ("seconds", SCORE_COLUMN))
        known = np.isfinite(seconds) & np.isfinite(values)
        if known.any():
            course = Course(run, seconds[known] / 60, values[known])
            found.setdefault(_protocol_while_training(run), []).append(course)
    return found


def _protocol_while_training(run):
    """From best/score.json; the seed is the run's own, and no part of the comparison."""
    try:
        record = json.loads((run.folder.path / "best" / "score.json").read_text(encoding="utf-8"))
        return replace(Protocol(**record["protocol"]), seed=0)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def quality_over_time(courses, colors):
    """A `Picture` of Fréchet distance against training time, all runs in one.

    Args:
        courses: list of `Course`, of one protocol.
        colors: title of a run -> its colour.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(1.2 * WIDTH, 3.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for run, minutes, values in courses:
        line = "-" if run.family == "GAN" else "--"
        axes.plot(
            minutes, values, line, color=colors[run.title], marker="o", markersize=3.5, linewidth=2,
            label=run.title,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.set_xlim(left=0)
    axes.set_xlabel("training time, minutes", color=PALE_TEXT, fontsize=10)
    axes.set_title("Fréchet distance (lower is better)", loc="left", fontsize=11, color=TEXT)
    axes.grid(color=GRID, linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(colors=PALE_TEXT, labelsize=9.5, length=0, which="both")
    axes.legend(frameon=False, fontsize=10, labelcolor=TEXT)
    return _svg(figure)


def color_of(index):
    """Colour of the entry with that index."""
    return COLORS[index % len(COLORS)]


def _svg(figure):
    """A `Picture` of a matplotlib figure; the same figure gives the same bytes."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "gan_vs_vae"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    width, height = figure.get_size_inches() * 72 * POINTS_TO_PIXELS
    uri = data_uri(buffer.getvalue(), "image/svg+xml")
    return Picture(uri, round(width), round(height), is_pixels=False)
