"""Make a model that ships with the package, `bundled:NAME`, of a finished run.

    python -m training_run.cli.bundle RUN [--name NAME] [--leave-out NETWORK ...]

A bundled model is a run folder like others. Its networks are ordinary `.keras` files but for the
precision on disk, 16 bits a weight, which halves them; Keras loads them as 32.
"""

import io
import re
import shutil
import sys
import zipfile

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from training_run.cli.parser import CommandParser
from training_run.cli.run_command import run_command
from training_run.config.sections import NAME_PATTERN
from training_run.config.yaml_source import read_yaml
from training_run.errors import UserError
from training_run.run_folder.find import BUNDLED_FOLDER, PREFIX, bundled_names, find_run


def bundle(run, folder, left_out=()):
    """Copy a run's configuration, log and networks, with weights in 16 bits.

    Args:
        run: its `RunDir`.
        folder: where to; replaced if it is there.
        left_out: names of networks that only serve training.

    Raises:
        UserError: if the run has no other networks.
    """
    networks = [path for path in sorted(run.path.glob("*.keras")) if path.stem not in left_out]
    if not networks:
        raise UserError(f"{run.path}: expected saved networks, received a run folder without any")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    family = read_yaml(run.config).values.get("family") if run.config.is_file() else None
    for path in (run.config, run.log, run.values(family), *parameters(run)):
        if path.is_file():
            shutil.copy(path, folder)
    for path in networks:
        (folder / path.name).write_bytes(halve(path))


def parameters(run):
    """Paths of learned arrays beside the networks: each `NAME.npz` and its record, `NAME.json`."""
    arrays = [path for path in run.path.glob("*.npz") if path.with_suffix(".json").is_file()]
    return [path for each in sorted(arrays) for path in (each, each.with_suffix(".json"))]


def halve(path):
    """A `.keras` file with its weights in 16 bits, as bytes.

    The file is a zip with the weights as one HDF5 file inside.
    """
    result = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for item in sorted(old.namelist()):
            content = old.read(item)
            if item.endswith(".weights.h5"):
                content = halve_weights(content)
            # A date of its own would make the same weights other bytes.
            new.writestr(
                zipfile.ZipInfo(item, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED
            )
    return result.getvalue()


def halve_weights(content):
    """An HDF5 file's bytes with float32 arrays as float16."""
    import h5py
    import numpy as np

    result = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(result, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                copied = new.require_group(name)
            else:
                is_float = item.dtype == np.float32
                copied = new.create_dataset(
                    name, data=item[()].astype("f2" if is_float else item.dtype)
                )
            copied.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)
    return result.getvalue()


def main(argv=None):
    """Run the command; returns its exit code."""
    parser = CommandParser(
        prog="python -m training_run.cli.bundle",
        description="Make a bundled model of a finished run. Without a RUN, name those there are.",
    )
    parser.add_argument("run", metavar="RUN", nargs="?", help="a run folder, its number, or latest")
    parser.add_argument("--name", help="default: the name in the run's configuration")
    parser.add_argument(
        "--leave-out", metavar="NETWORK", nargs="*", default=[], help="networks not to ship"
    )
    parser.add_argument("--outputs", metavar="DIR", default="outputs")
    return run_command(_bundle, parser.parse_args(argv))


def _bundle(arguments):
    if not arguments.run:
        print("\n".join(PREFIX + name for name in bundled_names()))
        return 0
    run = find_run(arguments.run, arguments.outputs)
    name = arguments.name or read_yaml(run.config).values["name"]
    if not re.fullmatch(NAME_PATTERN, str(name)):  # what is there is about to be removed
        raise UserError(f"expected a bundle's name to match {NAME_PATTERN}, received {name!r}")
    folder = BUNDLED_FOLDER / name
    bundle(run, folder, arguments.leave_out)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{PREFIX}{name}  {size / 1e6:.2f} MB  {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
