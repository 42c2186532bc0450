"""Test digits above their reconstructions: `python -m vae_mnist.reconstruct --help`."""

import sys

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

import numpy as np

from training_run.cli.arguments import add_run_arguments, check_num, open_run
from training_run.cli.parser import CommandParser, integer
from training_run.cli.run_command import run_command
from training_run.errors import UserError
from training_run.pictures.captions import add_captions
from training_run.pictures.grid import image_grid, interleave_rows
from training_run.pictures.pixels import display_scale, save_png, to_uint8
from training_run.tensorflow_import import import_tensorflow
from vae_mnist.binarization import binarize_data
from vae_mnist.family import FAMILY
from vae_mnist.trained import NETWORKS, labels_at, load_data, load_vae

MAX_IMAGES = 1000
NUM_COLUMNS = 10
TITLE = "squared error of each reconstruction, summed over pixels"


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m vae_mnist.reconstruct",
        description="Test digits of a run, each above its reconstruction from the posterior mean. "
        "Above each pair stands its squared error.",
    )
    add_run_arguments(parser, "RUN-reconstructions.png, here")
    parser.add_argument("--num", type=integer, default=20, help="how many digits (default: 20)")
    return run_command(_reconstruct, parser.parse_args(argv))


def _reconstruct(arguments):
    check_num(arguments.num, MAX_IMAGES)
    run, config, out = open_run(FAMILY, arguments, NETWORKS, "reconstructions.png")
    data = load_data(config)
    chosen = choose_digits(len(data.x_test), arguments.num, arguments.seed)
    import_tensorflow()
    images = binarize_data(data, config.data.binarize).x_test[chosen]
    write_reconstructions(out, load_vae(run, config), images, labels_at(data, chosen))
    print(out)
    return 0


def choose_digits(num_digits, num, seed):
    """Indices (num,) of test digits, a function of the seed; a larger `num` starts with the same.

    Raises:
        UserError: if there are fewer than `num`.
    """
    if num > num_digits:
        raise UserError(f"--num: expected at most the {num_digits:,} test images, received {num}")
    return np.random.default_rng(seed).permutation(num_digits)[:num]


def write_reconstructions(path, vae, images, labels):
    """Write images, their reconstructions below them and their squared errors above, as a PNG.

    Args:
        path: the PNG file.
        vae: a `VAE`.
        images: (N, H, W, C) uint8.
        labels: (N,) int32, or None if the data have none.
    """
    from training_run.step.batches import scale_images
    from vae_mnist.losses import squared_error

    made = vae.reconstruct(images, labels)
    errors = squared_error(scale_images(images, vae.value_range), made).numpy()
    made = to_uint8(made, vae.value_range)
    num_columns = min(len(images), NUM_COLUMNS)
    parts = (slice(start, start + num_columns) for start in range(0, len(images), num_columns))
    rows = [draw_pairs(images[part], made[part], errors[part], num_columns) for part in parts]
    picture = np.concatenate(rows)
    save_png(path, add_captions(picture, num_columns=1, num_rows=1, padding=0, title=TITLE))


def draw_pairs(images, made, errors, num_columns):
    """A captioned row of up to `num_columns` pairs, always of the same width: (H', W', C) uint8."""
    pairs = interleave_rows([images, made], num_columns)
    return add_captions(
        image_grid(pairs, num_columns, scale=display_scale(images.shape[2])),
        num_columns=num_columns,
        num_rows=2,
        column_captions=[f"{error:.1f}" for error in errors],
        row_captions=["test image", "reconstruction"],
    )


if __name__ == "__main__":
    sys.exit(main())
