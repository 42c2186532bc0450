"""What a run writes and says beside its training: pictures, records, first and last words."""

import math

import numpy as np

from training_run.config.sections import HOLD_LAST_SECONDS
from training_run.devices.strategy import report_devices
from training_run.errors import UserError
from training_run.loop.context import Ended
from training_run.pictures.curves import plot_losses
from training_run.pictures.gif import readable_frames, write_gif
from training_run.pictures.grid import save_image_grid
from training_run.run_folder.checkpoint import checkpoints_in, state_variables
from training_run.run_folder.environment import (
    describe_data,
    environment_path,
    note_changes,
    write_environment,
)
from training_run.run_folder.image_files import write_image_files
from training_run.run_folder.log import read_events, read_log, whole_rows
from training_run.run_folder.networks import save_networks
from training_run.run_folder.paths import write_config
from training_run.run_folder.resume import may_change, remove_after, remove_later_best

EXPLODED = 1000
"""Size of a loss, per pixel of an image, from which on the training has diverged."""


def report_start(context):
    """Say where the run lives and how it is going to run."""
    schedule, first_step = context.schedule, context.clock.first_step
    folder = context.run.path if context.devices.is_chief else "the chief's"
    print(f"run folder: {folder}")
    if first_step:
        print(f"resuming after step {first_step:,} of {schedule.steps:,}")
    if context.config.training.precision != "float32":
        print(f"training.precision: {context.config.training.precision}")
    report_devices(context.devices, context.config)
    if context.devices.strategy is None and schedule.steps > 1 and schedule.block < 10:
        print(
            f"note: the steps run in blocks of {schedule.block}, since the intervals and the run's "
            "length have no larger common divisor up to 50; rounder intervals are quicker"
        )


def report_divergence(context, reason):
    """Say why training ended, and what is left of it."""
    steps = [step for step, _ in checkpoints_in(context.run.checkpoints) if step]
    left = f"the last good state is that of step {steps[-1]:,}" if steps else "no state was saved"
    print(f"step {context.clock.step:,}: {reason}; {left}.")
    print("Try a lower learning rate (optimizer.learning_rate).")


def report_end(context, exit_code):
    """Say what to look at; returns the `Ended` run."""
    run = context.run
    if run is not None:
        for sentence in exploded_losses(context)[:1]:  # the sum, before its terms
            print(sentence)
        made = [name for name in ("progress.gif", "losses.png") if (run.path / name).exists()]
        print(f"{run.path}: look at {', '.join([*made, 'samples/'])}")
    return Ended(run, exit_code)


def exploded_losses(context):
    """Sentences about losses that are still finite, but have exploded."""
    limit = EXPLODED * math.prod(context.data.spec.image_shape)
    try:
        columns = read_log(context.run.log)
    except UserError:  # no log yet, or a damaged one
        return []
    last = {name: values[-1] for name, values in columns.items() if name.endswith("loss")}
    return [
        f"note: {name} is {value:.3g} at the end: the training has diverged. Try a lower learning "
        "rate (optimizer.learning_rate)."
        for name, value in last.items()
        if abs(value) > limit
    ]


def describe_run(context, family):
    """Write what is known before training: environment.json and a grid of real images."""
    config, run = context.config, context.run
    images = describe_data(context.source_data, family.arrays_used(config))
    brought = {"sources": family.sources(config), "initial": context.initial}
    write_environment(run, config.seed, images, context.devices, **brought)
    write_files_of(context)
    num_images = config.samples.num_rows * config.samples.num_columns
    reals = context.data.examples(np.arange(min(num_images, len(context.data.x_train))))
    save_image_grid(run.path / "reals.png", reals, (0, 255), config.samples.num_columns)


def write_files_of(context):
    """Write which files the run learns from, where they lie in a folder."""
    if context.source_data.files is not None:
        write_image_files(context.run, context.source_data.files)


def metric_columns(context, family):
    """Names of the columns of log.csv after step and seconds."""
    metrics = [metric.name for metric in context.model.metrics]
    return [*metrics, *family.log_columns(context.config)]


def write_pictures(context):
    """Write `losses.png` and `progress.gif` from what this run has made so far."""
    run, schedule, config = context.run, context.schedule, context.config
    events = read_events(run.path / "health.log")
    if run.log.exists():
        try:
            plot_losses(read_log(run.log), run.path / "losses.png", config.name, events)
        except UserError as reason:  # the log was damaged underneath
            print(f"losses.png is not drawn: {reason}")
    path_of = run.sample if schedule.gif_every == schedule.samples_every else run.frame
    last = context.clock.step
    steps = sorted({*range(0, last + 1, schedule.gif_every), last})
    frames = readable_frames([(step, path_of(step)) for step in steps if path_of(step).exists()])
    if frames:
        write_gif(
            run.gif,
            [(step_caption(step, events), path) for step, path in frames],
            total_seconds=config.gif.seconds,
            hold_last_seconds=HOLD_LAST_SECONDS,
        )


def step_caption(step, events):
    """A frame's caption: its step, and what had gone wrong last by then."""
    labels = [event.label for event in events if event.step <= step]
    return f"step {step:,}: {labels[-1]}" if labels else f"step {step:,}"


def estimate_bytes(config, schedule, model, image_shape):
    """Most that a run keeps on disk at once: checkpoints, networks and pictures.

    Args:
        config: its configuration.
        schedule: its `Schedule`.
        model: the compiled composite.
        image_shape: (H, W, C).
    """
    state = sum(4 * variable.shape.num_elements() for variable in state_variables(model).values())
    networks = sum(4 * network.count_params() for network in model.networks().values())
    height, width, channels = image_shape
    cells = config.samples.num_rows * config.samples.num_columns
    # A grid's PNG is below the size of its raw pixels, also when the pixels are drawn larger.
    grids = 1 + schedule.steps // min(schedule.samples_every, schedule.gif_every)
    pictures = 2 * grids * cells * height * width * channels
    return (config.checkpoints.keep + 1) * state + 2 * networks + pictures + 10_000_000


def rewind(context, family, changes, checkpoint):
    """Make a run folder what it was at the step that the run goes on from."""
    config, run, step = context.config, context.run, context.clock.first_step
    used = family.arrays_used(config)
    report_lost_rows(run, step, checkpoint)  # it refuses what is no log before anything is written
    if not environment_path(run).exists():
        if step:
            print("environment.json is missing: it is written again, from the images of now")
        describe_run(context, family)
    write_config(run, config, family.package)
    if changes:
        keys = {change.key: [change.before, change.after] for change in changes}
        note_changes(run, step, keys, describe_data(context.source_data, used))
        if "data" in keys:
            write_files_of(context)
    if not all(may_change(change.key) for change in changes):
        remove_later_best(run, step)
    remove_after(run, step, metric_columns(context, family))


def report_lost_rows(run, step, checkpoint):
    """Say which rows of the log, up to the step that a run goes on from, are lost.

    Raises:
        UserError: if log.csv is there and no log.
    """
    if not run.log.exists():
        if step:
            print(f"log.csv is missing: its rows up to step {step:,} are lost")
        return
    found, expected = len(whole_rows(run.log, step)[1]), checkpoint and checkpoint.record.log_rows
    if expected and found < expected:
        print(
            f"{run.log}: expected {expected:,} rows up to step {step:,}, received {found:,}; "
            "rows that are missing or damaged are left out"
        )


def repair_finished(context):
    """Make again what is missing of a finished run and follows from what is left."""
    run, model = context.run, context.model
    if not context.devices.is_chief:
        return
    if not all(run.network(name).is_file() for name in model.networks()):
        save_networks(run, model)
    if not (run.gif.is_file() and (run.path / "losses.png").is_file()):
        write_pictures(context)
