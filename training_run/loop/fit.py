"""The one fit loop: from a checked configuration to a finished run folder."""

from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from training_run.config.intervals import resolve_schedule
from training_run.config.load import config_to_yaml
from training_run.devices.strategy import check_same_on_all, distribute_batches, wait_for_workers
from training_run.errors import UserError
from training_run.family import build_model
from training_run.interrupts import handling_signals
from training_run.loop.callbacks import (
    AtEnd,
    Checkpoints,
    CsvLog,
    Diverged,
    Restore,
    SampleGrids,
    StepClock,
    StopAfterMinutes,
    StopWhenNotFinite,
    TensorBoard,
    is_time_up,
)
from training_run.loop.context import RunContext
from training_run.loop.outputs import (
    describe_run,
    estimate_bytes,
    metric_columns,
    repair_finished,
    report_divergence,
    report_end,
    report_start,
    rewind,
    write_pictures,
)
from training_run.loop.progress import SaySpeed, progress_callback
from training_run.loop.sample_grid import row_captions
from training_run.loop.signals import StopRequest
from training_run.loop.workers import follower_callbacks, stop_callback
from training_run.pictures.pixels import NotFinite
from training_run.run_folder.checkpoint import restore_checkpoint
from training_run.run_folder.environment import check_same_start, find_data_change
from training_run.run_folder.find import find_run
from training_run.run_folder.locks import locked, writing
from training_run.run_folder.networks import start_from
from training_run.run_folder.paths import check_disk_space, create_run_dir, write_config
from training_run.step.batches import (
    balanced_order,
    make_batches,
    mirror_and_shift,
    stack_channels,
)


def train(family, config, data, devices):
    """Train a model in a new run folder, which the chief makes.

    Args:
        family: the `Family` of the model.
        config: its checked configuration.
        data: the `ImageData`.
        devices: the `Devices` to train on.

    Returns:
        The `Ended` run.

    Raises:
        UserError: before anything is written, if the disk is too full; later, if something
            cannot be written. What has been written is whole.
    """
    check_same_on_all(devices, **shared_facts(config, data))
    context = open_context(family, config, data, devices)
    request = StopRequest()
    if not devices.is_chief:
        return run_to_end(context, follower_callbacks(context, request), request)
    check_disk_space(config.output_dir, needed_bytes(context))
    run = create_run_dir(config.output_dir, config.name)
    context = replace(context, run=run)
    with locked(run), writing(run):
        write_config(run, config, family.package)
        describe_run(context, family)
        return run_to_end(context, make_callbacks(family, context, request), request)


def resume(family, config, data, devices, run, checkpoint, changes, may_change_data=False):
    """Go on in a run folder from its last whole checkpoint, as if it had never stopped.

    A run that was killed before its first checkpoint begins again. Of a finished run, missing
    networks and pictures are made again. All that may refuse comes before anything is written.

    Args, returns and raises as `train`, and:
        run: the run's folder.
        checkpoint: its newest whole checkpoint, or None.
        changes: list of `Change` from the configuration that it was last trained with.
        may_change_data: True if other images than the run began with are meant.
    """
    with locked(run) if devices.is_chief else nullcontext(), writing(run):
        other_data = find_data_change(run, data, family.arrays_used(config))
        if other_data and not may_change_data:
            raise UserError(f"{other_data.text}; to go on with it, add --allow-change data")
        changes = [*changes, *([other_data.change] if other_data else [])]
        facts = shared_facts(config, data)
        sha256 = checkpoint.record.sha256 if checkpoint else ""
        check_same_on_all(devices, **facts, checkpoint=sha256)
        context = replace(open_context(family, config, data, devices, checkpoint), run=run)
        check_same_start(run, context.initial)
        step, request = context.clock.step, StopRequest()
        minutes = config.training.minutes
        if step >= context.schedule.steps or is_time_up(context.clock, minutes):
            key = "steps" if step >= context.schedule.steps else "minutes"
            print(f"finished already, at step {step:,}; raise training.{key} to go on")
            repair_finished(context)
            return report_end(context, 0)
        if not devices.is_chief:
            return run_to_end(context, follower_callbacks(context, request, checkpoint), request)
        callbacks = make_callbacks(family, context, request, checkpoint)
        rewind(context, family, changes, checkpoint)
        return run_to_end(context, callbacks, request)


def needed_bytes(context):
    """Most that a run keeps on disk at once."""
    shape = context.data.spec.image_shape
    return estimate_bytes(context.config, context.schedule, context.model, shape)


def shared_facts(config, data):
    """What all workers must have alike: name to text, the likeliest to differ first."""
    return {
        "training.precision": config.training.precision,  # `auto` may differ by machine
        "configuration": config_to_yaml(config),
        "data": data.checksum,
    }


def open_context(family, config, data, devices, checkpoint=None):
    """The `RunContext`, still without a folder, with the model as the checkpoint has it."""
    record = checkpoint.record if checkpoint else None
    step, seconds = (record.step, record.seconds) if record else (0, 0.0)
    images, helper = family.prepare(config, data)
    spec = data.spec
    schedule = resolve_schedule(config, spec.num_train, family.intervals(config), step)
    model = build_model(family, config, spec, schedule.block, devices.scope())
    initial = None
    if checkpoint:
        restore_checkpoint(checkpoint, model)
    elif config.init.run:
        initial = start_from(find_run(config.init.run, config.output_dir), model, config.init.run)
    clock = StepClock(schedule.steps, step, seconds)
    return RunContext(config, images, data, helper, schedule, model, None, clock, devices, initial)


def run_to_end(context, callbacks, request):
    """Run Keras's `fit` over what is left of the run, as one epoch with callbacks.

    However it ends, the run folder gets its pictures, and all workers end together.

    Args:
        context: the `RunContext`.
        callbacks: from `make_callbacks`, or `follower_callbacks` of another worker.
        request: the `StopRequest` that they look at.

    Returns:
        The `Ended` run.
    """
    clock, devices = context.clock, context.devices
    report_start(context)
    with handling_signals(request):
        try:
            context.model.fit(
                distribute_batches(remaining_batches(context), devices),
                steps_per_epoch=clock.total - clock.first_step,
                shuffle=False,
                verbose=0,
                callbacks=callbacks,
            )
            wait_for_workers(devices)
        except (Diverged, NotFinite) as reason:
            if devices.is_chief:
                write_pictures(context)
                report_divergence(context, reason)
            return report_end(context, 1)
    return report_end(context, 130 if request.received and clock.step < clock.total else 0)


def remaining_batches(context):
    """The batches from the context's first step to the run's last."""
    config, clock = context.config, context.clock
    is_balanced, labels = config.data.balance, context.data.y_train
    return make_batches(
        context.data,
        batch_size=config.training.batch_size,
        seed=config.seed,
        first_step=clock.first_step,
        num_steps=clock.total - clock.first_step,
        draw=context.model.draw,
        augment=augmentation(config, context.data.num_stacked),
        order=balanced_order(labels, config.seed) if is_balanced else None,
    )


def augmentation(config, num_stacked):
    """What is done to each batch of images as bytes, a function of (images, step); or None."""
    seed, max_shift, change = config.seed, config.data.mirror_and_shift, None
    if config.data.mirror or max_shift is not None:
        change = mirror_and_shift(seed, max_shift or 0)
    if num_stacked == 1:
        return change
    stack = stack_channels(seed, num_stacked)
    return stack if change is None else lambda images, step: stack(change(images, step), step)


def make_callbacks(family, context, request, checkpoint=None):
    """The callbacks in the order they must run: the clock first, checkpoints after all output.

    A checkpoint at step N thus means that everything due at step N has been written.
    """
    config, schedule, run, clock = context.config, context.schedule, context.run, context.clock
    make_images = family.grid(context.model, config, context.data)
    look = (make_images, config.model.value_range, config.samples.num_columns)
    titles = family.grid_titles(context.model, config)
    captions = row_captions(context.model, context.data)
    callbacks = [
        *([Restore(checkpoint)] if checkpoint else []),
        clock,
        StopAfterMinutes(clock, config.training.minutes),
        StopWhenNotFinite(clock, schedule.block),
        *family.callbacks(context),
        progress_callback(clock, config.training.minutes),
    ]
    if config.training.minutes is not None:
        callbacks.append(SaySpeed(clock, config.training.minutes))
    if config.log.tensorboard:
        callbacks.append(TensorBoard(clock, schedule.log_every, run.path / "tensorboard"))
    log = CsvLog(clock, schedule.log_every, run.log, metric_columns(context, family))
    callbacks += [
        log,
        SampleGrids(clock, schedule.samples_every, *look, run.sample, titles, captions),
    ]
    if schedule.gif_every != schedule.samples_every:
        frames = SampleGrids(clock, schedule.gif_every, *look, run.frame, titles, captions)
        callbacks.append(frames)
    return [
        *callbacks,
        AtEnd(partial(write_pictures, context)),
        Checkpoints(clock, schedule.checkpoints_every, run, config, log),
        stop_callback(context, request),
    ]
