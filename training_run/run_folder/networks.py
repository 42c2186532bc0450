"""The networks of a run folder: saving them, and loading them without running any code."""

import hashlib
import json
import zipfile
from typing import NamedTuple

import numpy as np

from training_run.config.records import Record, write_record
from training_run.errors import UserError
from training_run.files import atomic_path, sha256_of_file


class InitialNetworks(Record):
    """Which networks a run started from, in place of random weights.

    Attributes:
        run: the run that they are of, as `init.run` in the resolved configuration.
        sha256: file name to checksum.
    """

    run: str
    sha256: dict[str, str]


class Signature(NamedTuple):
    """Ranks of a network's first input and of its outputs: images have 4, latents and logits 2."""

    input_rank: int
    output_ranks: tuple[int, ...]

    def __str__(self):
        outputs = " and ".join(str(rank) for rank in self.output_ranks)
        return f"from {self.input_rank} dimensions to {outputs}"


LATENTS_TO_IMAGES = Signature(2, (4,))
IMAGES_TO_LOGITS = Signature(4, (2,))
IMAGES_TO_POSTERIORS = Signature(4, (2, 2))
IMAGES_TO_IMAGES = Signature(4, (4,))

MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
"""Files inside of a `.keras` file."""


def save_networks(run, model):
    """Write each of the model's networks as `NAME.keras`, whole or not at all.

    Trained numbers outside of the networks go into a JSON file with the model's name.
    """
    for name, network in model.networks().items():
        with atomic_path(run.network(name)) as temporary:
            network.save(temporary)
    if values := model.saved_values():
        write_record(run.values(model.name), Record(**values))


def check_network(run, name):
    """Refuse a missing or damaged `NAME.keras` without importing Keras, which takes seconds.

    Returns:
        Its path.

    Raises:
        UserError: if there is none, or it is no zip file that holds what Keras puts there.
    """
    path = run.network(name)
    if not path.is_file():
        raise UserError(f"{path}: expected a saved network, received a run folder without it")
    expected = f"{path}: expected a .keras file, received something else or a damaged one"
    try:
        with zipfile.ZipFile(path) as archive:
            missing = MEMBERS - set(archive.namelist())
            damaged = archive.testzip()
            json.loads(archive.read("config.json"))
    except Exception:  # zipfile raises nearly anything at broken files
        raise UserError(expected) from None
    if missing or damaged:
        what = f"without {min(missing)}" if missing else f"with a damaged {damaged}"
        raise UserError(f"{expected}, {what}")
    return path


def load_network(run, name, expected):
    """Load `NAME.keras` of a run for inference, safely: see `training_run.step.weights`.

    Args:
        run: a `RunDir`.
        name: of the file, without its suffix.
        expected: its `Signature`.

    Returns:
        An uncompiled keras network.

    Raises:
        UserError: if there is none, it cannot be loaded safely, it has another signature, or its
            weights are not finite.
    """
    path = check_network(run, name)
    network, found = _load_safely(path)
    if found != expected:
        raise UserError(f"{path}: expected a {name}, {expected}, received a network {found}")
    return network


def start_from(run, model, reference, report=print):
    """Give a model's networks the weights of a run's saved ones, in place of random weights.

    Of weight averages and of decoders with a contrast gain, the network that was trained is
    `NAME_raw.keras`, and `NAME.keras` the one that draws. Each starts from its own kind.

    Args:
        run: the `RunDir`.
        model: a composite, just built.
        reference: what the configuration calls the run.
        report: receives a sentence for each network.

    Returns:
        The `InitialNetworks`.

    Raises:
        UserError: a network is damaged or has other layers.
    """
    from training_run.step.weights import copy_weights

    networks, checksums = model.trained_networks(), {}
    for name, network in networks.items():
        source = _initial_name(run, name, networks)
        if source is None:
            report(f"init.run: {name} starts from random weights, since {reference} has none")
            continue
        path = check_network(run, source)
        checksums[path.name] = sha256_of_file(path)
        saved, _ = _load_safely(path)
        try:
            kept = copy_weights(saved, network)
        except ValueError as error:
            raise UserError(
                f"init.run: expected the layers of this run's {name} in {path}, received {error}; "
                "set model and data as in that run's config.yaml"
            ) from None
        apart = f", apart from the layers of classes: {', '.join(kept)}" if kept else ""
        report(f"init.run: {name} starts from {path}{apart}")
    return InitialNetworks(run=reference, sha256=checksums)


def _initial_name(run, name, networks):
    """Name of the saved network that the network `name` starts from; None if there is none."""
    base = name.removesuffix("_raw")
    draws = f"{name}_raw" in networks
    names = [base] if draws else [f"{base}_raw", base]
    return next((each for each in names if run.network(each).is_file()), None)


def _load_safely(path):
    """The network in a file and its `Signature`."""
    from training_run.step.weights import load_safely

    network = load_safely(path)
    output_ranks = tuple(len(output.shape) for output in network.outputs)
    found = Signature(len(network.inputs[0].shape), output_ranks)
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise UserError(f"{path}: expected finite weights, received NaN or infinity among them")
    return network, found


def weights_sha256(network):
    """SHA-256 of a network's weights, rounded to the 16 bits that a bundled model keeps."""
    digest = hashlib.sha256()
    with np.errstate(over="ignore"):
        for weight in network.get_weights():
            digest.update(np.ascontiguousarray(weight, np.float16).tobytes())
    return digest.hexdigest()
