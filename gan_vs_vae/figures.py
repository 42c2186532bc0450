"""Curves of runs, as SVG inside the page."""

import io
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gan_vs_vae.pictures import SCORE_COLUMN, Picture, data_uri
from gan_vs_vae.runs import Run
from gan_vs_vae.wording import duration, join_with_and, number
from sample_quality.protocol import Protocol
from training_run.files import read_json
from training_run.pictures.curves import (
    COLORS,
    GRID,
    NOT_METRICS,
    PALE_TEXT,
    TEXT,
    draw_curves,
    group_metrics,
)
from training_run.run_folder.log import read_events

WIDTH = 4.5
"""Inches. Narrow, so that the letters are large enough on a phone."""

TITLE_HEIGHT = 0.3
"""Inches that `draw_curves` leaves for a title."""

PIXELS_PER_INCH = 96


def loss_curves(run):
    """A `Picture` of everything in a run's log but the score; None if there is nothing."""
    columns = {name: values for name, values in run.log.items() if name != SCORE_COLUMN}
    panels = group_metrics(columns)
    if not panels:
        return None
    events = read_events(run.folder.path / "health.log")
    figure = draw_curves(columns, panels, title="", events=events)
    figure.set_size_inches(WIDTH, figure.get_size_inches()[1] - TITLE_HEIGHT)
    return _svg(figure, _describe_log(run, columns))


def _describe_log(run, columns):
    """First and last value of each column, in words."""
    texts = []
    for name, values in columns.items():
        known = values[np.isfinite(values)]
        if name not in NOT_METRICS and len(known):
            ends = f"from {number(known[0])} to {number(known[-1])}"
            texts.append(f"{name.replace('_', ' ')} {ends}")
    return f"Curves of {run.title} up to step {run.step:,}: {join_with_and(texts)}"


class QualityCurve(NamedTuple):
    """Fréchet distances (n,) of a run while it trained, and the training times (n,) in minutes."""

    run: Run
    minutes: np.ndarray
    values: np.ndarray


def quality_curves(runs):
    """The curves of the runs that were scored while training: `Protocol` to list of `QualityCurve`.

    The seed of the protocol is set to 0, since each run uses its own. The key is None for runs
    that do not record their protocol.
    """
    found = {}
    for run in runs:
        if not {"seconds", SCORE_COLUMN} <= run.log.keys():
            continue
        seconds, values = run.log["seconds"], run.log[SCORE_COLUMN]
        known = np.isfinite(seconds) & np.isfinite(values)
        if known.any():
            curve = QualityCurve(run, seconds[known] / 60, values[known])
            found.setdefault(_protocol_while_training(run), []).append(curve)
    return found


def _protocol_while_training(run):
    try:
        record = read_json(run.folder.path / "best" / "score.json")
        return replace(Protocol(**record["protocol"]), seed=0)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def quality_chart(curves, colors):
    """A `Picture` of Fréchet distance against training time, all runs in one.

    Args:
        curves: list of `QualityCurve`, of one protocol.
        colors: title of a run to its colour.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(1.2 * WIDTH, 3.4), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for run, minutes, values in curves:
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
    return _svg(figure, _describe_curves(curves))


def _describe_curves(curves):
    """First and last point of each curve, in words."""
    texts = [
        f"{run.title} from {number(values[0])} after {duration(60 * minutes[0])} to "
        f"{number(values[-1])} after {duration(60 * minutes[-1])}"
        for run, minutes, values in curves
    ]
    return f"Curves of the Fréchet distance against the training time: {join_with_and(texts)}"


def colors_of(entries):
    """Title of an entry, and of each of its runs, to its colour."""
    colors = {}
    for index, entry in enumerate(entries):
        titles = [entry.title, *(run.title for run in entry.runs)]
        colors |= dict.fromkeys(titles, COLORS[index % len(COLORS)])
    return colors


def _svg(figure, alt):
    """A `Picture` of a matplotlib figure; the same figure gives the same bytes."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "gan_vs_vae"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    width, height = figure.get_size_inches() * PIXELS_PER_INCH
    uri = data_uri(buffer.getvalue(), "image/svg+xml")
    return Picture(uri, round(width), round(height), is_pixels=False, alt=alt)
