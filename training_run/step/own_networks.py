"""Networks of a user's own: saved ones, or what a function of a file of theirs builds."""

import importlib.util
import sys

from training_run.config.networks import SAVED, source_files
from training_run.errors import UserError
from training_run.files import sha256_of_file


def source_checksums(model, names):
    """dict of each file of `source_files` to its SHA-256; arguments as there."""
    files = source_files(model, names)
    return {name: sha256_of_file(path) for name, path in files.items()}


def own_networks(config, spec, names):
    """The networks that `model.kind` of a user's own gives; imports Keras.

    A builder is called with image_shape (H, W, C), latent_dim, num_classes (None without labels)
    and seed, all by name, and returns the networks in the order of `names`.

    Args:
        config: the run's configuration, with an `OwnNetworksSection`.
        spec: the data set's `DataSpec`.
        names: what the networks are, such as ("generator", "discriminator").

    Returns:
        A list of Keras networks, each with the name of what it is.

    Raises:
        UserError: a file cannot be loaded, or a builder returns something else.
    """
    import keras

    from training_run.step.weights import load_safely

    files = source_files(config.model, names)
    if config.model.kind == SAVED:
        networks = [load_safely(path) for path in files.values()]
    else:
        networks = _call_builder(config, spec, *files.values(), len(names))
    for name, network in zip(names, networks, strict=True):
        if not isinstance(network, keras.Model):
            raise UserError(
                f"model.kind: {config.model.kind}: expected {' and '.join(names)}, each a "
                f"keras.Model, received {type(network).__name__} as {name}"
            )
        network.name = name
    return networks


def _call_builder(config, spec, path, num):
    module_name, _, function_name = config.model.kind.partition(":")
    where = f"model.kind: {path}"
    module_spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_name] = module  # as an import does, for classes that Keras looks up
    try:
        module_spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{where}: cannot be imported: {type(error).__name__}: {error}") from error
    build = getattr(module, function_name, None)
    if not callable(build):
        raise UserError(f"{where}: expected a function {function_name}, received none")
    networks = build(
        image_shape=spec.image_shape,
        latent_dim=config.model.latent_dim,
        num_classes=spec.num_classes if config.model.conditional else None,
        seed=config.seed,
    )
    if not isinstance(networks, list | tuple) or len(networks) != num:
        raise UserError(
            f"{where}: expected {function_name} to return {num} networks, received "
            f"{type(networks).__name__}"
        )
    return list(networks)


def check_shapes(networks, expected):
    """Raise `UserError`, naming all networks, unless each maps what it must.

    Args:
        networks: name to Keras network.
        expected: name to (list of input shapes, list of output shapes), without the batch.
    """
    wrong = [name for name in expected if _shapes(networks[name]) != _plain(expected[name])]
    if wrong:
        wanted = ", ".join(_describe(name, *_plain(expected[name])) for name in expected)
        received = ", ".join(_describe(name, *_shapes(networks[name])) for name in expected)
        raise UserError(f"model: expected {wanted}; received {received}")


def _shapes(network):
    return _plain(
        [[tensor.shape[1:] for tensor in tensors] for tensors in (network.inputs, network.outputs)]
    )


def _plain(shapes):
    return tuple(tuple(tuple(shape) for shape in side) for side in shapes)


def _describe(name, inputs, outputs):
    sides = (
        " and ".join("(" + ", ".join(["N", *map(str, shape)]) + ")" for shape in side)
        for side in (inputs, outputs)
    )
    return f"a {name} from {' to '.join(sides)}"
