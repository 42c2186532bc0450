"""What only a VAE's run has: held-out losses, reconstructions, pictures of the latent space."""

from functools import partial

import keras
import numpy as np

from training_run.loop.callbacks import AtEnd, EverySteps, SampleGrids
from training_run.pictures.grid import interleave_rows
from training_run.pictures.pixels import to_uint8
from vae_mnist.contrast import NUM_IMAGES
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


def vae_callbacks(context):
    """The callbacks of a VAE's run, from its `RunContext`."""
    config, clock, schedule = context.config, context.clock, context.schedule
    num_columns = config.samples.num_columns
    shown = held_out(context.data, max(config.samples.num_rows // 2, 1) * num_columns)
    make_pairs = partial(reconstruction_pairs, context.model, *shown, num_columns)
    look = (make_pairs, (0, 255), num_columns)
    callbacks = [
        SampleGrids(clock, schedule.samples_every, *look, context.run.reconstruction),
    ]
    if config.prior.kind == "mixture":
        from vae_mnist.prior_callback import FitPrior  # it needs scikit-learn only when it fits

        every = schedule.extra["quality"] if config.quality.every else None
        callbacks.insert(0, FitPrior(context, every))
    if config.prior.kind == "vamp":
        from vae_mnist.vamp import ShowVampPrior

        callbacks.insert(0, ShowVampPrior(context))
    if config.model.calibrate_contrast:
        callbacks.insert(0, CalibrateContrast(context))
    callbacks.append(AtEnd(partial(write_latent_pictures, context)))
    if config.validation.every:
        scored = held_out(context.data, config.validation.num_images)
        callbacks.append(Validation(clock, schedule.extra["validation"], *scored))
    return callbacks


class CalibrateContrast(keras.callbacks.Callback):
    """Calibrates the decoder for samples before each output that shows or saves it.

    Args:
        context: the run's `RunContext`.
    """

    def __init__(self, context):
        super().__init__()
        schedule, data = context.schedule, context.data
        self.clock = context.clock
        self.intervals = {
            schedule.samples_every,
            schedule.gif_every,
            schedule.checkpoints_every,
            schedule.extra.get("quality", schedule.samples_every),
        }
        chosen = np.random.default_rng(context.config.seed).permutation(len(data.x_train))
        chosen = chosen[:NUM_IMAGES]
        self.images, self.labels = data.x_train[chosen], None
        if context.model.is_conditional:
            self.labels = data.y_train[chosen]

    def on_train_begin(self, logs=None):
        self.model.calibrate_contrast(self.images, self.labels)

    def on_train_batch_end(self, batch, logs=None):
        step = self.clock.step
        if step == self.clock.total or any(step % every == 0 for every in self.intervals):
            self.model.calibrate_contrast(self.images, self.labels)

    def on_train_end(self, logs=None):
        self.model.calibrate_contrast(self.images, self.labels)


def held_out(data, num):
    """The first `num` test images and their labels."""
    return data.x_test[:num], labels_at(data, slice(num))


def reconstruction_pairs(vae, images, labels, num_columns):
    """Images for a grid in which each row stands above its reconstructions, uint8."""
    made = to_uint8(vae.reconstruct(images, labels), vae.value_range)
    return interleave_rows([images, made], num_columns)


def write_latent_pictures(context):
    """Pictures of the latent space; the same seed shows the same test images in every run."""
    folder, vae, seed = context.run.path, context.model, context.config.seed
    write_run_strip(folder / "interpolation.png", vae, context.data, seed)
    if vae.latent_dim == 2:
        write_manifold(folder / "manifold.png", vae, context.data, seed)
