"""From a checked configuration to a compiled denoiser, and the pictures of its progress."""

from gan_mnist.denoiser.model import Denoiser, denoise
from gan_mnist.denoiser.network import build_denoiser
from training_run.pictures.grid import interleave_rows
from training_run.pictures.pixels import to_uint8
from training_run.step.batches import scale_images
from training_run.step.optimizers import build_adam


def build_denoising_autoencoder(config, spec, block):
    """The compiled `Denoiser` of a `DenoiserConfig`; arguments as for `Family.build`."""
    model = Denoiser(
        build_denoiser(
            image_shape=spec.image_shape, num_hidden=config.model.num_hidden, seed=config.seed
        ),
        corruptions=config.corruption.strengths(),
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    model.compile(
        build_adam(config.optimizer),
        jit_compile=config.training.jit_compile,
        steps_per_execution=block,
    )
    return model


def restoration_grid(model, config, data):
    """A function that gives a grid's images: test images, the same ones corrupted, and restored.

    Each of the grid's rows becomes three, one above the other. The images and their noise stay
    the same during the whole run.
    """
    num_columns, value_range = config.samples.num_columns, config.model.value_range
    images = data.x_test[: config.samples.num_rows * num_columns]
    clean = scale_images(images, value_range)
    corrupted = model.corrupt(clean, model.draw_noise("grid", 0, clean.shape))

    def make_images():
        restored = denoise(model.denoiser, corrupted, value_range)
        sets = [to_uint8(x, value_range) for x in (clean, corrupted, restored)]
        return interleave_rows(sets, num_columns)

    return make_images
