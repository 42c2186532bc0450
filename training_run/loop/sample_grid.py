"""What a run's sample grids show: the same latents from the first step to the last."""

import numpy as np

from training_run.step.batches import draw_normal


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
    z = np.tile(z, (data.num_classes, 1))
    labels = np.repeat(np.arange(data.num_classes, dtype=np.int32), num_columns)
    if latents is None:
        return lambda: model.sample(z, labels)
    return lambda: model.sample(latents(z, config.seed, 0, labels), labels)
