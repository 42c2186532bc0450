"""The one fit loop: from a checked configuration to a finished run folder."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from training_run.config.intervals import Schedule, resolve_schedule
from training_run.config.load import config_to_yaml
from training_run.data.datasets import DataSpec, ImageData
from training_run.devices.strategy import (
    ONE_DEVICE,
    Devices,
    check_same_on_all,
    distribute_batches,
    report_devices,
    wait_for_workers,
)
from training_run.errors import UserError
from training_run.family import Family, build_model
from training_run.loop.callbacks import (
    AtEnd,
    Checkpoints,
    CsvLog,
    Diverged,
    Restore,
    SampleGrids,
    StepClock,
    StopWhenNotFinite,
    TensorBoard,
    stop_on_signals,
)
from training_run.loop.progress import progress_callback
from training_run.loop.workers import follower_callbacks, stop_callback
from training_run.pictures.curves import plot_losses
from training_run.pictures.gif import readable_frames, write_gif
from training_run.pictures.grid import save_image_grid
from training_run.run_folder.checkpoint import (
    latest_checkpoint,
    restore_checkpoint,
    state_variables,
)
from training_run.run_folder.environment import check_same_data, write_environment
from training_run.run_folder.locks import locked, writing
from training_run.run_folder.networks import save_networks
from training_run.run_folder.paths import RunDir, check_disk_space, create_run_dir, write_config
from training_run.run_folder.resume import (
    MAY_CHANGE,
    changes_between,
    forget_after,
    forget_later_best,
    has_begun,
    is_one_of,
    note_changes,
)


@dataclass(frozen=True)
class RunContext:
    """All that a callback of a family may need.

    `data` are the images as the family prepared them, `source_data` as they were read. `run` is
    None on a worker that is not the chief of a new run.
    """

    config: object
    data: ImageData
    source_data: ImageData
    schedule: Schedule
    model: object
    run: RunDir | None
    clock: StepClock
    devices: Devices = ONE_DEVICE


def train(family: Family, config, data: ImageData, spec: DataSpec, devices=ONE_DEVICE):
    """Train a model of `family` in a new run folder, which the chief makes.

    Args:
        family: the kind of model.
        config: its checked configuration.
        data: the images.
        spec: their description.
        devices: the `Devices` to train on.

    Returns:
        (RunDir, exit code): 0 done, 1 diverged, 130 stopped by a signal. The RunDir is None on a
        worker that is not the chief.

    Raises:
        UserError: before anything is written, if the disk is too full; later, if something
            cannot be written. What has been written is whole.
    """
    check_same_on_all(devices, **what_workers_share(config, data))
    schedule = resolve_schedule(config, spec.num_train, family.intervals(config))
    model = build_model(family, config, spec, schedule.block, devices.scope())
    images = family.prepare(config, data)
    clock = StepClock(schedule.steps)
    context = RunContext(config, images, data, schedule, model, None, clock, devices)
    if not devices.is_chief:
        return None, run_to_end(family, context)
    check_disk_space(config.output_dir, estimate_bytes(model, schedule, config, spec))
    run = create_run_dir(config.output_dir, config.name)
    with locked(run), writing(run):
        write_config(run, config)
        describe_run(run, config, images, devices)
        return run, run_to_end(family, replace(context, run=run))


def resume(
    family: Family,
    config,
    data: ImageData,
    spec: DataSpec,
    run: RunDir,
    stored,
    devices=ONE_DEVICE,
):
    """Go on in a run folder from its last whole checkpoint, as if it had never stopped.

    A run that was killed before its first checkpoint begins again; of a finished one, missing
    networks and pictures are made again.

    Args, returns and raises as `train`, and:
        run: the run's folder.
        stored: the configuration that it was last trained with.
    """
    with locked(run) if devices.is_chief else nullcontext(), writing(run):
        checkpoint = latest_checkpoint(run.checkpoints) if has_begun(run) else None
        step, seconds = (checkpoint.step, checkpoint.seconds) if checkpoint else (0, 0.0)
        schedule = resolve_schedule(config, spec.num_train, family.intervals(config), step)
        check_same_data(run, data)
        # All that may refuse comes before anything is written.
        facts = what_workers_share(config, data)
        check_same_on_all(devices, **facts, checkpoint=f"{checkpoint and checkpoint.sha256}")
        model = build_model(family, config, spec, schedule.block, devices.scope())
        if checkpoint:
            restore_checkpoint(checkpoint, model)
        images = family.prepare(config, data)
        clock = StepClock(schedule.steps, step, seconds)
        context = RunContext(config, images, data, schedule, model, run, clock, devices)
        if step >= schedule.steps:
            print(f"finished already, at step {step:,}; raise training.steps to go on")
            repair_finished(context)
            return run, 0
        if devices.is_chief:
            rewind(family, context, changes_between(stored, config))
        return run, run_to_end(family, context, checkpoint)


def what_workers_share(config, data):
    """What all workers must have alike: what -> its text, the likeliest to differ first."""
    return {
        "training.precision": config.training.precision,  # `auto` may differ by machine
        "configuration": config_to_yaml(config),
        "data": data.checksum,
    }


def rewind(family, context, changes):
    """Make a run folder what it was at the step that the run goes on from."""
    config, run, step = context.config, context.run, context.clock.first_step
    if not (run.path / "environment.json").exists():
        if step:
            print("environment.json is missing: it is written again, from the images of now")
        describe_run(run, config, context.data, context.devices)
    if step and not run.log.exists():
        print(f"log.csv is missing: its rows up to step {step:,} are lost")
    write_config(run, config)
    note_changes(run, step, changes)
    if not all(is_one_of(change.key, MAY_CHANGE) for change in changes):
        forget_later_best(run, step)
    forget_after(run, step, metric_columns(family, context))


def repair_finished(context):
    """Make again what is missing of a finished run and follows from what is left."""
    run, model = context.run, context.model
    if not context.devices.is_chief:
        return
    if not all(run.network(name).is_file() for name in model.networks()):
        save_networks(run, model)
    if not (run.gif.is_file() and (run.path / "losses.png").is_file()):
        write_pictures(context)


def run_to_end(family, context, checkpoint=None):
    """Fit, with the pictures of the whole run however it ends; workers end together.

    Returns:
        Exit code: 0 done, 1 diverged, 130 stopped by a signal.
    """
    clock, run = context.clock, context.run
    report_start(context)
    with stop_on_signals() as request:
        try:
            fit(family, context, request, checkpoint)
            wait_for_workers(context.devices)
        except Diverged as reason:
            if not context.devices.is_chief:
                return 1
            write_pictures(context)
            print(f"{reason}; the last good state is in {run.checkpoints}.")
            print("Try a lower learning rate (optimizer.learning_rate).")
            return 1
    return 130 if request.received and clock.step < clock.total else 0


def fit(family, context, request, checkpoint=None):
    """Run Keras's `fit` over what is left of the run, as one epoch with callbacks."""
    from training_run.step.batches import make_batches, mirror_and_shift

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
    if context.devices.is_chief:
        callbacks = make_callbacks(family, context, request, checkpoint)
    else:
        callbacks = follower_callbacks(context, request, checkpoint)
    batches = distribute_batches(batches, context.devices)
    model.fit(batches, steps_per_epoch=num_steps, shuffle=False, verbose=0, callbacks=callbacks)


def make_callbacks(family, context, request, checkpoint=None):
    """The callbacks in the order they must run: the clock first, checkpoints after all output.

    A checkpoint at step N thus means that everything due at step N has been written.
    """
    config, schedule, run, clock = context.config, context.schedule, context.run, context.clock
    make_images = family.grid(context.model, config, context.data)
    look = (make_images, config.model.value_range, config.samples.num_columns)
    callbacks = [
        *([Restore(checkpoint)] if checkpoint else []),
        clock,
        StopWhenNotFinite(clock, schedule.block),
        *family.callbacks(context),
        progress_callback(clock),
    ]
    if config.log.tensorboard:
        callbacks.append(TensorBoard(clock, schedule.log_every, run.path / "tensorboard"))
    callbacks += [
        CsvLog(clock, schedule.log_every, run.log, metric_columns(family, context)),
        SampleGrids(clock, schedule.samples_every, *look, run.sample),
    ]
    if schedule.gif_every != schedule.samples_every:
        callbacks.append(SampleGrids(clock, schedule.gif_every, *look, run.frame))
    callbacks += [
        AtEnd(partial(write_pictures, context)),
        Checkpoints(clock, schedule.checkpoints_every, run, config.checkpoints.keep),
        stop_callback(context, request),
    ]
    return callbacks


def describe_run(run, config, data, devices):
    """Write what is known before training: environment.json and a grid of real images."""
    write_environment(run, config.seed, data, devices)
    num_images = config.samples.num_rows * config.samples.num_columns
    reals = data.x_train[:num_images]
    save_image_grid(run.path / "reals.png", reals, (0, 255), config.samples.num_columns)


def metric_columns(family, context):
    """Names of the columns of log.csv after step and seconds."""
    metrics = [metric.name for metric in context.model.metrics]
    return [*metrics, *family.log_columns(context.config)]


def write_pictures(context):
    """`losses.png` and `progress.gif` from what this run has made so far."""
    run, schedule, config = context.run, context.schedule, context.config
    if run.log.exists():
        try:
            plot_losses(run.log, run.path / "losses.png", config.name)
        except UserError as reason:  # the log was damaged underneath
            print(f"losses.png is not drawn: {reason}")
    path_of = run.sample if schedule.gif_every == schedule.samples_every else run.frame
    last = context.clock.step
    steps = sorted({*range(0, last + 1, schedule.gif_every), last})
    frames = readable_frames([(step, path_of(step)) for step in steps if path_of(step).exists()])
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
