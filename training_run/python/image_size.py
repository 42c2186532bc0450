"""`model.size` becomes the size of the images and the layers that suit it."""

from training_run.config.sizes import AUTO, SIDES, auto_side, sides_for
from training_run.config.yaml_source import ConfigError, Problem


def resolve_size(family, config, path):
    """The configuration with the keys that follow from `model.size` filled in.

    They are `data.image_size`, `data.num_channels` and the family's filters; those that are set
    stay.

    Args:
        family: the `Family`.
        config: its checked configuration.
        path: its file, for messages.

    Returns:
        A configuration; the same one where `model.size` is not set.

    Raises:
        UserError: the images cannot be found, or their size has no layout.
    """
    if getattr(config.model, "size", None) is None:
        return config
    data, wanted = config.data, config.model.size
    if data.dataset == "image_folder":
        data = _measured_data(data, wanted)
    side = data.image_size or _side_of(data)
    if side not in SIDES:
        message = f"expected {sides_for(side)} with model.size, received {side}"
        raise ConfigError([Problem(str(path), "data.image_size", message)])
    if wanted not in (AUTO, side):
        message = f"expected auto or {side}, the side of the images, received {wanted}"
        raise ConfigError([Problem(str(path), "model.size", message)])
    is_set = config.model.model_fields_set
    layers = {key: value for key, value in family.layout(side).items() if key not in is_set}
    model = config.model.model_copy(update=layers | {"size": side})
    return config.model_copy(update={"data": data, "model": model})


def _measured_data(data_config, wanted):
    """The `data` section with the size and the channels that a folder's images have."""
    from training_run.data.image_folder.find import measure

    if data_config.image_size and data_config.num_channels:
        return data_config
    measured = measure(data_config)
    side = auto_side(measured.side) if wanted == AUTO else wanted
    update = {
        "image_size": data_config.image_size or side,
        "num_channels": data_config.num_channels or measured.num_channels,
    }
    return data_config.model_copy(update=update)


def _side_of(data_config):
    """Side of a data set whose images have a size of their own."""
    from training_run.data.datasets import find_dataset

    return find_dataset(data_config).spec.image_shape[0]
