"""From a checked configuration to a compiled GAN."""

import keras

from gan_mnist.losses import get_loss
from gan_mnist.model import GAN
from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from training_run.batches import draw_normal


def build_gan(config, spec, block):
    """Build and compile the GAN that a configuration describes.

    Args:
        config: a `GANConfig`.
        spec: the data set's `DataSpec`.
        block: training steps in one compiled execution.

    Returns:
        A compiled `GAN`.
    """
    gan = GAN(
        build_generator(config.model, spec.image_shape, config.seed),
        build_discriminator(config.model, spec.image_shape, config.seed),
        value_range=config.model.value_range,
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    gan.compile(
        discriminator_optimizer=build_adam(config.optimizer.discriminator.over(config.optimizer)),
        generator_optimizer=build_adam(config.optimizer.generator.over(config.optimizer)),
        loss=get_loss(config.loss.name),
        jit_compile=config.training.jit_compile,
        steps_per_execution=block,
    )
    return gan


def build_generator(model, image_shape, seed):
    """The generator of a model section."""
    return build_mlp_generator(
        latent_dim=model.latent_dim,
        image_shape=image_shape,
        widths=model.generator_widths,
        batch_norm_momentum=model.batch_norm_momentum,
        leaky_slope=model.leaky_slope,
        output_activation=model.output_activation,
        seed=seed,
    )


def build_discriminator(model, image_shape, seed):
    """The discriminator of a model section."""
    return build_mlp_discriminator(
        image_shape=image_shape,
        widths=model.discriminator_widths,
        leaky_slope=model.leaky_slope,
        seed=seed,
    )


def build_adam(settings):
    """A Keras Adam from an `AdamConfig`."""
    return keras.optimizers.Adam(
        **settings.model_dump(include={"learning_rate", "beta_1", "beta_2", "epsilon"})
    )


def sample_grid(gan, config, data):
    """A function that gives a grid's images from latents that stay the same all run long."""
    num_images = config.samples.num_rows * config.samples.num_columns
    z = draw_normal(config.seed, "grid", 0, (num_images, gan.latent_dim))
    return lambda: gan.sample(z)
