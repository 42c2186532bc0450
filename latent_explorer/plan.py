"""A Keras network as a list of plain steps, the form that the page's JavaScript runs.

A step is one layer for one example: its kind, where its inputs come from, the shape of its output,
and its arrays. Every kernel has its output channels last. `fold.py` takes batch normalisation out,
and `static/layers.mjs` has one function for each kind.
"""

from dataclasses import dataclass, field

import keras
import numpy as np

from training_run.errors import UserError


@dataclass(frozen=True, eq=False)
class Step:
    """One layer.

    Attributes:
        kind: name of its function in `static/layers.mjs`.
        sources: numbers of its inputs: the network's inputs come first, then the steps in turn.
        shape: of its output, without the batch.
        arrays: name to float32 array, such as "kernel" and "bias".
        options: name to number, text or list: what else the kind needs.
    """

    kind: str
    sources: tuple[int, ...]
    shape: tuple[int, ...]
    arrays: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Plan:
    """A network.

    Attributes:
        inputs: (name, shape without the batch) of each input.
        steps: list of `Step`, each after its sources.
        outputs: numbers of the values that the network gives.
    """

    inputs: tuple
    steps: list
    outputs: tuple[int, ...]

    def users(self, value):
        """Indices of the steps that read a value."""
        return [index for index, step in enumerate(self.steps) if value in step.sources]

    def step_of(self, value):
        """The index of the step that gives a value; negative for an input."""
        return value - len(self.inputs)


def plan_network(network, path):
    """The `Plan` of a Keras network.

    Args:
        network: Sequential or functional, of layers in `KINDS`, each used once.
        path: of its file, for messages.

    Raises:
        UserError: naming a layer that the page cannot run.
    """
    inputs = network.inputs
    numbers = {id(tensor): index for index, tensor in enumerate(inputs)}
    chain = isinstance(network, keras.Sequential)
    steps, previous = [], 0
    for layer in network.layers if chain else network.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        sources = (previous,) if chain else _sources(layer, numbers, path)
        number = sources[0]
        if not isinstance(layer, IDENTITIES):
            for kind, arrays, options in _described(layer, path):
                arrays = {key: np.asarray(value, np.float32) for key, value in arrays.items()}
                steps.append(Step(kind, sources, tuple(layer.output.shape[1:]), arrays, options))
                number = len(inputs) + len(steps) - 1
                sources = (number,)
        previous = numbers[id(layer.output)] = number
    outputs = (previous,) if chain else tuple(numbers[id(output)] for output in network.outputs)
    shapes = tuple((tensor.name, tuple(tensor.shape[1:])) for tensor in inputs)
    return Plan(shapes, steps, outputs)


def _sources(layer, numbers, path):
    tensors = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
    if any(id(tensor) not in numbers for tensor in tensors):
        raise _unknown(layer, path, "used more than once")
    return tuple(numbers[id(tensor)] for tensor in tensors)


def _described(layer, path):
    """(kind, arrays, options) of a layer, and of an activation that is part of it: a list."""
    kind = type(layer).__name__
    if kind not in KINDS:
        raise _unknown(layer, path)
    described = [KINDS[kind](layer)]
    if kind != "Activation" and hasattr(layer, "activation"):
        described += [_activation(layer)] if layer.activation.__name__ != "linear" else []
    if None in described:
        raise _unknown(layer, path, "with these options")
    return described


def _unknown(layer, path, how=""):
    name = f"{type(layer).__name__} {layer.name!r}"
    return UserError(
        f"{path}: expected layers that the explorer can run ({', '.join(KINDS)}), "
        f"received {' '.join([name, *([how] if how else [])])}"
    )


# Each of the following gives (kind, arrays, options) of a layer, or None for options that the page
# does not know.


def _dense(layer):
    if len(layer.input.shape) != 2:
        return None
    return "dense", _kernel_and_bias(layer), {}


def _convolution(layer):
    return _any_convolution(layer, "convolution", lambda kernel: kernel)


def _transposed_convolution(layer):
    # Keras has (height, width, out, in).
    return _any_convolution(layer, "transposed_convolution", lambda k: k.transpose(0, 1, 3, 2))


def _any_convolution(layer, kind, turn):
    plain = layer.data_format == "channels_last" and set(layer.dilation_rate) == {1}
    if not plain or getattr(layer, "groups", 1) != 1:
        return None
    arrays = _kernel_and_bias(layer)
    arrays["kernel"] = turn(arrays["kernel"])
    large, small = layer.input.shape[1:3], layer.output.shape[1:3]
    if kind == "transposed_convolution":
        large, small = small, large
    padding = [
        _padding(*sizes, layer.padding)
        for sizes in zip(large, small, layer.kernel_size, layer.strides, strict=True)
    ]
    return kind, arrays, {"strides": list(layer.strides), "padding": padding}


def _padding(large, small, kernel, stride, mode):
    """Rows or columns of zeros before the image, as TensorFlow counts them."""
    return max((small - 1) * stride + kernel - large, 0) // 2 if mode == "same" else 0


def _kernel_and_bias(layer):
    kernel = np.asarray(layer.kernel)
    bias = np.zeros(layer.output.shape[-1]) if layer.bias is None else np.asarray(layer.bias)
    return {"kernel": kernel, "bias": bias}


def _batch_normalization(layer):
    """The inference form: (x - mean) / sqrt(variance + epsilon) * gamma + beta, a line a channel.

    Source: Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 2.
    """
    if layer.axis not in (-1, len(layer.input.shape) - 1):
        return None
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    gamma = 1.0 if layer.gamma is None else np.asarray(layer.gamma)
    beta = 0.0 if layer.beta is None else np.asarray(layer.beta)
    scale = gamma / np.sqrt(variance.astype(np.float64) + layer.epsilon)
    return "scale_shift", {"scale": scale, "shift": beta - mean * scale}, {}


def _rescaling(layer):
    if np.ndim(layer.scale) or np.ndim(layer.offset):
        return None
    ones = np.ones(layer.output.shape[-1])
    return "scale_shift", {"scale": layer.scale * ones, "shift": layer.offset * ones}, {}


ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "softplus", "silu", "elu")


def _activation(layer):
    name = layer.activation.__name__
    if name == "softmax":
        return ("softmax", {}, {}) if len(layer.output.shape) == 2 else None
    return ("activation", {}, {"name": name}) if name in ACTIVATIONS else None


def _leaky(layer):
    return "activation", {}, {"name": "leaky_relu", "slope": float(layer.negative_slope)}


def _relu(layer):
    if layer.max_value is not None or layer.threshold:
        return None
    return "activation", {}, {"name": "leaky_relu", "slope": float(layer.negative_slope)}


def _one_hot(layer):
    return ("one_hot", {}, {}) if layer.output_mode == "one_hot" else None


def _borders(kind, attribute):
    def make(layer):
        (top, _), (left, _) = getattr(layer, attribute)
        return kind, {}, {"top": top, "left": left}

    return make


def _upsampling(layer):
    if layer.interpolation != "nearest" or layer.data_format != "channels_last":
        return None
    return "upsample", {}, {"factors": list(layer.size)}


def _average_pooling(layer):
    plain = layer.data_format == "channels_last" and layer.padding == "valid"
    if not plain or tuple(layer.strides) != tuple(layer.pool_size):
        return None
    return "average_pool", {}, {"factors": list(layer.pool_size)}


def _dot(layer):
    flat = all(len(tensor.shape) == 2 for tensor in layer.input)
    return ("dot", {}, {}) if flat and not layer.normalize else None


def _concatenate(layer):
    return ("concatenate", {}, {}) if layer.axis in (-1, len(layer.output.shape) - 1) else None


def _gate(layer):
    """The first half of the channels times the sigmoid of the second."""
    return ("gate", {}, {}) if layer.axis in (-1, len(layer.output.shape) - 1) else None


def _simple(kind):
    return lambda layer: (kind, {}, {})


KINDS = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "Conv2DTranspose": _transposed_convolution,
    "BatchNormalization": _batch_normalization,
    "Rescaling": _rescaling,
    "Activation": _activation,
    "LeakyReLU": _leaky,
    "ReLU": _relu,
    "Glu": _gate,
    "Reshape": _simple("reshape"),
    "Flatten": _simple("reshape"),
    "Cropping2D": _borders("crop", "cropping"),
    "ZeroPadding2D": _borders("pad", "padding"),
    "UpSampling2D": _upsampling,
    "AveragePooling2D": _average_pooling,
    "Add": _simple("add"),
    "Multiply": _simple("multiply"),
    "Concatenate": _concatenate,
    "Dot": _dot,
    "CategoryEncoding": _one_hot,
}
"""Name of a Keras layer to the function that describes it."""

IDENTITIES = (keras.layers.Dropout, keras.layers.SpatialDropout2D, keras.layers.GaussianNoise)
"""Layers that do nothing after training."""
