"""The networks of a run that are exported: in float32, with named inputs and outputs."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training_run.errors import UserError
from training_run.run_folder.networks import (
    IMAGES_TO_IMAGES,
    IMAGES_TO_POSTERIORS,
    LATENTS_TO_IMAGES,
    Signature,
    check_network,
)
from training_run.step.sampling import count_classes

NUM_EXAMPLES = 16


class Role(NamedTuple):
    """What a network does: its `Signature`, its input beside the labels, and its outputs."""

    signature: Signature
    input: str
    outputs: tuple[str, ...]


ROLES = {
    "generator": Role(LATENTS_TO_IMAGES, "z", ("images",)),
    "decoder": Role(LATENTS_TO_IMAGES, "z", ("images",)),
    "encoder": Role(IMAGES_TO_POSTERIORS, "images", ("z_mean", "z_log_var")),
    "denoiser": Role(IMAGES_TO_IMAGES, "images", ("denoised",)),
}
"""Names of the networks that other programs have a use for. No output has the name of an input of
the same network: ONNX does not allow it."""


@dataclass(frozen=True, eq=False)
class ExportedNetwork:
    """A network that computes in float32.

    Attributes:
        name: of its file, without a suffix: a key of `ROLES`.
        network: a keras network, from [first input, labels], or the first alone, to its outputs.
    """

    name: str
    network: object

    @property
    def inputs(self):
        """Name to the tensor of each input: "z" or "images", and of conditional ones "labels"."""
        names = (ROLES[self.name].input, "labels")
        return dict(zip(names, self.network.inputs, strict=False))

    @property
    def first(self):
        """The tensor of its input beside the labels."""
        return self.network.inputs[0]

    @property
    def outputs(self):
        """Name to the tensor of each output."""
        return dict(zip(ROLES[self.name].outputs, self.network.outputs, strict=True))

    @property
    def num_classes(self):
        """How many classes it knows; None for one without labels."""
        return count_classes(self.network) if "labels" in self.inputs else None

    def named_model(self):
        """The same network from a dict of inputs to a dict of outputs.

        Exporters take the names of a file's inputs and outputs from these.
        """
        import keras

        inputs = {
            name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
            for name, tensor in self.inputs.items()
        }
        model = keras.Model(inputs, self.call(inputs), name=self.name)
        model(inputs)  # Keras writes ONNX only of a model that has been called
        return model

    def call(self, inputs):
        """Name to tensor of each output, for a dict of inputs."""
        return call_by_name(self.network, inputs, ROLES[self.name].outputs)

    def examples(self, images, value_range):
        """Name to array of each input, for `NUM_EXAMPLES` examples: the same at every call.

        Args:
            images: (16, H, W, C) float32, what a network that takes images is tried on; None for
                uniform noise in `value_range`.
            value_range: (low, high) of images.
        """
        random = np.random.default_rng(0)
        name, shape = ROLES[self.name].input, (NUM_EXAMPLES, *self.first.shape[1:])
        if name == "z":
            first = random.standard_normal(shape, np.float32)
        else:
            first = random.uniform(*value_range, shape) if images is None else images
        examples = {name: np.asarray(first, np.float32)}
        if self.num_classes:
            examples["labels"] = np.arange(NUM_EXAMPLES, dtype=np.int32) % self.num_classes
        return examples


def call_by_name(network, inputs, names):
    """Name to tensor of each output of a network, for a dict of its inputs in their order."""
    values = list(inputs.values())
    outputs = network(values if len(values) > 1 else values[0], training=False)
    return dict(zip(names, outputs if isinstance(outputs, list) else [outputs], strict=True))


def weights_of(network):
    """Name to variable: "dense/kernel", say.

    Keras puts the network's own name before that or not, depending on when the layers were built.
    """
    return {
        variable.path.removeprefix(f"{network.name}/"): variable for variable in network.variables
    }


def exported_names(run):
    """Names of a run's networks that are exported, in the order of `ROLES`.

    Raises:
        UserError: the run has none, or one is damaged.
    """
    names = [name for name in ROLES if run.network(name).is_file()]
    if not names:
        files = ", ".join(f"{name}.keras" for name in ROLES)
        raise UserError(f"{run.path}: expected a run with one of {files}, received one without")
    for name in names:
        check_network(run, name)
    return names


def in_float32(network):
    """A copy of a network that computes in float32, whatever precision it was trained in.

    The saved weights are float32 already; layers of a run in `mixed_bfloat16` round what goes
    through them. Other runtimes do not know that rounding.
    """
    import keras

    def copy_of(layer):
        # A gate is an operation, no layer, and computes in the precision of its input.
        precision = {"dtype": "float32"} if isinstance(layer, keras.Layer) else {}
        return type(layer).from_config(layer.get_config() | precision)

    copied = keras.models.clone_model(network, clone_function=copy_of)
    for layer in copied.layers:  # by their names: layers side by side have no order
        if layer.weights:
            layer.set_weights(network.get_layer(layer.name).get_weights())
    return copied
