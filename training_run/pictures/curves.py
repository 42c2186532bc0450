"""The curves of a run, from its log.csv: losses, accuracies and other scores, each apart."""

import itertools
from collections import defaultdict

import numpy as np

from training_run.errors import UserError
from training_run.files import atomic_path

# The palette of Okabe & Ito (2008), told apart by colour-blind readers too, without its yellow.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")


INK, FAINT_INK, GRID = "#2d2d2d", "#6b6b6b", "#e9e9e9"


NOT_METRICS = ("step", "seconds", "epoch")


NUM_ROWS_TO_SMOOTH = 150


DPI = 150


EMPTY = "."


LOWEST_LABEL = 0.06


LABEL_HEIGHT, AROUND_AXES = 0.16, 0.5  # inches


def plot_losses(columns, png_path, title):
    """Draw the curves of a log: losses in one panel, accuracies in one, each score in its own.

    Where a column has many rows, a running mean is drawn over the faint values themselves,
    and the few most extreme of these may leave the panel. Cells that are empty or not finite
    are left out. The same log gives the same bytes.

    Args:
        columns: dict of name to (rows,) float64: step, seconds, then metrics. Names that end in
            `loss` are losses; with `_accuracy` in them, accuracies on an axis from 0 to 1.
        png_path: the picture, written whole or not at all; its folder must exist.
        title: a line above the curves.

    Raises:
        UserError: there is no metric with a finite value.
    """
    panels = group_metrics(columns)
    if not panels:
        raise UserError("the log has no numbers to draw yet")
    figure = draw_curves(columns, panels, title)
    with atomic_path(png_path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def group_metrics(columns):
    """Names of the metrics that have a finite value, as a list of (panel, names).

    The panel is "loss", "accuracy" or the score's own name without `val_`, in this order.
    """
    groups = defaultdict(list, {"loss": [], "accuracy": []})
    for name, values in columns.items():
        if name not in NOT_METRICS and np.isfinite(values).any():
            groups[_panel(name)].append(name)
    return [(panel, names) for panel, names in groups.items() if names]


def running_mean(values, window):
    """Mean over a window centred on each value; at the ends, over the part of it that exists.

    Args:
        values: (n,) float, finite.
        window: odd number of values.

    Returns:
        (n,) float64.
    """
    positions, reach = np.arange(len(values)), window // 2
    first = np.maximum(positions - reach, 0)
    end = np.minimum(positions + reach + 1, len(values))
    # Sums of what is left after the mean: less is lost to rounding than with large values.
    center = np.mean(values)
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, np.float64) - center)])
    return center + (sums[end] - sums[first]) / (end - first)


def draw_curves(columns, panels, title):
    """The matplotlib figure: `columns` from `read_log`, `panels` from `group_metrics`."""
    # Imported here because it takes a second, which `--help` should not wait for. A Figure of
    # its own, without pyplot, leaves no global state behind and needs no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    layout, heights = _layout(panels)
    figure = Figure(figsize=(7.6, sum(heights) + 0.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(h_pad=0.08, w_pad=0.1)
    figure.suptitle(title, x=0.014, ha="left", fontsize=12, fontweight="bold", color=INK)
    axes = figure.subplot_mosaic(layout, height_ratios=heights)
    for panel, names in panels:
        _draw_panel(axes[panel], panel, names, columns)
        is_wide = [panel, panel] in layout
        axes[panel].xaxis.set_major_locator(MaxNLocator(6 if is_wide else 3, integer=True))
    for panel in set(layout[-1]) - {EMPTY}:
        axes[panel].set_xlabel("step", color=FAINT_INK, fontsize=9)
    return figure


def _panel(name):
    if name.endswith("loss"):
        return "loss"
    return "accuracy" if "_accuracy" in f"_{name}" else name.removeprefix("val_")


def _layout(panels):
    """Rows of a mosaic, and their heights: losses and accuracies wide, scores two in a row."""
    wide = [panel for panel, _ in panels if panel in ("loss", "accuracy")]
    scores = [panel for panel, _ in panels if panel not in wide]
    if len(scores) == 1:
        wide, scores = wide + scores, []
    pairs = itertools.zip_longest(scores[::2], scores[1::2], fillvalue=EMPTY)
    rows = [[panel, panel] for panel in wide] + [list(pair) for pair in pairs]
    return rows, [_height(row[0]) for row in rows]


def _height(panel):
    """Inches."""
    return {"loss": 3.0, "accuracy": 2.1}.get(panel, 1.9)


def _draw_panel(axes, panel, names, columns):
    """One panel: its curves, each with its name and last value at the right end."""
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
    """Lowest and highest value; of many, the half percent at each end may leave the panel."""
    cut = 0.5 if len(values) >= NUM_ROWS_TO_SMOOTH else 0.0
    return np.percentile(values, [cut, 100 - cut])


def _style_axes(axes, panel, steps, limits):
    low, high = (0.0, 1.0) if panel == "accuracy" else (limits.min(), limits.max())
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 0.5
    axes.set_ylim(low - margin, high + margin)
    first, last = steps.min(), steps.max()
    axes.set_xlim((first, last) if last > first else (first - 1, last + 1))
    axes.set_title(panel.replace("_", " "), loc="left", fontsize=10, color=INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#c4c4c4")
    axes.tick_params(colors=FAINT_INK, labelsize=8.5, length=0)


def _label_ends(axes, panel, curves):
    """Write beside each curve's end its name and last value, moved apart where they collide."""
    low, high = axes.get_ylim()
    line_height = LABEL_HEIGHT / (_height(panel) - AROUND_AXES)
    ends = np.array([last for _, _, last in curves])
    wanted = np.clip((ends - low) / (high - low), 0, 1)
    # A little higher at the bottom, where the last step stands below the axis.
    heights = LOWEST_LABEL + spread_apart(wanted - LOWEST_LABEL, line_height)
    for (name, color, last), height in zip(curves, heights, strict=True):
        number = f"{last:#.3g}".rstrip(".")
        text = number if [name] == [panel] * len(curves) else f"{name}  {number}"
        axes.text(
            1.012, height, text, color=color, fontsize=8.5, va="center", transform=axes.transAxes
        )


def spread_apart(heights, distance):
    """Heights in the same order, moved as little as needed to be at least `distance` apart.

    Args:
        heights: where labels would stand, 0 (bottom) to 1 (top).
        distance: height of a label.

    Returns:
        (n,) float. All are within 0 and 1 where that many labels fit, else below 1.
    """
    order = np.argsort(heights, kind="stable")
    wanted = np.asarray(heights, np.float64)[order]
    offsets = distance * np.arange(len(wanted))
    # Free of the offsets, "apart" means "not decreasing". Pushed up and pushed down are both
    # that, and so is the middle between the two, which leaves a crowd where it was.
    free = wanted - offsets
    pushed_up = np.maximum.accumulate(free)
    pushed_down = np.minimum.accumulate(free[::-1])[::-1]
    middle = np.maximum((pushed_up + pushed_down) / 2, 0)
    placed = np.empty_like(wanted)
    placed[order] = np.minimum(middle, 1 - offsets[-1]) + offsets
    return placed
