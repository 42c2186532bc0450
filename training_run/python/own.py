"""Networks and arrays that are given in Python: kept in files, so that a run can be resumed.

A file's folder is named by the content. So the same networks or arrays are kept once.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from training_run.config.networks import SAVED
from training_run.errors import UserError
from training_run.files import atomic_path
from training_run.tensorflow_import import import_tensorflow

FOLDER = ".own"
"""Folder for such files, beside the runs."""


class Own(NamedTuple):
    """What a user gives in Python.

    Attributes:
        networks: name to Keras network; empty for those of the configuration.
        images, labels, class_names: see `array_settings`; None for those of the configuration.
    """

    networks: Mapping = {}
    images: Any = None
    labels: Any = None
    class_names: Any = None


def own_parts(networks, images, labels, class_names):
    """The `Own` of a Python function's arguments; None where nothing is given.

    Args:
        networks: name to Keras network, or to None where it is not given.
        images, labels, class_names: see `array_settings`.

    Raises:
        UserError: only some of the networks, or labels without images, are given.
    """
    given = {name: network for name, network in networks.items() if network is not None}
    if given and len(given) < len(networks):
        raise UserError(
            f"expected both {' and '.join(networks)}, received only {' and '.join(given)}"
        )
    if images is None and (labels is not None or class_names is not None):
        raise UserError("labels, class_names: expected together with images, received without")
    if not given and images is None:
        return None
    return Own(given, images, labels, class_names)


def network_settings(networks, output_dir):
    """Keep networks; returns the section `model` of a configuration that names them.

    Args:
        networks: name to Keras network; "generator" or "decoder" is the one that draws.
        output_dir: the folder of the runs.

    Raises:
        UserError: a network is none, or has layers that cannot be saved without code.
    """
    import_tensorflow()
    from training_run.step.networks import ends_in_sigmoid

    for name, network in networks.items():
        check_is_network(name, network)
    drawing = networks.get("generator", networks.get("decoder"))
    folder = Path(output_dir) / FOLDER / digest_of_networks(networks)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        if (folder / f"{name}.keras").is_file():
            continue  # a run that is checked by the file's checksum may need it as it is
        with atomic_path(folder / f"{name}.keras") as temporary:
            network.save(temporary)
    section = {
        "kind": SAVED,
        "folder": str(folder.resolve()),
        "latent_dim": drawing.inputs[0].shape[-1],
        "conditional": len(drawing.inputs) > 1,
    }
    return section | ({"output_activation": "sigmoid"} if ends_in_sigmoid(drawing) else {})


def check_is_network(name, network):
    """Raise `UserError` unless this is a Keras network that loads without the code that made it."""
    import keras

    if not isinstance(network, keras.Model) or not network.built or not network.inputs:
        raise UserError(
            f"{name}: expected a keras.Sequential or keras.Model that begins with keras.Input, "
            f"received {type(network).__name__}"
        )
    kinds = [type(layer) for layer in network._flatten_layers(include_self=False)]
    for kind in kinds:
        if not kind.__module__.startswith("keras.") or kind is keras.layers.Lambda:
            raise UserError(
                f"{name}: expected Keras's own layers, which load without the code that made them, "
                f"received {kind.__name__}"
            )


def digest_of_networks(networks):
    """SHA-256 of the networks' layers and weights."""
    digest = hashlib.sha256()
    for name, network in networks.items():
        digest.update(f"{name} {network.to_json()}".encode())
        for weight in network.get_weights():
            digest.update(weight.tobytes())
    return digest.hexdigest()


def array_settings(images, labels, class_names, output_dir):
    """Keep arrays of images as a `.npz`; returns the settings that name it.

    Args:
        images: (N, H, W, C) or (N, H, W) uint8; the last tenth is held out.
        labels: (N,) ints from 0, or None.
        class_names: a text for each class, or None.
        output_dir: the folder of the runs.

    Raises:
        UserError: they are no such arrays.
    """
    import numpy as np

    arrays = {"x_train": np.asarray(images)}
    if labels is not None:
        arrays["y_train"] = np.asarray(labels)
        if len(arrays["y_train"]) != len(arrays["x_train"]):
            raise UserError(
                f"labels: expected one for each of the {len(arrays['x_train']):,} images, "
                f"received {len(arrays['y_train']):,}"
            )
    if class_names is not None:
        arrays["class_names"] = np.array(list(class_names))
    if arrays["x_train"].dtype != np.uint8:
        raise UserError(f"images: expected uint8, received {arrays['x_train'].dtype}")
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    path = Path(output_dir) / FOLDER / f"{digest.hexdigest()[:16]}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)
    return {"data.dataset": "mnist", "data.path": str(path.resolve())}
