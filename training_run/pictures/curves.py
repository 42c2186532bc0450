"""Curves of a run's log: losses in one panel, accuracies in one, each other score in its own."""

import itertools
from collections import defaultdict

import numpy as np

from training_run.errors import UserError
from training_run.files import atomic_path

# The palette of Okabe & Ito (2008) for colour-blind readers, without its yellow. The pale ones and
# the grey are shifted until their contrast is 3 on white and on a dark page (WCAG 2.2, 1.4.11).
COLORS = ("#0072B2", "#D55E00", "#009E73", "#C46E9E", "#B37B00", "#3A96CC", "#7A7A7A")

# The same for names beside the curves, whose contrast on white is 4.5 (WCAG 2.2, 1.4.3).
NAME_COLORS = ("#0072B2", "#B84F00", "#007A58", "#A8487F", "#8A5F00", "#25749F", "#6B6B6B")

TEXT, PALE_TEXT, GRID = "#2d2d2d", "#6b6b6b", "#e9e9e9"  # colours

SHARES = ("accuracy", "ranking")
"""Panels on an axis from 0 to 1."""

EVENT = "#a1001c"
"""Colour of what went wrong, a red that no curve has."""

NOT_METRICS = ("step", "seconds", "epoch")

NUM_ROWS_TO_SMOOTH = 150

EMPTY = "."  # matplotlib's name of an empty place in a mosaic

LOWEST_LABEL = 0.06

LABEL_HEIGHT, AROUND_AXES = 0.16, 0.5  # inches


def plot_losses(columns, path, title, events=()):
    """Write the curves of a log as a PNG.

    A column with many rows is drawn twice: its values, pale, and their running mean. The most
    extreme values may lie outside the panel. Values that are not finite are left out.

    Args:
        columns: dict of name to (rows,) float64 from `read_log`. Names that end in `loss` are
            losses; names with `_accuracy` are accuracies, and `d_ranking` is the share of pairs
            that a discriminator ranks right, on axes from 0 to 1.
        path: the PNG file, written whole or not at all; its folder must exist.
        title: a line above the curves.
        events: list of (step, label) to mark in every panel.

    Raises:
        UserError: there is no metric with a finite value.
    """
    panels = group_metrics(columns)
    if not panels:
        raise UserError("the log has no numbers to draw yet")
    figure = draw_curves(columns, panels, title, events)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def group_metrics(columns):
    """Group the metrics that have a finite value by the panel that shows them.

    Returns:
        A list of (panel, names of metrics). The panels are "loss", those of `SHARES`, then each
        other score's name without `val_`.
    """
    groups = defaultdict(list, {"loss": [], **{panel: [] for panel in SHARES}})
    for name, values in columns.items():
        if name not in NOT_METRICS and np.isfinite(values).any():
            groups[_panel(name)].append(name)
    return [(panel, names) for panel, names in groups.items() if names]


def running_mean(values, window):
    """Mean over a window centred on each value. At the ends the window is cut off.

    Args:
        values: (n,) float, finite.
        window: odd number of values.

    Returns:
        (n,) float64.
    """
    positions, reach = np.arange(len(values)), window // 2
    first = np.maximum(positions - reach, 0)
    end = np.minimum(positions + reach + 1, len(values))
    # Subtracting the mean first keeps the sums small, so that less is lost to rounding.
    center = np.mean(values)
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, np.float64) - center)])
    return center + (sums[end] - sums[first]) / (end - first)


def draw_curves(columns, panels, title, events=()):
    """The matplotlib figure: `columns` from `read_log`, `panels` from `group_metrics`.

    Each event (step, label) is a line in every panel, with its label in the first.
    """
    # Imported here, since it takes a second and `--help` should not wait for it. A Figure made
    # without pyplot has no global state and needs no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    layout, heights = _layout(panels)
    figure = Figure(figsize=(7.6, sum(heights) + 0.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(h_pad=0.08, w_pad=0.1)
    figure.suptitle(title, x=0.014, ha="left", fontsize=12, fontweight="bold", color=TEXT)
    axes = figure.subplot_mosaic(layout, height_ratios=heights)
    for panel, names in panels:
        _draw_panel(axes[panel], panel, names, columns)
        is_wide = [panel, panel] in layout
        axes[panel].xaxis.set_major_locator(MaxNLocator(6 if is_wide else 3, integer=True))
    for panel, _ in panels:
        for step in {step for step, _ in events}:
            axes[panel].axvline(step, color=EVENT, linewidth=1, linestyle=":", zorder=1)
    _label_events(axes[panels[0][0]], events)
    for panel in set(layout[-1]) - {EMPTY}:
        axes[panel].set_xlabel("step", color=PALE_TEXT, fontsize=9)
    return figure


def _panel(name):
    if name.endswith("loss"):
        return "loss"
    share = next((panel for panel in SHARES if f"_{panel}" in f"_{name}"), None)
    return share or name.removeprefix("val_")


def _layout(panels):
    """Rows of the mosaic and their heights: losses and shares fill a row, scores half of it."""
    wide = [panel for panel, _ in panels if panel in ("loss", *SHARES)]
    scores = [panel for panel, _ in panels if panel not in wide]
    if len(scores) == 1:
        wide, scores = wide + scores, []
    pairs = itertools.zip_longest(scores[::2], scores[1::2], fillvalue=EMPTY)
    rows = [[panel, panel] for panel in wide] + [list(pair) for pair in pairs]
    return rows, [_height(row[0]) for row in rows]


def _height(panel):
    """Height in inches."""
    return 3.0 if panel == "loss" else 2.1 if panel in SHARES else 1.9


def _draw_panel(axes, panel, names, columns):
    """Draw one panel: its curves, each with its name and last value at the right end."""
    base_names = list(dict.fromkeys(name.removeprefix("val_") for name in names))
    curves, limits = [], []
    for name in names:
        drawn = np.isfinite(columns[name])
        steps, values = columns["step"][drawn], columns[name][drawn]
        color = COLORS[base_names.index(name.removeprefix("val_")) % len(COLORS)]
        line = "--" if name.startswith("val_") else "-"
        last = _draw_curve(axes, steps, values, color, line)
        curves.append((name, color, last))
        limits.append(_main_range(values))
    _style_axes(axes, panel, columns["step"], np.array(limits))
    _label_ends(axes, panel, curves)


def _draw_curve(axes, steps, values, color, line):
    """Draw one metric; returns the height at which its curve ends."""
    if len(values) < NUM_ROWS_TO_SMOOTH:
        marker = "o" if len(values) <= 40 else None
        axes.plot(steps, values, line, color=color, linewidth=1.6, marker=marker, markersize=3)
        return values[-1]
    smooth = running_mean(values, len(values) // 50 | 1)
    axes.plot(steps, values, color=color, alpha=0.22, linewidth=0.6)
    axes.plot(steps, smooth, line, color=color, linewidth=1.6)
    return smooth[-1]


def _main_range(values):
    """Lowest and highest value. Of many values, half a percent is cut off at each end."""
    cut = 0.5 if len(values) >= NUM_ROWS_TO_SMOOTH else 0.0
    return np.percentile(values, [cut, 100 - cut])


def _style_axes(axes, panel, steps, limits):
    low, high = (0.0, 1.0) if panel in SHARES else (limits.min(), limits.max())
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 0.5
    axes.set_ylim(low - margin, high + margin)
    first, last = steps.min(), steps.max()
    axes.set_xlim((first, last) if last > first else (first - 1, last + 1))
    axes.set_title(panel.replace("_", " "), loc="left", fontsize=10, color=TEXT)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#c4c4c4")
    axes.tick_params(colors=PALE_TEXT, labelsize=8.5, length=0)


def _label_ends(axes, panel, curves):
    """Write each curve's name and last value beside its end, without overlaps."""
    low, high = axes.get_ylim()
    line_height = LABEL_HEIGHT / (_height(panel) - AROUND_AXES)
    ends = np.array([last for _, _, last in curves])
    wanted = np.clip((ends - low) / (high - low), 0, 1)
    # Not at the very bottom, where the number of the last step is.
    heights = LOWEST_LABEL + spread_apart(wanted - LOWEST_LABEL, line_height)
    names = dict(zip(COLORS, NAME_COLORS, strict=True))
    for (name, color, last), height in zip(curves, heights, strict=True):
        number = f"{last:#.3g}".rstrip(".")
        text = number if [name] == [panel] * len(curves) else f"{name}  {number}"
        axes.text(
            1.012, height, text, color=names[color], fontsize=8.5, va="center",
            transform=axes.transAxes,
        )  # fmt: skip


def _label_events(axes, events):
    """Write what went wrong beside its line, one below the other, away from the nearer end."""
    first, last = axes.get_xlim()
    for row, (step, label) in enumerate(events):
        is_late = step > (first + last) / 2
        axes.annotate(
            label,
            (step, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if is_late else 4, -5 - 12 * row),
            textcoords="offset points",
            ha="right" if is_late else "left",
            va="top",
            color=EVENT,
            fontsize=8.5,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
        )


def spread_apart(heights, distance):
    """Move heights so that they are at least `distance` apart, in the same order.

    Args:
        heights: wanted heights of labels, 0 (bottom) to 1 (top).
        distance: height of a label.

    Returns:
        (n,) float, within 0 and 1 where that many labels fit, else at most 1.
    """
    order = np.argsort(heights, kind="stable")
    wanted = np.asarray(heights, np.float64)[order]
    offsets = distance * np.arange(len(wanted))
    # Without the offsets, "apart" means "not decreasing". The running maximum and the running
    # minimum both are; so is their mean, which keeps a group of labels around its old centre.
    free = wanted - offsets
    raised = np.maximum.accumulate(free)
    lowered = np.minimum.accumulate(free[::-1])[::-1]
    middle = np.maximum((raised + lowered) / 2, 0)
    placed = np.empty_like(wanted)
    placed[order] = np.minimum(middle, 1 - offsets[-1]) + offsets
    return placed
