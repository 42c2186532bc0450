"""The one fit loop: from a checked configuration to a finished run folder."""

from dataclasses import dataclass

from training_run.callbacks import (
    Checkpoints,
    CsvLog,
    Diverged,
    Restore,
    SampleGrids,
    StepClock,
    StopOnSignal,
    StopWhenNotFinite,
    TensorBoard,
    progress_callback,
    stop_on_signals,
)
from training_run.checkpoint import latest_checkpoint, state_variables
from training_run.curves import plot_losses
from training_run.data import DataSpec, ImageData
from training_run.family import Family
from training_run.files import write_text
from training_run.gif import write_gif
from training_run.images import save_image_grid
from training_run.intervals import Schedule, resolve_schedule
from training_run.rundir import (
    RunDir,
    check_disk_space,
    check_same_data,
    create_run_dir,
    locked,
    write_config,
    write_environment,
)


@dataclass(frozen=True)
class RunContext:
    """All that a callback of a family may need.

    `data` are the images as the family prepared them, `source_data` as they were read.
    """

    config: object
    data: ImageData
    source_data: ImageData
    schedule: Schedule
    model: object
    run: RunDir
    clock: StepClock


def train(family: Family, config, data: ImageData, spec: DataSpec):
    """Train a model of `family` in a new run folder.

    Args:
        family: the kind of model.
        config: its checked configuration.
        data: the images.
        spec: their description.

    Returns:
        (RunDir, exit code): 0 done, 1 diverged, 130 stopped by a signal.

    Raises:
        UserError: before anything is written, if the disk is too full.
    """
    schedule = resolve_schedule(config, spec.num_train, family.intervals(config))
    model = family.build(config, spec, schedule.block)
    images = family.prepare(config, data)
    check_disk_space(config.output_dir, estimate_bytes(model, schedule, config, spec))
    run = create_run_dir(config.output_dir, config.name)
    with locked(run):
        write_config(run, config)
        describe_run(run, config, images)
        clock = StepClock(schedule.steps)
        context = RunContext(config, images, data, schedule, model, run, clock)
        return run, run_to_end(family, context)


def resume(family: Family, config, data: ImageData, spec: DataSpec, run: RunDir):
    """Go on in a run folder from its last whole checkpoint, as if it had never stopped.

    Args, returns and raises as `train`, and:
        run: the run's folder.
    """
    with locked(run):
        checkpoint = latest_checkpoint(run.checkpoints)
        intervals = family.intervals(config)
        schedule = resolve_schedule(config, spec.num_train, intervals, checkpoint.step)
        if checkpoint.step >= schedule.steps:
            print(f"finished already, at step {checkpoint.step:,}; raise training.steps to go on")
            return run, 0
        check_same_data(run, data)
        model = family.build(config, spec, schedule.block)
        images = family.prepare(config, data)
        write_config(run, config)
        forget_after(run, checkpoint.step)
        clock = StepClock(schedule.steps, checkpoint.step, checkpoint.seconds)
        context = RunContext(config, images, data, schedule, model, run, clock)
        return run, run_to_end(family, context, checkpoint)


def run_to_end(family, context, checkpoint=None):
    """Fit, and write the pictures of the whole run however it ends.

    Returns:
        Exit code: 0 done, 1 diverged, 130 stopped by a signal.
    """
    clock = context.clock
    report_start(context.run, context.schedule, clock.first_step)
    with stop_on_signals() as request:
        try:
            fit(family, context, request, checkpoint)
        except Diverged as reason:
            print(f"{reason}; the last good state is in {context.run.checkpoints}.")
            print("Try a lower learning rate (optimizer.learning_rate).")
            return 1
        finally:
            write_pictures(context)
    return 130 if request.received and clock.step < clock.total else 0


def fit(family, context, request, checkpoint=None):
    """Run Keras's `fit` over what is left of the run, as one epoch with callbacks."""
    from training_run.batches import make_batches, mirror_and_shift

    config, clock, model = context.config, context.clock, context.model
    num_steps = clock.total - clock.first_step
    max_shift = config.data.mirror_and_shift
    batches = make_batches(
        context.data,
        batch_size=config.training.batch_size,
        seed=config.seed,
        first_step=clock.first_step,
        num_steps=num_steps,
        draw=model.draw,
        augment=None if max_shift is None else mirror_and_shift(config.seed, max_shift),
    )
    callbacks = make_callbacks(family, context, request)
    if checkpoint:
        callbacks.insert(0, Restore(checkpoint))
    model.fit(batches, steps_per_epoch=num_steps, shuffle=False, verbose=0, callbacks=callbacks)


def make_callbacks(family, context, request):
    """The callbacks in the order they must run: the clock first, checkpoints after all output.

    A checkpoint at step N thus means that everything due at step N has been written.
    """
    config, schedule, run, clock = context.config, context.schedule, context.run, context.clock
    make_images = family.grid(context.model, config, context.data)
    look = (make_images, config.model.value_range, config.samples.num_columns)
    columns = [metric.name for metric in context.model.metrics] + [*family.log_columns(config)]
    callbacks = [
        clock,
        StopWhenNotFinite(clock, schedule.block),
        *family.callbacks(context),
        progress_callback(clock),
    ]
    if config.log.tensorboard:
        callbacks.append(TensorBoard(clock, schedule.log_every, run.path / "tensorboard"))
    callbacks += [
        CsvLog(clock, schedule.log_every, run.log, columns),
        SampleGrids(clock, schedule.samples_every, *look, run.sample),
    ]
    if schedule.gif_every != schedule.samples_every:
        callbacks.append(SampleGrids(clock, schedule.gif_every, *look, run.frame))
    callbacks += [
        Checkpoints(clock, schedule.checkpoints_every, run, config.checkpoints.keep),
        StopOnSignal(request),
    ]
    return callbacks


def describe_run(run, config, data):
    """Write what is known before training: environment.json and a grid of real images."""
    write_environment(run, config.seed, data)
    num_images = config.samples.num_rows * config.samples.num_columns
    reals = data.x_train[:num_images]
    save_image_grid(run.path / "reals.png", reals, (0, 255), config.samples.num_columns)


def forget_after(run, step):
    """Remove log rows and grids later than `step`: they are about to be made again."""
    for path in run.path.glob("*/step_*.png"):
        if int(path.stem.removeprefix("step_")) > step:
            path.unlink()
    if run.log.exists():
        head, *rows = run.log.read_text(encoding="utf-8").splitlines() or [""]
        cells = ((row.partition(",")[0], row) for row in rows)
        kept = [row for cell, row in cells if cell.isdigit() and int(cell) <= step]
        if kept:
            write_text(run.log, "\n".join([head, *kept]) + "\n")
        else:
            run.log.unlink()


def write_pictures(context):
    """`losses.png` and `progress.gif` from what this run has made so far."""
    run, schedule, config = context.run, context.schedule, context.config
    if run.log.exists():
        plot_losses(run.log, run.path / "losses.png", config.name)
    path_of = run.sample if schedule.gif_every == schedule.samples_every else run.frame
    last = context.clock.step
    steps = sorted({*range(0, last + 1, schedule.gif_every), last})
    frames = [(step, path_of(step)) for step in steps if path_of(step).exists()]
    if frames:
        write_gif(run.gif, frames, total_seconds=config.gif.seconds)


def estimate_bytes(model, schedule, config, spec):
    """Most that a run keeps on disk at once: checkpoints, networks and pictures."""
    state = sum(4 * variable.shape.num_elements() for variable in state_variables(model).values())
    networks = sum(4 * network.count_params() for network in model.networks().values())
    height, width, channels = spec.image_shape
    cells = config.samples.num_rows * config.samples.num_columns
    # A grid's PNG is below the size of its raw pixels, also when the pixels are drawn larger.
    grids = 1 + schedule.steps // min(schedule.samples_every, schedule.gif_every)
    pictures = 2 * grids * cells * height * width * channels
    return (config.checkpoints.keep + 1) * state + 2 * networks + pictures + 10_000_000


def report_start(run, schedule, first_step):
    """Say where the run lives and how it is going to run."""
    print(f"run folder: {run.path}")
    if first_step:
        print(f"resuming after step {first_step:,} of {schedule.steps:,}")
    if schedule.steps > 1 and schedule.block < 10:
        print(
            f"note: the steps run in blocks of {schedule.block}, since the intervals and the run's "
            "length have no larger common divisor up to 50; rounder intervals are quicker"
        )
