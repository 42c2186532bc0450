"""The export of a run: written, read again by its own runtime, compared, and only then there."""

from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training_run.config.yaml_source import read_yaml
from training_run.errors import UserError
from training_run.export.formats import as_arrays, find_format
from training_run.export.networks import ROLES, ExportedNetwork, exported_names, in_float32
from training_run.export.prior import check_prior, copy_prior, read_prior
from training_run.export.readme import is_readme, write_readme
from training_run.files import atomic_folder, folder_problem
from training_run.run_folder.networks import load_network
from training_run.tensorflow_import import import_tensorflow, standard_error_kept_back

TOLERANCE = 1e-4
"""Largest difference from Keras: of numbers up to 1 absolute, of larger ones as a share of them."""


class ExportFailed(UserError):
    """A network could not be converted, or computes something else than before."""

    exit_code = 1


class Written(NamedTuple):
    """A network that is in its new file, and that file's largest difference from Keras."""

    exported: ExportedNetwork
    file: str
    difference: float


def export_run(run, format, out=None, report=lambda line: None):
    """Write the networks of a run in the format of another program, with a README.md.

    These are the generator (where weights are averaged: the average), decoder, encoder or denoiser,
    whichever the run has, in float32, and a learned prior. Each file is loaded by its own
    runtime and compared with Keras on 16 latents before the folder is there.

    Args:
        run: a `RunDir`.
        format: "onnx", "tflite", "saved_model" or "safetensors".
        out: the folder to write; None for NAME-FORMAT in the working directory, NAME being that of
            the run's folder. A folder with an earlier export, and nothing else, is replaced.
        report: function of a line on each network.

    Returns:
        The folder, a `pathlib.Path`.

    Raises:
        UserError: an argument is wrong, a package is missing, or the run has no network that can
            be loaded.
        ExportFailed: a conversion failed, or a file is further than `TOLERANCE` from Keras.
    """
    chosen, names, prior = find_format(format), exported_names(run), read_prior(run)
    value_range = read_value_range(run)
    files = {"README.md", *(file for name in names for file in chosen.files(name))}
    files |= {path.name for path in prior.files} if prior else set()
    out = check_folder(Path(out or f"{run.path.resolve().name}-{format}"), files)
    import_tensorflow()
    with atomic_folder(out) as folder, exact_products():
        written, images = [], None
        for name in names:
            network = load_network(run, name, ROLES[name].signature)
            check_prior(prior, run, name, network)
            exported = ExportedNetwork(name, in_float32(network))
            examples = exported.examples(images, value_range)
            expected = as_arrays(exported.call(examples))
            images = expected.get("images", images)  # what a decoder draws, its encoder reads
            written.append(write_network(exported, chosen, folder, examples, expected))
            report(f"{written[-1].file}  at most {written[-1].difference:.1e} from Keras")
        copy_prior(prior, folder)
        write_readme(folder, run, format, written, value_range, prior)
    return out


def read_value_range(run):
    """(low, high) of the images of a run, `model.value_range` in its configuration.

    Raises:
        UserError: it is not there.
    """
    try:
        low, high = read_yaml(run.config).values["model"]["value_range"]
        return float(low), float(high)
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{run.config}: expected a run's configuration with model.value_range, received one "
            "without"
        ) from None


def check_folder(out, files):
    """The folder to write, if it is new, empty, or an earlier export of the same files.

    Args:
        out: its path.
        files: names of all that the export will hold.

    Raises:
        UserError: otherwise, or if it cannot be written.
    """
    parent = out.absolute().parent
    if not parent.is_dir():
        raise UserError(f"--out: expected a folder in an existing one, received {out}")
    if problem := folder_problem(parent):
        raise UserError(f"--out: expected a folder that can be written to, received {problem}")
    if out.exists() and not is_replaceable(out, files):
        raise UserError(
            "--out: expected a new folder, an empty one or an earlier export of the same files, "
            f"received {out}, which is something else"
        )
    return out


def is_replaceable(folder, files):
    """True if a folder holds nothing, or an earlier export and nothing but `files`."""
    if not folder.is_dir():
        return False
    found = {path.name for path in folder.iterdir()}
    return not found or (found <= files and is_readme(folder / "README.md"))


def write_network(exported, chosen, folder, examples, expected):
    """Write a network, read it again by its runtime, and compare; returns what was `Written`.

    Raises:
        ExportFailed: naming the network and what went wrong.
    """
    path = folder / chosen.files(exported.name)[0]
    where = f"{exported.name} as {chosen.title}"
    try:
        with standard_error_kept_back():
            chosen.save(exported, path)
            found = chosen.load(path)(examples)
    except OSError:
        raise
    except Exception as error:  # converters raise many kinds, all for what they cannot convert
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        message = f"{where}: cannot be converted: {reason}; nothing was written"
        raise ExportFailed(message) from error
    difference = largest_difference(found, expected)
    if not difference <= TOLERANCE:
        raise ExportFailed(
            f"{where}: expected what Keras computes to {TOLERANCE:g}, received numbers that are up "
            f"to {difference:.2g} away; nothing was written"
        )
    return Written(exported, path.name, difference)


def largest_difference(found, expected):
    """The largest difference of two dicts of arrays, as a share of numbers beyond 1.

    Infinite where names or shapes differ; NaN where a number is.
    """
    if {name: array.shape for name, array in found.items()} != {
        name: array.shape for name, array in expected.items()
    }:
        return np.inf
    differences = [
        np.abs(found[name] - array) / np.maximum(1.0, np.abs(array))
        for name, array in expected.items()
    ]
    return float(np.max([array.max() for array in differences]))


@contextmanager
def exact_products():
    """Let a GPU multiply in float32: by default it rounds factors to TensorFloat-32's 10 bits."""
    from tensorflow.config import experimental

    before = experimental.tensor_float_32_execution_enabled()
    experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        experimental.enable_tensor_float_32_execution(before)
