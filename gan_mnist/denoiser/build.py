"""From a checked configuration to a compiled denoiser, and the pictures of its progress."""

from gan_mnist.build import build_adam
from gan_mnist.denoiser.model import Denoiser
from gan_mnist.denoiser.network import build_denoiser
from training_run.pictures.grid import interleave_rows
from training_run.pictures.pixels import to_uint8
from training_run.step.batches import scale_images


def build_denoising_autoencoder(config, spec, block):
    """Build and compile the denoiser that a configuration describes.

    Args:
        config: a `DenoiserConfig`.
        spec: the data set's `DataSpec`.
        block: training steps in one compiled execution.

    Returns:
        A compiled `Denoiser`.
    """
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
    """A function that gives a grid's images: test images, the same ones spoiled, and restored.

    Each of the grid's rows becomes three, one above the other. The images and their noise stay
    the same all run long.
    """
    num_columns = config.samples.num_columns
    images = data.x_test[: config.samples.num_rows * num_columns]
    clean = scale_images(images, config.model.value_range)
    spoiled = model.corrupt(clean, model.draw_noise("grid", 0, clean.shape))

    def make_images():
        restored = model.denoise(spoiled, config.model.value_range)
        sets = [to_uint8(x, config.model.value_range) for x in (clean, spoiled, restored)]
        return interleave_rows(sets, num_columns)

    return make_images
