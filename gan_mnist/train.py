"""Train a GAN: `python -m gan_mnist.train --help`."""

import sys

from gan_mnist.config import GANConfig, check_data
from sample_quality.while_training import (
    check_classifier,
    quality_callbacks,
    quality_columns,
    quality_interval,
)
from training_run.cli.train import train_command
from training_run.family import Family


def build(config, spec, block):
    """A compiled GAN; imports TensorFlow."""
    from gan_mnist.build import build_gan

    return build_gan(config, spec, block)


def grid(gan, config, data):
    """The images of a sample grid; imports TensorFlow."""
    from training_run.loop.sample_grid import sample_grid

    return sample_grid(gan, config, data)


def callbacks(context):
    """What runs beside the training; imports TensorFlow."""
    from gan_mnist.health import health_callback

    return [health_callback(context), *quality_callbacks(context, "generator")]


FAMILY = Family(
    name="gan",
    program="gan_mnist.train",
    default_preset="gan_mlp",
    config_class=GANConfig,
    build=build,
    grid=grid,
    intervals=quality_interval,
    check=check_data,
    check_images=check_classifier,
    callbacks=callbacks,
    log_columns=quality_columns,
)


def main(argv=None):
    """Run the command; returns its exit code."""
    return train_command(FAMILY, argv)


if __name__ == "__main__":
    sys.exit(main())
