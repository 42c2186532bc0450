"""Saved networks: loaded without running any code, and copied into others with the same layers."""

import keras

from training_run.errors import UserError


def load_safely(path):
    """The uncompiled network of a `.keras` file.

    Keras's safe mode is on: a file that carries Python code (a Lambda layer, say) is refused.

    Raises:
        UserError: Keras cannot load it, or it was saved before it had seen an input.
    """
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        if not (network.inputs and network.outputs):
            raise ValueError("a network without inputs and outputs")
        return network
    except Exception as error:  # Keras raises many kinds, all for the same reason: a bad file
        raise UserError(
            f"{path}: expected a network that Keras can load safely, received one that it cannot: "
            f"{_first_sentence(error)}"
        ) from None


def _first_sentence(error):
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].partition(". ")[0].rstrip(".")


def copy_weights(saved, network):
    """Copy the weights of a saved network into one with the same layers.

    Layers that read the class may differ: they then keep their weights. If only one of the two
    networks reads the class beside z, the layer behind them copies the rows of z alone.

    Args:
        saved: a Keras network.
        network: another, which is changed.

    Returns:
        Names of its layers that keep their weights, all or a part of them.

    Raises:
        ValueError: the layers or their shapes differ; nothing has been changed. Its text goes on
            after "received".
    """
    old, new = _layers_without_class(saved), _layers_without_class(network)
    if len(old) != len(new):
        raise ValueError(f"{len(old)} layers with weights where this one has {len(new)}")
    num_rows = _rows_of_z(saved, network)
    for before, after in zip(old, new, strict=True):
        if not (_shapes(before) == _shapes(after) or _fits_in_rows(before, after, num_rows)):
            kind = type(before).__name__
            raise ValueError(
                f"{kind} with weights {_shown(before)} where this one has {_shown(after)}"
            )
    kept = []
    for before, after in zip(old, new, strict=True):
        if _shapes(before) == _shapes(after):
            after.set_weights(before.get_weights())
        else:
            after.set_weights(_with_rows(after.get_weights(), before.get_weights(), num_rows))
            kept += [after.name] if after.kernel.shape[0] > num_rows else []
    return kept + _copy_class_layers(_class_layers(saved), _class_layers(network))


def _copy_class_layers(old, new):
    """Copy the layers that read the class if all have the same shapes; else name those of `new`."""
    if [_shapes(layer) for layer in old] != [_shapes(layer) for layer in new]:
        return [layer.name for layer in new]
    for before, after in zip(old, new, strict=True):
        after.set_weights(before.get_weights())
    return []


def _class_layers(network):
    """The layers behind the one-hot labels: a row of weights for each class."""
    labels = [layer.output for layer in network.layers if _is_one_hot(layer)]
    return [
        _plain(layer)
        for layer in network.layers
        if layer.weights and any(layer.input is output for output in labels)
    ]


def _is_one_hot(layer):
    return isinstance(layer, keras.layers.CategoryEncoding)


def _layers_without_class(network):
    with_class = [id(layer) for layer in _class_layers(network)]
    layers = [_plain(layer) for layer in network.layers if layer.weights]
    return [layer for layer in layers if id(layer) not in with_class]


def _plain(layer):
    """The layer inside of a wrapper such as spectral normalisation, whose own state stays."""
    return layer.layer if isinstance(layer, keras.layers.Wrapper) else layer


def _rows_of_z(saved, network):
    """Length of z where one of the two networks reads the class beside it; else None."""
    lengths = {each.inputs[0].shape[1:] for each in (saved, network)}
    if len(saved.inputs) == len(network.inputs) or len(lengths) != 1:
        return None
    (shape,) = lengths
    return shape[0] if len(shape) == 1 else None


def _fits_in_rows(before, after, num_rows):
    """True for the layer behind z and class: kernels with other rows after those of z."""
    (kernel, *rest), (own_kernel, *own_rest) = _shapes(before), _shapes(after)
    same = kernel[1:] == own_kernel[1:] and rest == own_rest
    return same and num_rows is not None and num_rows in (kernel[0], own_kernel[0])


def _with_rows(weights, others, num_rows):
    kernel = weights[0].copy()
    kernel[:num_rows] = others[0][:num_rows]
    return [kernel, *others[1:]]


def _shapes(layer):
    return [tuple(weight.shape) for weight in layer.weights]


def _shown(layer):
    return " and ".join("x".join(map(str, shape)) or "1" for shape in _shapes(layer))
