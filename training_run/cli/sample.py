"""The `sample` command: pictures or arrays from a saved generator or decoder."""

import math

from training_run.cli.arguments import add_run_arguments, check_num, open_run
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.pictures.captions import short_names

MAX_IMAGES = 1_000_000

MAX_COLUMNS = 16
"""Classes that a grid has a column for each; of more, it has no captions."""


def sample_command(run_class, program, argv=None, draw=None):
    """`python -m <program> RUN [--num N] [--seed S] [--label K] [--out FILE]`.

    Args:
        run_class: the subclass of `Run` whose runs it reads.
        program: its module, for the usage text.
        argv: arguments; None for the process's own.
        draw: what the family adds: `add_arguments(parser)`, and `draw(run, arguments)` giving
            `Drawn`. None for the images that `Run.draw` gives.

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
    if draw is not None:
        draw.add_arguments(parser)
    return run_command(_sample, run_class, draw, parser.parse_args(argv))


def _sample(run_class, draw, arguments):
    check_num(arguments.num, MAX_IMAGES)
    networks = [run_class.drawing_network]
    opened = open_run(run_class.family, arguments, networks, "samples.png", (".png", ".npz"))
    run = run_class(opened.run)
    if draw is None:
        drawn = run.draw(arguments.num, seed=arguments.seed, label=arguments.label)
    else:
        drawn = draw.draw(run, arguments)
    write_images(opened.out, *drawn, run.class_names)
    print(opened.out)
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
