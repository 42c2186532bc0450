"""What a run's sample grids show: the same latents from the first step to the last."""

import numpy as np

from training_run.pictures.captions import label_captions
from training_run.step.batches import draw_normal

MAX_ROWS = 40
"""Classes in a grid, one a row; of more, these many evenly chosen ones."""


def sample_grid(model, config, data, latents=None):
    """A function that gives a grid's images from latents that stay the same all run long.

    A conditional model gets one class a row, and the same latent down a column.

    Args:
        model: a composite with `sample`, `latent_dim` and `is_conditional`.
        config: its `RunConfig`.
        data: the run's `ImageData`.
        latents: function of (noise, seed, number of the batch, labels) giving z, called for each
            grid, from the same noise; None for the noise itself.

    Returns:
        A function without arguments, giving (N, H, W, C) float images.
    """
    num_rows, num_columns = config.samples.num_rows, config.samples.num_columns
    if not model.is_conditional:
        z = draw_normal(config.seed, "grid", 0, (num_rows * num_columns, model.latent_dim))
        if latents is None:
            return lambda: model.sample(z)
        return lambda: model.sample(latents(z, config.seed, 0, None))
    z = draw_normal(config.seed, "grid", 0, (num_columns, model.latent_dim))
    classes = shown_classes(data.num_classes)
    z = np.tile(z, (len(classes), 1))
    labels = np.repeat(classes, num_columns)
    if latents is None:
        return lambda: model.sample(z, labels)
    return lambda: model.sample(latents(z, config.seed, 0, labels), labels)


def shown_classes(num_classes):
    """The classes of a grid's rows, (n,) int32: all, or `MAX_ROWS` evenly chosen ones."""
    return np.linspace(0, num_classes - 1, min(num_classes, MAX_ROWS)).round().astype(np.int32)


def row_captions(model, data):
    """Names of the classes of a grid's rows; none where it shows no classes or they have no names.

    Arguments as for `sample_grid`.
    """
    if not getattr(model, "is_conditional", False) or data.class_names is None:
        return ()
    return label_captions(shown_classes(data.num_classes), data.class_names)
