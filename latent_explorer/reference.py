"""Running a `Plan` in Python: how far rounded weights take its results from the network's own."""

import numpy as np
from keras import ops


def run_plan(plan, inputs):
    """What a `Plan` gives for a batch.

    Args:
        inputs: list of (N, ...) arrays, one for each of its inputs.

    Returns:
        List of (N, ...) float32 arrays, one for each of its outputs.
    """
    values = [np.asarray(value) for value in inputs]
    for step in plan.steps:
        given = [values[source] for source in step.sources]
        result = FUNCTIONS[step.kind](step, *given)
        values.append(np.asarray(ops.reshape(result, (-1, *step.shape))))
    return [values[output] for output in plan.outputs]


def _dense(step, x):
    return ops.matmul(x, step.arrays["kernel"]) + step.arrays["bias"]


def _convolution(step, x):
    kernel, (height, width, _) = step.arrays["kernel"], step.shape
    (top, left), strides = step.options["padding"], step.options["strides"]
    below = max((height - 1) * strides[0] + kernel.shape[0] - x.shape[1] - top, 0)
    right = max((width - 1) * strides[1] + kernel.shape[1] - x.shape[2] - left, 0)
    padded = ops.pad(x, ((0, 0), (top, below), (left, right), (0, 0)))
    return ops.conv(padded, kernel, strides, "valid") + step.arrays["bias"]


def _transposed_convolution(step, x):
    kernel = step.arrays["kernel"].transpose(0, 1, 3, 2)
    (top, left), (height, width, _) = step.options["padding"], step.shape
    whole = ops.conv_transpose(x, kernel, step.options["strides"], "valid")
    below, right = top + height - whole.shape[1], left + width - whole.shape[2]
    whole = ops.pad(whole, ((0, 0), (0, max(0, below)), (0, max(0, right)), (0, 0)))
    return whole[:, top : top + height, left : left + width] + step.arrays["bias"]


def _activation(step, x):
    if step.options["name"] == "leaky_relu":
        return ops.leaky_relu(x, step.options["slope"])
    return x if step.options["name"] == "linear" else getattr(ops, step.options["name"])(x)


def _gate(step, x):
    half = step.shape[-1]
    return x[..., :half] * ops.sigmoid(x[..., half:])


def _crop(step, x):
    (height, width, _), top, left = step.shape, step.options["top"], step.options["left"]
    return x[:, top : top + height, left : left + width]


def _pad(step, x):
    (height, width, _), top, left = step.shape, step.options["top"], step.options["left"]
    below, right = height - top - x.shape[1], width - left - x.shape[2]
    return ops.pad(x, ((0, 0), (top, below), (left, right), (0, 0)))


def _upsample(step, x):
    rows, columns = step.options["factors"]
    return ops.repeat(ops.repeat(x, rows, axis=1), columns, axis=2)


FUNCTIONS = {
    "dense": _dense,
    "convolution": _convolution,
    "transposed_convolution": _transposed_convolution,
    "activation": _activation,
    "softmax": lambda step, x: ops.softmax(x),
    "gate": _gate,
    "crop": _crop,
    "pad": _pad,
    "upsample": _upsample,
    "average_pool": lambda step, x: ops.average_pool(x, step.options["factors"]),
    "scale_shift": lambda step, x: x * step.arrays["scale"] + step.arrays["shift"],
    "reshape": lambda step, x: x,
    "add": lambda step, *xs: sum(xs[1:], xs[0]),
    "multiply": lambda step, a, b: a * b,
    "concatenate": lambda step, *xs: ops.concatenate(xs, axis=-1),
    "dot": lambda step, a, b: ops.sum(a * b, axis=1),
    "one_hot": lambda step, labels: ops.one_hot(labels, step.shape[-1]),
}
