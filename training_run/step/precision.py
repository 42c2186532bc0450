"""The precision that networks compute in: float32, or bfloat16 with float32 weights.

bfloat16 has float32's range and 8 of its 24 significant bits. In mixed precision (Micikevicius et
al. 2018, arXiv:1710.03740) activations and the operands of products have it; weights, optimizers,
sums inside a product and BatchNorm's statistics stay float32, and so do, by our builders' choice, a
discriminator's last layer, a posterior's mean and log-variance, and the activation that makes an
image (of a sum that has been rounded). No loss scaling is needed, unlike with float16, whose range
is smaller.
"""

from contextlib import contextmanager
from pathlib import Path


def processor_info(field, path="/proc/cpuinfo"):
    """What the system tells of its first processor, such as its "model name" or "flags"; or ""."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return ""
    parts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in parts if name.strip() == field), "")


CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
"""Either of them: an x86 processor multiplies bfloat16 numbers itself."""


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
    """Whether the first GPU, or without one the (x86) processor, has arithmetic in bfloat16."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return not CPU_FLAGS.isdisjoint(processor_info("flags").split())
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("compute_capability", (0, 0)) >= GPU_CAPABILITY


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
