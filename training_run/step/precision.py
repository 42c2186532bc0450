"""The precision that networks compute in: float32, or bfloat16 with float32 weights.

bfloat16 has float32's range and 8 of its 24 significant bits. In mixed precision, activations
and the inputs of matrix products are bfloat16. Weights, optimizers, sums inside a product and
BatchNorm's statistics stay float32. Our builders also keep in float32: a discriminator's logits, a
posterior's mean and log-variance, and the activation that makes an image. bfloat16 needs no loss
scaling, unlike float16 with its smaller range.

Source: Micikevicius et al. 2018, arXiv:1710.03740.
"""

from contextlib import contextmanager
from pathlib import Path

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
"""An x86 processor with either of them multiplies bfloat16 numbers in hardware."""

GPU_CAPABILITY = (8, 0)
"""Compute capability of the first GPUs with tensor cores for bfloat16."""


def resolve_for_machine(config):
    """The `RunConfig` with all that is `auto` about how it computes resolved for this machine."""
    return resolve_compilation(resolve_precision(config))


def resolve_precision(config):
    """The `RunConfig` with `training.precision: auto` resolved for this machine.

    The run folder stores the result, so a run continues in the same precision on any machine.
    """
    if config.training.precision != "auto":
        return config
    precision = "mixed_bfloat16" if machine_has_bfloat16() else "float32"
    training = config.training.model_copy(update={"precision": precision})
    return config.model_copy(update={"training": training})


def resolve_compilation(config):
    """The `RunConfig` with `training.jit_compile: auto` resolved for its networks and this machine.

    XLA makes the step of dense networks a quarter to a half quicker on a CPU, and that of
    convolutions slower. On a GPU it joins the many small operations of either.
    """
    if config.training.jit_compile != "auto":
        return config
    import tensorflow as tf

    is_dense = getattr(config.model, "is_dense", False)
    is_quicker = is_dense or bool(tf.config.list_physical_devices("GPU"))
    training = config.training.model_copy(update={"jit_compile": is_quicker})
    return config.model_copy(update={"training": training})


def machine_has_bfloat16():
    """True if the first GPU, or without a GPU the x86 processor, computes in bfloat16."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return not CPU_FLAGS.isdisjoint(processor_info("flags").split())
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("compute_capability", (0, 0)) >= GPU_CAPABILITY


def processor_info(field, path="/proc/cpuinfo"):
    """A field of the first processor, such as "model name" or "flags"; "" if it is unknown."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return ""
    parts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in parts if name.strip() == field), "")


@contextmanager
def computing_in(precision):
    """Context in which layers are built in a precision: "float32" or "mixed_bfloat16"."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
