"""What only a VAE's run has: held-out losses, reconstructions, pictures of the latent space."""

import keras

from training_run.loop.callbacks import EverySteps
from training_run.pictures.grid import interleave_rows, save_image_grid
from training_run.pictures.pixels import to_uint8
from vae_mnist.latent_path import write_run_strip
from vae_mnist.plane import write_manifold
from vae_mnist.trained import labels_at


class Validation(EverySteps):
    """Adds the loss on held-out images to the log row of its step.

    Args:
        clock, every: when; a multiple of the log's interval.
        images: (N, H, W, C) uint8.
        labels: (N,) int32, or None if the data have none.
    """

    def __init__(self, clock, every, images, labels):
        super().__init__(clock, every)
        self.images, self.labels = images, labels

    def at_step(self, step, logs):
        logs.update(self.model.evaluate_arrays(self.images, self.labels))


class Reconstructions(EverySteps):
    """Writes grids of held-out images, each above its reconstruction.

    Args:
        clock, every: when, and at step 0.
        run: the `RunDir` to write into.
        images, labels: as for `Validation`; every grid shows all of them.
        num_columns: images in a row.
    """

    def __init__(self, clock, every, run, images, labels, num_columns):
        super().__init__(clock, every)
        self.run, self.images, self.labels, self.num_columns = run, images, labels, num_columns

    def on_train_begin(self, logs=None):
        if self.clock.step == 0:
            self.at_step(0, logs)

    def at_step(self, step, logs):
        path = self.run.reconstruction(step)
        path.parent.mkdir(exist_ok=True)
        made = to_uint8(self.model.reconstruct(self.images, self.labels), self.model.value_range)
        pairs = interleave_rows([self.images, made], self.num_columns)
        save_image_grid(path, pairs, (0, 255), self.num_columns)


class FinalPictures(keras.callbacks.Callback):
    """Writes pictures of the latent space when training ends, also if a signal has ended it.

    Args:
        run: the `RunDir`.
        data: its `ImageData`.
        seed: picks the test images; the same for all runs with this seed.
    """

    def __init__(self, run, data, seed):
        super().__init__()
        self.run, self.data, self.seed = run, data, seed

    def on_train_end(self, logs=None):
        write_run_strip(self.run.path / "interpolation.png", self.model, self.data, self.seed)
        if self.model.latent_dim == 2:
            write_manifold(self.run.path / "manifold.png", self.model, self.data, self.seed)


def vae_callbacks(context):
    """The callbacks of a VAE's run, from its `RunContext`."""
    config, data, run = context.config, context.data, context.run
    clock, schedule, num_columns = context.clock, context.schedule, config.samples.num_columns

    def held_out(num):
        return data.x_test[:num], labels_at(data, slice(num))

    shown = held_out(max(config.samples.num_rows // 2, 1) * num_columns)
    callbacks = [
        Reconstructions(clock, schedule.samples_every, run, *shown, num_columns),
        FinalPictures(run, data, config.seed),
    ]
    if config.validation.every:
        scored = held_out(config.validation.num_images)
        callbacks.append(Validation(clock, schedule.every("validation"), *scored))
    return callbacks
