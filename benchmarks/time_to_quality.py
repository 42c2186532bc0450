"""Score against seconds, from the logs of runs that were scored while they trained."""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import NamedTuple

from training_run.config.yaml_source import read_yaml
from training_run.pictures.curves import COLORS
from training_run.run_folder.find import find_run
from training_run.run_folder.log import read_log


class Course(NamedTuple):
    """One run's Fréchet distances while it trained: preset, seed, and (seconds, distance) pairs."""

    preset: str
    seed: int
    points: list


def read_course(run):
    """The `Course` of a run folder whose log has scores."""
    config = read_yaml(run.config).values
    log = read_log(run.log)
    rows = zip(log["seconds"].tolist(), log["frechet_distance"].tolist(), strict=True)
    points = [row for row in rows if math.isfinite(row[1])]
    return Course(config["name"], config["seed"], points)


def protocol_of(run):
    """What a run was scored by, but for the seed: only runs that agree may share a plot."""
    record = json.loads((run.path / "best/score.json").read_text(encoding="utf-8"))["protocol"]
    return json.dumps({key: value for key, value in record.items() if key != "seed"})


def seconds_to(course, target):
    """Training time of the first score at or under `target`, or None."""
    return next((seconds for seconds, value in course.points if value <= target), None)


def describe(course, target):
    """One row of the table: time to the target, the scores on the way, the last one."""
    reached = seconds_to(course, target)
    seconds, last = course.points[-1]
    least = min(value for _, value in course.points)
    reached = "never" if reached is None else f"{reached:.0f} s"
    return (
        f"{course.preset:16} seed {course.seed}  {target:g} after {reached:>7}  "
        f"least {least:6.2f}  last {last:6.2f} after {seconds:.0f} s"
    )


def plot(courses, target, path):
    """A line for each run, runs of a preset in one colour."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    presets = list(dict.fromkeys(course.preset for course in courses))
    for course in courses:
        index = presets.index(course.preset)
        is_first = next(c for c in courses if c.preset == course.preset) is course
        axes.plot(
            *zip(*course.points, strict=True), color=COLORS[index % len(COLORS)], marker="o",
            markersize=3, label=course.preset if is_first else None,
            linestyle="--" if course.preset.startswith("vae") else "-",
        )  # fmt: skip
    axes.axhline(target, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", yscale="log", xlabel="training time, seconds (scoring included)")
    axes.set_title("Fréchet distance of samples while training (lower is better)", loc="left")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main(argv=None):
    """Print a table and write the plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_quality")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--outputs", default="outputs")
    parser.add_argument("--target", type=float, default=8.0, help="default: 8")
    parser.add_argument("--out", type=Path, default=Path("outputs/time_to_quality.png"))
    arguments = parser.parse_args(argv)
    runs = [find_run(reference, arguments.outputs) for reference in arguments.runs]
    if len({protocol_of(run) for run in runs}) > 1:
        sys.exit("expected runs that were scored by one protocol, received several")
    courses = [read_course(run) for run in runs]
    for course in courses:
        print(describe(course, arguments.target))
    plot(courses, arguments.target, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
