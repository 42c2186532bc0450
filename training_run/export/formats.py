"""The formats of an export: how each is written, and how its own runtime runs what was written.

ONNX, TFLite and SavedModel are written by Keras's `export`. safetensors holds weights alone, so
Keras's JSON of the layers lies beside it.
"""

import importlib.util
import json
import warnings
from collections.abc import Callable
from typing import NamedTuple

from training_run.config.messages import nearest
from training_run.errors import UserError
from training_run.export.networks import ROLES, call_by_name, weights_of


class Format(NamedTuple):
    """A file format.

    Attributes:
        title: its name for readers.
        suffixes: of a network's files, the one to load first; "" for a folder.
        packages: modules that must be there, the runtime last.
        save: function of (`ExportedNetwork`, path).
        load: function of the path that gives a function from a dict of input arrays to a dict of
            output arrays, computed by the runtime.
    """

    title: str
    suffixes: tuple[str, ...]
    packages: tuple[str, ...]
    save: Callable
    load: Callable

    def files(self, name):
        """Names of the files of a network."""
        return [f"{name}{suffix}" for suffix in self.suffixes]


def save_onnx(exported, path):
    """Write an ONNX file whose batch may have any size."""
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras looks for names numpy 2 has dropped
        exported.named_model().export(path, format="onnx", verbose=False)
    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, path)


def load_onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def save_tflite(exported, path):
    exported.named_model().export(path, format="litert", verbose=False)


def load_tflite(path):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(path)).get_signature_runner()
    return lambda inputs: run(**inputs)


def save_saved_model(exported, path):
    exported.named_model().export(path, format="tf_saved_model", verbose=False)


def load_saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return lambda inputs: as_arrays(loaded.serve(inputs))


def save_safetensors(exported, path):
    """Write the weights, under Keras's names, and the layers as JSON beside them."""
    import numpy as np
    from safetensors.numpy import save_file

    weights = weights_of(exported.network)
    save_file({name: np.asarray(variable) for name, variable in weights.items()}, path)
    layers = json.loads(exported.network.to_json())
    path.with_suffix(".json").write_text(json.dumps(layers, indent=1) + "\n", encoding="utf-8")


def load_safetensors(path):
    import keras
    from safetensors.numpy import load_file

    network = keras.models.model_from_json(path.with_suffix(".json").read_text(encoding="utf-8"))
    weights = load_file(path)
    for name, variable in weights_of(network).items():
        variable.assign(weights[name])
    return lambda inputs: as_arrays(call_by_name(network, inputs, ROLES[path.stem].outputs))


def as_arrays(tensors):
    """A dict of tensors as one of arrays."""
    return {name: tensor.numpy() for name, tensor in tensors.items()}


FORMATS = {
    "onnx": Format("ONNX", (".onnx",), ("onnx", "tf2onnx", "onnxruntime"), save_onnx, load_onnx),
    "tflite": Format("TFLite", (".tflite",), ("ai_edge_litert",), save_tflite, load_tflite),
    "saved_model": Format("SavedModel", ("",), ("tensorflow",), save_saved_model, load_saved_model),
    "safetensors": Format(
        "safetensors",
        (".safetensors", ".json"),
        ("safetensors",),
        save_safetensors,
        load_safetensors,
    ),
}
"""Name of a format, as users give it, to its `Format`."""


def find_format(name):
    """The `Format` of that name.

    Raises:
        UserError: there is none, or a package that it needs is missing.
    """
    if name not in FORMATS:
        raise UserError(
            f"format: expected {' or '.join(FORMATS)}, received {name!r}{nearest(name, FORMATS)}"
        )
    found = FORMATS[name]
    missing = [package for package in found.packages if importlib.util.find_spec(package) is None]
    if missing:
        raise UserError(
            f"format: expected the package {missing[0]} to be installed for {name} "
            "(pip install 'gan-vae-mnist[export]'), received an environment without it"
        )
    return found
