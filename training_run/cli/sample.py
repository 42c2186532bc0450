"""The `sample` command: pictures or arrays from a saved generator or decoder."""

from pathlib import Path

from training_run.cli.arguments import add_run_arguments, check_draw, checked_out
from training_run.cli.parser import CommandParser
from training_run.cli.run_command import run_command
from training_run.config.load import load_config
from training_run.run_folder.find import check_family, find_run
from training_run.step.sampling import choose_labels, generate
from training_run.tensorflow_import import import_tensorflow

MAX_IMAGES = 1_000_000


def sample_command(family, program, network_name, argv=None):
    """`python -m <program> RUN [--num N] [--seed S] [--label K] [--out FILE]`.

    Args:
        family: the `Family` whose runs it reads.
        program: its module, for the usage text.
        network_name: "generator" or "decoder".
        argv: arguments; None for the process's own.

    Returns:
        Exit code.
    """
    parser = CommandParser(
        prog=f"python -m {program}",
        description="Samples from a finished or running run: a PNG grid, or uint8 arrays as .npz.",
    )
    add_run_arguments(parser, "RUN-samples.png, here")
    parser.add_argument("--num", type=int, default=64, help="how many images (default: 64)")
    parser.add_argument("--label", type=int, help="class, for a conditional model")
    return run_command(_sample, family, network_name, parser.parse_args(argv))


def _sample(family, network_name, arguments):
    check_draw(arguments.num, MAX_IMAGES, arguments.seed)
    run = find_run(arguments.run, arguments.outputs, family.name)
    out = checked_out(arguments.out or Path(f"{run.path.resolve().name}-samples.png"))
    check_family(run, family.name)
    config = load_config(family.config_class, run.config)
    import_tensorflow()
    from training_run.run_folder.networks import load_network

    network = load_network(run, network_name)
    labels = choose_labels(network, arguments.label, arguments.num)
    images = generate(network, arguments.num, arguments.seed, config.model.value_range, labels)
    write_images(out, images, labels)
    print(out)
    return 0


def write_images(path, images, labels=None):
    """Write uint8 images as a PNG grid or, with their labels, as `.npz`; atomically."""
    import math

    import numpy as np

    from training_run.files import atomic_path
    from training_run.pictures.grid import save_image_grid

    if path.suffix == ".png":
        save_image_grid(path, images, (0, 255), math.ceil(math.sqrt(len(images))))
        return
    arrays = {"images": images} | ({} if labels is None else {"labels": labels})
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
