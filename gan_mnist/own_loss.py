"""Losses that a user gives as Python functions. Nothing here imports TensorFlow."""

import hashlib
import inspect

from training_run.config.yaml_source import ConfigError, Problem


def check_own_loss(config, own_loss, path):
    """Refuse `loss.name: own` without functions: a configuration cannot hold them.

    Args:
        config: the `GANConfig`.
        own_loss: the functions, or None.
        path: the configuration's file, for the message.

    Raises:
        ConfigError: saying how to give them.
    """
    if config.loss.name != "own" or own_loss is not None:
        return
    message = (
        "expected the two functions of an own loss, received none; give them in Python: "
        "gan_mnist.train(..., loss=(discriminator_loss, generator_loss)), or gan_mnist.resume "
        "with the same"
    )
    raise ConfigError([Problem(str(path), "loss.name", message)])


def functions_sha256(functions):
    """SHA-256 of the functions' sources, or of their code where no source is found."""
    digest = hashlib.sha256()
    for function in functions:
        try:
            text = inspect.getsource(function)
        except (OSError, TypeError):
            code = getattr(function, "__code__", None)
            text = repr((code.co_code, code.co_consts) if code else type(function))
        digest.update(text.encode())
    return digest.hexdigest()
