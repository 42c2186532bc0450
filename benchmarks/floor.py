"""The least time that a training step can take on this machine, from the shapes of its layers.

Counted are the floating-point operations of all matrix products that the updates need (and not of
gradients that nothing needs), over the rate that this machine multiplies matrices of so many rows
at in the precision of the preset, and the bytes that Adam must read and write per weight, over its
memory's rate. Activations, normalisation and random numbers are left out: what a perfect program
could keep in the caches. So no program is quicker, and a good one not much slower.
"""

import math
import time
from dataclasses import dataclass

ADAM_BYTES = 28
"""Per weight: read weight, two moments and gradient, write weight and moments, 4 bytes each."""


@dataclass(frozen=True)
class Product:
    """A layer's forward pass as a matrix product: (rows, inner) times (inner, columns).

    A convolution is one too: of its patches with its kernel; a transposed one of its input with
    the kernel, whose patches are then added up.
    """

    rows: int
    inner: int
    columns: int

    @property
    def operations(self):
        """Floating-point operations: a multiplication and an addition for each term."""
        return 2 * self.rows * self.inner * self.columns


def layer_product(layer, batch_size):
    """The `Product` of a Keras layer for a batch, or None for a layer without a kernel."""
    kind = type(layer).__name__
    if kind == "Dense":
        return Product(batch_size, layer.input.shape[-1], layer.units)
    if kind not in ("Conv2D", "Conv2DTranspose"):
        return None
    kernel, channels = math.prod(layer.kernel_size), layer.input.shape[-1]
    if kind == "Conv2D":
        positions = math.prod(layer.output.shape[1:3])
        return Product(batch_size * positions, kernel * channels, layer.filters)
    positions = math.prod(layer.input.shape[1:3])
    return Product(batch_size * positions, channels, kernel * layer.filters)


def products(network, batch_size):
    """The products of a network's forward pass, first layer first."""
    found = [layer_product(layer, batch_size) for layer in network.layers]
    return [product for product in found if product is not None]


def gan_products(networks, batch_size):
    """All products of a step: forward passes, and gradients as far as they are needed."""
    generator = products(networks["generator"], batch_size)
    judged = products(networks["discriminator"], batch_size)
    twice = products(networks["discriminator"], 2 * batch_size)
    discriminator_phase = generator + twice + twice + twice[1:]  # no gradient of the images
    # Through the discriminator to the images, and against the generator's weights alone.
    generator_phase = generator + judged + judged + generator + generator[1:]
    return discriminator_phase + generator_phase


def chain_products(networks, batch_size):
    """Products of a step that updates every weight of a chain of networks, the first one first."""
    first, *rest = networks.values()
    first = products(first, batch_size)
    chain = first + [product for network in rest for product in products(network, batch_size)]
    # Both heads of an encoder pass gradients on; only its first layer has no use for one.
    return chain + chain + chain[1:]


def step_products(family, networks, batch_size):
    """The products of a step of a model."""
    return (gan_products if family == "gan" else chain_products)(networks, batch_size)


def num_weights(networks):
    """Weights that a step updates."""
    return sum(
        weight.shape.num_elements()
        for network in networks.values()
        for weight in network.trainable_variables
    )


def product_rate(rows, precision):
    """Floating-point operations a second of (rows, 1024) times (1024, 1024), best of several.

    Args:
        rows: of the left factor.
        precision: "float32" or "mixed_bfloat16".
    """
    import tensorflow as tf

    dtype = precision.removeprefix("mixed_")
    left = tf.cast(tf.random.normal((rows, 1024)), dtype)
    right = tf.cast(tf.random.normal((1024, 1024)), dtype)
    repeats = max(1, 2**30 // (rows * 2**20))

    @tf.function
    def multiply(left, right):
        for _ in tf.range(repeats):
            # Each product waits for the one before; over sqrt(1024) numbers stay of their size.
            left = tf.matmul(left, right) / 32
        return left

    return repeats * 2 * rows * 2**20 / _best_seconds(lambda: multiply(left, right).numpy())


def memory_rate():
    """Bytes a second of adding two large arrays into a third, best of several."""
    import tensorflow as tf

    one, other = tf.random.normal((2**25,)), tf.random.normal((2**25,))
    add = tf.function(lambda x, y: x + y)
    return 3 * 4 * 2**25 / _best_seconds(lambda: add(one, other)[0].numpy())


def _best_seconds(call, repeats=7):
    call()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def floor(config, networks):
    """The counts, rates and least milliseconds of a model's step, as a dict.

    Args:
        config: its `RunConfig`, with the precision resolved.
        networks: dict of name -> Keras network.
    """
    precision = config.training.precision
    counted = step_products(config.family, networks, config.training.batch_size)
    measured = {_measured_rows(product.rows) for product in counted}
    rates = {rows: product_rate(rows, precision) for rows in measured}
    seconds = sum(product.operations / rates[_measured_rows(product.rows)] for product in counted)
    weight_bytes, bytes_rate = ADAM_BYTES * num_weights(networks), memory_rate()
    return {
        "precision": precision,
        "operations": sum(product.operations for product in counted),
        "operations_per_second": {str(rows): rate for rows, rate in sorted(rates.items())},
        "weight_bytes": weight_bytes,
        "bytes_per_second": bytes_rate,
        "milliseconds": 1000 * (seconds + weight_bytes / bytes_rate),
    }


def _measured_rows(rows):
    """Rates are those of 2,048 rows for whatever has more."""
    return min(rows, 2048)
