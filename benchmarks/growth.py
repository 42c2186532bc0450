"""Milliseconds a step as batch, width and image grow, beside the floor's: a plot and numbers. And
of images in memory beside those in a mapped file."""

import argparse
import dataclasses
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.floor import floor
from benchmarks.models import THREAD_VARIABLES
from training_run.pictures.curves import COLORS
from training_run.tensorflow_import import import_tensorflow

SECONDS = 4.0
"""Least time that a point is measured for, once its step is compiled."""

BLOCK = 10
"""Steps in one execution: few enough for many medians, also of slow steps."""

MILLISECONDS = (2, 5, 10, 20, 50, 100, 200, 500)
"""Ticks of the plot."""


@dataclasses.dataclass(frozen=True)
class Axis:
    """One thing that grows while all else stays.

    Attributes:
        title: of its panel.
        label: of its values.
        preset: what stays.
        values: what it grows through.
        overrides: value -> keys of the preset to change.
        image_side: value -> side of the images, which are noise: times do not depend on them.
        num_channels: 1 grey, 3 colour.
    """

    title: str
    label: str
    preset: str
    values: tuple
    overrides: Callable
    image_side: Callable = lambda value: 28
    num_channels: int = 1


def widths(factor):
    """The dense networks of `gan_mlp`, every layer so many times as wide."""
    scaled = lambda sizes: [int(factor * size) for size in sizes]  # noqa: E731
    return (
        f"model.generator_widths={scaled((256, 512, 1024))}",
        f"model.discriminator_widths={scaled((512, 256))}",
    )


AXES = (
    Axis(
        "gan_mlp: batch", "images in a batch", "gan_mlp", (16, 32, 64, 128, 256, 512),
        lambda value: (f"training.batch_size={value}",),
    ),
    Axis("gan_mlp: width", "times as wide", "gan_mlp", (0.5, 1, 2, 4), widths),
    Axis(
        "gan_dcgan: batch", "images in a batch", "gan_dcgan", (16, 32, 64, 128, 256),
        lambda value: (f"training.batch_size={value}",),
    ),
    Axis(
        "gan_dcgan: image side", "pixels a side, batch 32", "gan_dcgan", (28, 64, 128),
        lambda value: ("training.batch_size=32",),
        image_side=lambda value: value,
    ),
)  # fmt: skip


MAPPED = Axis(
    "gan_mlp: colour images", "pixels a side", "gan_mlp", (32,), lambda value: (),
    image_side=lambda value: value, num_channels=3,
)  # fmt: skip
"""Small steps on images as they come from a folder, where reading them would show."""


def make_point(axis, value):
    """A model as `train` makes it, and its noise images.

    Returns:
        (configuration, model, `ImageData`).
    """
    import numpy as np

    from gan_mnist.family import FAMILY
    from training_run.config.load import find_config, load_config
    from training_run.data.image_data import DataSpec, ImageData
    from training_run.family import build_model
    from training_run.step.precision import resolve_for_machine

    config = load_config(FAMILY.config_class, find_config(axis.preset), axis.overrides(value))
    config = resolve_for_machine(config)
    shape = (axis.image_side(value),) * 2 + (axis.num_channels,)
    images = np.random.default_rng(0).integers(0, 256, (2048, *shape), dtype=np.uint8)
    labels = np.zeros(len(images), np.int32)
    data = ImageData(images, labels, images[:1], labels[:1], 10, "noise", "")
    model = build_model(FAMILY, config, DataSpec(len(images), shape, 10), BLOCK)
    return config, model, data


def measure(config, model, data):
    """Median milliseconds a step of `fit`, over blocks, the compiling one left out."""
    import keras

    from training_run.step.batches import make_batches

    class Clock(keras.callbacks.Callback):
        """When each block ended; stops `fit` when it has seen enough."""

        def __init__(self):
            super().__init__()
            self.ends = []

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append(time.perf_counter())
            self.model.stop_training = self.ends[-1] - self.ends[0] > SECONDS

    clock, block, most = Clock(), model.steps_per_execution, 100_000
    batches = make_batches(data, config.training.batch_size, 0, 0, most, draw=model.draw)
    model.fit(batches, steps_per_epoch=most, shuffle=False, verbose=0, callbacks=[clock])
    between = [after - before for before, after in zip(clock.ends, clock.ends[1:], strict=False)]
    return 1000 * statistics.median(between) / block


def measure_axis(axis):
    """The axis's points: a list of dicts with value, milliseconds and the floor's."""
    points = []
    for value in axis.values:
        config, model, data = make_point(axis, value)
        point = {
            "value": value,
            "milliseconds": measure(config, model, data),
            "floor": floor(config, model.networks())["milliseconds"],
            "precision": config.training.precision,
        }
        points.append(point)
        ratio = point["milliseconds"] / point["floor"]
        print(
            f"{axis.title:22} {value:5}  {point['milliseconds']:8.2f} ms  floor "
            f"{point['floor']:8.2f} ms  {ratio:.2f}", flush=True,
        )  # fmt: skip
    return points


def measure_mapped(num_images=200_000):
    """`gan_mlp` on 32x32 colour images in memory and in a mapped file, in turns: a list of dicts.

    The file is in the system's page cache, as after a first epoch.
    """
    import numpy as np

    points = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        images = np.random.default_rng(0).integers(0, 256, (num_images, 32, 32, 3), dtype=np.uint8)
        np.save(path, images)
        for _ in range(3):
            for where, x_train in (
                ("memory", images),
                ("file", np.load(path, mmap_mode="c", allow_pickle=False)),
            ):
                points.append({"where": where, "milliseconds": measure_on(x_train)})
                print(f"{num_images:,} images in {where}: {points[-1]['milliseconds']:.2f} ms")
    return points


def measure_on(x_train):
    """Milliseconds a step of `gan_mlp` on these images."""
    config, model, data = make_point(MAPPED, x_train.shape[1])
    return measure(config, model, dataclasses.replace(data, x_train=x_train, y_train=None))


def plot(results, path):
    """A panel for each axis: measured and floor over what grows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, axis in zip(figure.subplots(1, len(AXES), sharey=True), AXES, strict=True):
        plot_axis(axes, axis, results[axis.title])
    figure.axes[0].set_ylabel("milliseconds a step")
    figure.axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


def plot_axis(axes, axis, points):
    """One panel, both scales logarithmic."""
    values = [point["value"] for point in points]
    lines = (("milliseconds", "measured", "-"), ("floor", "floor", "--"))
    for color, (key, name, style) in zip(COLORS, lines, strict=False):
        heights = [point[key] for point in points]
        axes.plot(values, heights, style, color=color, marker="o", markersize=3, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set(xlabel=axis.label, xticks=values, xticklabels=[f"{value:g}" for value in values])
    axes.set(yticks=MILLISECONDS, yticklabels=map(str, MILLISECONDS))
    axes.set_title(f"{axis.title}\n{points[0]['precision']}", loc="left", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


def main(argv=None):
    """Measure every axis, write the plot and its numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--out", type=Path, default=Path("outputs/growth.png"))
    arguments = parser.parse_args(argv)
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(arguments.threads)))
    import_tensorflow()
    results = {axis.title: measure_axis(axis) for axis in AXES}
    results["mapped"] = measure_mapped()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.with_suffix(".json").write_text(json.dumps(results, indent=2) + "\n")
    plot(results, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    sys.exit(main())
