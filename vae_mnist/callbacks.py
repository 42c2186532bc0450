"""What a VAE's run has beside a GAN's: held-out losses, reconstructions and last pictures."""

import keras

from training_run.loop.callbacks import EverySteps
from training_run.pictures.grid import interleave_rows, save_image_grid
from training_run.pictures.pixels import to_uint8
from vae_mnist.latent_path import write_run_strip
from vae_mnist.plane import write_manifold


class Validation(EverySteps):
    """Adds the loss on held-out images to the log row of its step.

    Args:
        clock, every: when; a multiple of the log's interval.
        images: (N, H, W, C) uint8.
        labels: (N,) int32 for a conditional model, else None.
    """

    def __init__(self, clock, every, images, labels=None):
        super().__init__(clock, every)
        self.images, self.labels = images, labels

    def at_step(self, step, logs):
        logs.update(self.model.evaluate_arrays(self.images, self.labels))


class Reconstructions(EverySteps):
    """Grids of held-out images, each above its reconstruction, of the same images every time.

    Args:
        clock, every: when, and at step 0.
        images, labels: as for `Validation`.
        num_columns: images in a row.
        path_of: step -> where that step's grid belongs.
    """

    def __init__(self, clock, every, images, labels, num_columns, path_of):
        super().__init__(clock, every)
        self.images, self.labels = images, labels
        self.num_columns, self.path_of = num_columns, path_of

    def on_train_begin(self, logs=None):
        if self.clock.step == 0:
            self.at_step(0, logs)

    def at_step(self, step, logs):
        path = self.path_of(step)
        path.parent.mkdir(exist_ok=True)
        made = to_uint8(self.model.reconstruct(self.images, self.labels), self.model.value_range)
        pairs = interleave_rows([self.images, made], self.num_columns)
        save_image_grid(path, pairs, (0, 255), self.num_columns)


class LastPictures(keras.callbacks.Callback):
    """Pictures of the latent space where training ends, also when a signal has ended it.

    Args:
        run: the `RunDir`.
        data: its `ImageData`.
        seed: picks the test images, so that every run with this seed shows the same.
    """

    def __init__(self, run, data, seed):
        super().__init__()
        self.run, self.data, self.seed = run, data, seed

    def on_train_end(self, logs=None):
        write_run_strip(self.run.path / "interpolation.png", self.model, self.data, self.seed)
        if self.model.latent_dim == 2:
            write_manifold(self.run.path / "manifold.png", self.model, self.data, self.seed)


def vae_callbacks(context):
    """Held-out losses, reconstructions and last pictures of a run, from its `RunContext`."""
    config, data, run = context.config, context.data, context.run
    clock, schedule, num_columns = context.clock, context.schedule, config.samples.num_columns

    def held_out(num_images):
        labels = data.y_test[:num_images] if config.model.conditional else None
        return data.x_test[:num_images], labels

    shown = held_out(max(config.samples.num_rows // 2, 1) * num_columns)
    callbacks = [
        Reconstructions(clock, schedule.samples_every, *shown, num_columns, run.reconstruction),
        LastPictures(run, data, config.seed),
    ]
    if config.validation.every:
        scored = held_out(config.validation.num_images)
        callbacks.append(Validation(clock, schedule.extra["validation"], *scored))
    return callbacks
