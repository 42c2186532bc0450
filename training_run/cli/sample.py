"""The `sample` command: pictures or arrays from a saved generator or decoder."""

import math

from training_run.cli.arguments import add_run_arguments, check_num, open_run
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.pictures.captions import short_names
from training_run.run_folder.environment import read_class_names
from training_run.tensorflow_import import import_tensorflow

MAX_IMAGES = 1_000_000

MAX_COLUMNS = 16
"""Classes that a grid has a column for each; of more, it has no captions."""


def sample_command(family, program, network_name, argv=None, prior=None):
    """`python -m <program> RUN [--num N] [--seed S] [--label K] [--out FILE]`.

    Args:
        family: the `Family` whose runs it reads.
        program: its module, for the usage text.
        network_name: of the network that maps latents to images.
        argv: arguments; None for the process's own.
        prior: what the family has to say of the latents: `add_arguments(parser)`, and
            `find_latents(run, config, network, arguments)` giving `latents` for `generate`. None
            for standard normal latents.

    Returns:
        Exit code.
    """
    parser = CommandParser(
        prog=f"python -m {program}",
        description="Samples from a finished or running run: a PNG grid, or uint8 arrays as .npz.",
    )
    add_run_arguments(parser, "RUN-samples.png, here")
    parser.add_argument("--num", type=integer, default=64, help="how many images (default: 64)")
    parser.add_argument("--label", help="class of a conditional model, by its name or number")
    if prior is not None:
        prior.add_arguments(parser)
    return run_command(_sample, family, network_name, prior, parser.parse_args(argv))


def _sample(family, network_name, prior, arguments):
    check_num(arguments.num, MAX_IMAGES)
    run, config, out = open_run(family, arguments, [network_name], "samples.png", (".png", ".npz"))
    import_tensorflow()
    from training_run.run_folder.networks import LATENTS_TO_IMAGES, load_network
    from training_run.step.sampling import choose_labels, generate

    network = load_network(run, network_name, LATENTS_TO_IMAGES)
    class_names = read_class_names(run)
    labels = choose_labels(network, arguments.label, arguments.num, class_names)
    latents = None if prior is None else prior.find_latents(run, config, network, arguments)
    value_range = config.model.value_range
    images = generate(network, arguments.num, arguments.seed, value_range, labels, latents)
    write_images(out, images, labels, class_names)
    print(out)
    return 0


def write_images(path, images, labels=None, class_names=None):
    """Write uint8 images as a PNG grid or, with their labels, as `.npz`; whole or not at all.

    Args:
        path: the file.
        images: (N, H, W, C) uint8.
        labels: (N,) int32, or None.
        class_names: of the labels; None where they have none. In the grid they are captions.
    """
    import numpy as np

    from training_run.files import atomic_path
    from training_run.pictures.grid import save_image_grid

    if path.suffix == ".png":
        save_image_grid(path, images, (0, 255), **_layout(labels, class_names, len(images)))
        return
    arrays = {"images": images} | ({} if labels is None else {"labels": labels})
    if labels is not None and class_names:
        arrays["class_names"] = np.array(class_names)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def _layout(labels, class_names, num):
    """Columns and captions of a grid, as arguments of `save_image_grid`."""
    square = {"num_columns": math.ceil(math.sqrt(num))}
    if labels is None or not class_names:
        return square
    if num == 1 or (labels == labels[0]).all():
        return square | {"title": class_names[labels[0]]}
    if len(class_names) > min(num, MAX_COLUMNS):
        return square
    return {"num_columns": len(class_names), "column_captions": short_names(class_names)}
