"""The numbers of a page in few bytes: kernels in 8 bits with a scale for each channel, or float16.

A kernel's channel k is stored as round(w / s_k), one signed byte a weight, with s_k the largest
weight of the channel over 127 (symmetric quantisation by channel: Jacob et al. 2018,
arXiv:1712.05877, section 2). Biases and scales stay float32: there are few.
"""

import base64
from dataclasses import replace

import numpy as np

LARGEST = 127
"""Largest value of a signed byte that is used, so that the values are symmetric around 0."""

ALIGNMENT = 4
"""Bytes: where an array may start, so that a browser can read it in place."""


class ByteStore:
    """Arrays behind each other in one block of bytes, and where each of them is."""

    def __init__(self):
        self._bytes = bytearray()

    def add(self, array):
        """Append an array in its own type, float32, float16, int8 or uint8.

        Returns:
            JSON-ready dict: its type, its first byte and its shape.
        """
        self._bytes.extend(bytes(-len(self._bytes) % ALIGNMENT))
        place = {"type": array.dtype.name, "at": len(self._bytes), "shape": list(array.shape)}
        self._bytes.extend(np.ascontiguousarray(array).tobytes())
        return place

    def add_quantised(self, kernel):
        """Append a kernel in 8 bits; the result names where its scales are, too."""
        whole, scales = quantise(kernel)
        return {**self.add(whole), "scales": self.add(scales)["at"]}

    def base64(self):
        """All bytes as text."""
        return base64.b64encode(bytes(self._bytes)).decode("ascii")


def quantise(kernel):
    """A kernel (..., channels) as signed bytes and a scale for each channel.

    Returns:
        int8 of the kernel's shape, and (channels,) float32. Their product is nowhere further from
        the kernel than half a scale.
    """
    largest = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1)))
    scales = np.where(largest > 0, largest / LARGEST, 1.0).astype(np.float32)
    return np.rint(kernel / scales).astype(np.int8), scales


def round_array(array, form):
    """An array as the page will compute with it, float32.

    Args:
        form: "int8" or "float16"; arrays of one axis (biases, scales) stay as they are.
    """
    if array.ndim < 2:
        return array
    if form == "float16":
        return array.astype(np.float16).astype(np.float32)
    whole, scales = quantise(array)
    return whole * scales


def round_plan(plan, form):
    """A `Plan` with the weights that the page will compute with."""
    steps = [
        replace(step, arrays={name: round_array(a, form) for name, a in step.arrays.items()})
        for step in plan.steps
    ]
    return replace(plan, steps=steps)


def pack_plan(plan, form, store):
    """Append a plan's arrays to a `ByteStore`: the JSON-ready description of the network."""

    def add(array):
        if array.ndim < 2:
            return store.add(array)
        is_half = form == "float16"
        return store.add(array.astype(np.float16)) if is_half else store.add_quantised(array)

    steps = [
        {
            "kind": step.kind,
            "sources": list(step.sources),
            "shape": list(step.shape),
            "arrays": {name: add(array) for name, array in step.arrays.items()},
            **step.options,
        }
        for step in plan.steps
    ]
    return {
        "inputs": [{"name": name, "shape": list(shape)} for name, shape in plan.inputs],
        "steps": steps,
        "outputs": list(plan.outputs),
        "weights": form,
    }
