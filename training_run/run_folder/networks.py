"""Loading the networks of a run folder, without running any code from it."""

import zipfile

import keras

from training_run.errors import UserError
from training_run.files import atomic_path

RANKS = {
    "generator": (2, [4]),
    "generator_raw": (2, [4]),
    "decoder": (2, [4]),
    "discriminator": (4, [2]),
    "encoder": (4, [2, 2]),
    "denoiser": (4, [4]),
}
"""Dimensions of each network's first input and of its outputs: latents and logits have two."""


def load_network(run, name):
    """Load `NAME.keras` of a run for inference.

    Keras's safe mode is on: a file that carries Python code (a Lambda layer, say) is refused.

    Args:
        run: a `RunDir`.
        name: "generator", "decoder", ...

    Returns:
        An uncompiled keras network.

    Raises:
        UserError: if there is none, it cannot be loaded safely, or it is of another kind.
    """
    path = run.network(name)
    if not path.is_file():
        raise UserError(f"{path}: expected a saved network, received a run folder without it")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: expected a .keras file, received something else or a damaged one")

    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        found = (len(network.inputs[0].shape), [len(out.shape) for out in network.outputs])
    except Exception as error:  # Keras raises many kinds, all for the same reason: a bad file
        raise UserError(
            f"{path}: expected a network that Keras can load safely, received one that it cannot: "
            f"{_first_sentence(error)}"
        ) from None
    if RANKS.get(name, found) != found:
        raise UserError(
            f"{path}: expected a {name}, {_words(*RANKS[name])}, received a network "
            f"{_words(*found)}"
        )
    return network


def _first_sentence(error):
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].partition(". ")[0].rstrip(".")


def _words(input_rank, output_ranks):
    outputs = " and ".join(str(rank) for rank in output_ranks)
    return f"from {input_rank} dimensions to {outputs}"


def save_networks(run, model):
    """Write each of the model's networks as `NAME.keras`, whole or not at all."""
    for name, network in model.networks().items():
        with atomic_path(run.network(name)) as temporary:
            network.save(temporary)
