"""The networks of a run folder: saving them, and loading them without running any code."""

import hashlib
import json
import zipfile
from typing import NamedTuple

import numpy as np

from training_run.config.records import Record, write_record
from training_run.errors import UserError
from training_run.files import atomic_path


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
    """Load `NAME.keras` of a run for inference.

    Keras's safe mode is on: a file that carries Python code (a Lambda layer, say) is refused.

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
    import keras

    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        inputs, outputs = network.inputs, network.outputs
        found = Signature(len(inputs[0].shape), tuple(len(output.shape) for output in outputs))
    except Exception as error:  # Keras raises many kinds, all for the same reason: a bad file
        raise UserError(
            f"{path}: expected a network that Keras can load safely, received one that it cannot: "
            f"{_first_sentence(error)}"
        ) from None
    if found != expected:
        raise UserError(f"{path}: expected a {name}, {expected}, received a network {found}")
    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise UserError(f"{path}: expected finite weights, received NaN or infinity among them")
    return network


def weights_sha256(network):
    """SHA-256 of a network's weights, rounded to the 16 bits that a bundled model keeps."""
    digest = hashlib.sha256()
    with np.errstate(over="ignore"):
        for weight in network.get_weights():
            digest.update(np.ascontiguousarray(weight, np.float16).tobytes())
    return digest.hexdigest()


def _first_sentence(error):
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].partition(". ")[0].rstrip(".")
