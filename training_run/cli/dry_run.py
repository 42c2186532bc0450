"""What a run would do, printed without doing it."""

from training_run.config.intervals import resolve_schedule
from training_run.config.load import config_to_yaml
from training_run.family import build_model
from training_run.loop.outputs import estimate_bytes
from training_run.run_folder.find import find_run
from training_run.run_folder.networks import start_from
from training_run.run_folder.paths import check_disk_space


def print_plan(family, config, spec, initial):
    """Print the resolved configuration, the schedule in steps and each network's layers.

    Returns:
        Exit code 0.

    Raises:
        UserError: the disk has no room for the run.

    Args:
        family: a `Family`.
        config: its checked configuration.
        spec: the data set's `DataSpec`.
        initial: the run whose networks it would start from; None for none.
    """
    schedule = resolve_schedule(config, spec.num_train, family.intervals(config))
    model = build_model(family, config, spec, schedule.block)
    needed = estimate_bytes(config, schedule, model, spec.image_shape)
    check_disk_space(config.output_dir, needed)
    if initial:
        start_from(find_run(initial, config.output_dir), model, initial)
    print(config_to_yaml(config))
    height, width, channels = spec.image_shape
    print(f"# {spec.num_train:,} training images of {height}x{width}x{channels}")
    for note in spec.notes:
        print(f"# {note}")
    print(
        f"# {schedule.steps:,} steps, {schedule.steps_per_epoch:,} an epoch, {schedule.block} in "
        f"one execution; a grid every {schedule.samples_every:,}, a log row every "
        f"{schedule.log_every:,}, a checkpoint every {schedule.checkpoints_every:,}\n"
    )
    for name, network in model.networks().items():
        print_network(name, network)
    total = sum(network.count_params() for network in model.networks().values())
    print(f"all networks: {total:,} parameters")
    return 0


def print_network(name, network):
    """Print a network's layer table and totals."""
    print(name)
    print(f"  {'layer':<28}{'output shape':<22}{'parameters':>12}")
    for layer in network.layers:
        shape = " x ".join(str(side) for side in _output_shape(layer))
        print(f"  {layer.name:<28}{shape:<22}{layer.count_params():>12,}")
    trainable = sum(weight.shape.num_elements() for weight in network.trainable_weights)
    total = network.count_params()
    print(f"  {'total':<50}{total:>12,}")
    print(f"  {'trainable':<50}{trainable:>12,}\n")


def _output_shape(layer):
    output = layer.output[0] if isinstance(layer.output, list) else layer.output
    return output.shape[1:]
