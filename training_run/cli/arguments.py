"""Arguments that several commands share, and their checks."""

import os
from pathlib import Path

from training_run.errors import UserError
from training_run.pictures.interpolation import linear, spherical

MAX_FRAMES = 101
"""A percent each."""


def add_interpolation_arguments(parser):
    """Arguments of every `interpolate` command: --frames and --spherical."""
    parser.add_argument(
        "--frames", type=int, default=11, help="pictures of the strip, ends included (default: 11)"
    )
    parser.add_argument(
        "--spherical",
        dest="way",
        action="store_const",
        const=spherical,
        default=linear,
        help="go along an arc around the origin, not along a straight line",
    )


def check_frames(num_frames):
    """Refuse a strip without two ends, or too long for a picture.

    Raises:
        UserError: if it is not 2 to `MAX_FRAMES`.
    """
    if not 2 <= num_frames <= MAX_FRAMES:
        raise UserError(f"--frames: expected 2 to {MAX_FRAMES}, received {num_frames}")


def add_run_arguments(parser, default_out):
    """Arguments that every command on a run folder has: RUN, --seed, --out, --outputs."""
    parser.add_argument(
        "run", metavar="RUN", help="a run folder, its number, latest or bundled:NAME"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"default: {default_out}")
    parser.add_argument(
        "--outputs", metavar="DIR", default="outputs", help="where a number or latest is looked up"
    )


def check_draw(num, most, seed):
    """Refuse a --num or --seed that nothing can be drawn with.

    Raises:
        UserError: if they are not 1 to `most`, and 0 to 2^31 - 1.
    """
    if not 1 <= num <= most:
        raise UserError(f"--num: expected 1 to {most:,} images, received {num}")
    check_seed(seed)


def check_seed(seed):
    """Refuse a --seed out of range.

    Raises:
        UserError: if it is not 0 to 2^31 - 1.
    """
    if not 0 <= seed < 2**31:
        raise UserError(f"--seed: expected 0 to 2147483647, received {seed}")


def checked_out(out, suffixes=(".png", ".npz")):
    """The output path, if its suffix is known and its folder exists and can be written to.

    Raises:
        UserError: otherwise.
    """
    if out.suffix not in suffixes:
        raise UserError(f"--out: expected a file ending in {' or '.join(suffixes)}, received {out}")
    folder = out.absolute().parent
    if not folder.is_dir() or out.is_dir():
        raise UserError(f"--out: expected a file in an existing folder, received {out}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"--out: expected a folder that can be written to, received {folder}")
    return out
