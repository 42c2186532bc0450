"""Arguments that several commands share, their checks, and the run that they name."""

from pathlib import Path
from typing import NamedTuple

from training_run.cli.parser import integer
from training_run.config.load import load_config
from training_run.config.sections import RunConfig
from training_run.errors import UserError
from training_run.files import folder_problem
from training_run.pictures.interpolation import linear, spherical
from training_run.run_folder.find import check_family, find_run
from training_run.run_folder.paths import RunDir

MAX_FRAMES = 101
"""Most pictures of an interpolation strip: one a percent."""


class OpenedRun(NamedTuple):
    """What a picture command works on.

    Attributes:
        run: the `RunDir`.
        config: its checked configuration.
        out: the file to write.
    """

    run: RunDir
    config: RunConfig
    out: Path


def add_run_arguments(parser, default_out):
    """Add the arguments of every command on a run folder: RUN, --seed, --out, --outputs."""
    parser.add_argument(
        "run", metavar="RUN", help="a run folder, its number, latest or bundled:NAME"
    )
    parser.add_argument("--seed", type=integer, default=0, help="of random numbers (default: 0)")
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"default: {default_out}")
    parser.add_argument(
        "--outputs", metavar="DIR", default="outputs", help="where a number or latest is looked up"
    )


def add_interpolation_arguments(parser):
    """Add the arguments of every `interpolate` command: --frames and --spherical."""
    parser.add_argument(
        "--frames",
        type=integer,
        default=11,
        help="pictures of the strip (default: 11)",
    )
    parser.add_argument(
        "--spherical",
        dest="path",
        action="store_const",
        const=spherical,
        default=linear,
        help="go along an arc around the origin, not along a straight line",
    )


def open_run(family, arguments, networks, ending, suffixes=(".png",)):
    """Open the run that a picture command names, and check the arguments that all of them share.

    Args:
        family: the `Family` that the run must be of.
        arguments: parsed; with those of `add_run_arguments`.
        networks: names of those that the command will load.
        ending: of the default output: "samples.png" makes it RUN-samples.png in this folder.
        suffixes: endings that `--out` may have.

    Returns:
        An `OpenedRun`.

    Raises:
        UserError: there is no such run, it is of another family, a network is missing or damaged,
            or `--out` or `--seed` is wrong.
    """
    from training_run.run_folder.networks import check_network

    run, out = find_run_and_output(arguments, family.name, ending, suffixes)
    check_family(run, family.name)
    config = load_config(family.config_class, run.config)
    for name in networks:
        check_network(run, name)
    return OpenedRun(run, config, out)


def find_run_and_output(arguments, family_name, ending, suffixes=(".png",)):
    """The `RunDir` and the output path that a command names; arguments as for `open_run`."""
    check_seed(arguments.seed)
    run = find_run(arguments.run, arguments.outputs, family_name)
    out = arguments.out or Path(f"{run.path.resolve().name}-{ending}")
    return run, check_output(out, suffixes)


def check_num(num, most):
    """Raise `UserError` unless --num is 1 to `most`."""
    if not 1 <= num <= most:
        raise UserError(f"--num: expected 1 to {most:,} images, received {num}")


def check_seed(seed):
    """Raise `UserError` unless --seed is 0 to 2^31 - 1."""
    if not 0 <= seed < 2**31:
        raise UserError(f"--seed: expected 0 to 2147483647, received {seed}")


def check_frames(num_frames):
    """Raise `UserError` unless --frames is 2 to `MAX_FRAMES`."""
    if not 2 <= num_frames <= MAX_FRAMES:
        raise UserError(f"--frames: expected 2 to {MAX_FRAMES}, received {num_frames}")


def check_output(out, suffixes):
    """The output path, if its suffix is known and its folder can be written to.

    Raises:
        UserError: otherwise.
    """
    if out.suffix not in suffixes:
        raise UserError(f"--out: expected a file ending in {' or '.join(suffixes)}, received {out}")
    folder = out.absolute().parent
    if not folder.is_dir() or out.is_dir():
        raise UserError(f"--out: expected a file in an existing folder, received {out}")
    if problem := folder_problem(folder):
        raise UserError(f"--out: expected a folder that can be written to, received {problem}")
    return out
