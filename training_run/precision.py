"""The precision that networks compute in: float32, or bfloat16 with float32 weights.

bfloat16 has float32's range and 8 of its 24 significant bits. In mixed precision (Micikevicius et
al. 2018, arXiv:1710.03740) activations and the operands of products have it; weights, optimizers,
sums inside a product, BatchNorm's statistics, and by our builders' choice logits, log-variances and
images, stay float32. No loss scaling is needed, unlike with float16, whose range is smaller.
"""

import platform
from contextlib import contextmanager
from pathlib import Path

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
"""Either of them: the processor multiplies bfloat16 numbers itself."""

GPU_CAPABILITY = (8, 0)
"""Compute capability of the first GPUs whose tensor cores take bfloat16."""


def resolve_precision(config):
    """The configuration with `training.precision: auto` replaced by what suits this machine.

    Imports TensorFlow. What a run was begun in, its folder says: it goes on in that anywhere.

    Args:
        config: a `RunConfig`.

    Returns:
        The same with float32 or mixed_bfloat16.
    """
    if config.training.precision != "auto":
        return config
    precision = "mixed_bfloat16" if machine_has_bfloat16() else "float32"
    training = config.training.model_copy(update={"precision": precision})
    return config.model_copy(update={"training": training})


def machine_has_bfloat16():
    """Whether the first GPU, or else the processor, computes in bfloat16 by itself."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return bool(CPU_FLAGS & cpu_flags())
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("compute_capability", (0, 0)) >= GPU_CAPABILITY


def cpu_flags(cpuinfo="/proc/cpuinfo"):
    """Names of the processor's features, a set of str; empty where the system does not tell."""
    if platform.system() != "Linux":
        return set()
    lines = Path(cpuinfo).read_text(encoding="utf-8").splitlines()
    return {flag for line in lines if line.startswith("flags") for flag in line.split()[2:]}


@contextmanager
def computing_in(precision):
    """Build layers in a precision, whatever layers are built in outside of this.

    Args:
        precision: "float32" or "mixed_bfloat16".
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
