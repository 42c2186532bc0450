"""Train the denoising autoencoder: `python -m gan_mnist.train_denoiser --help`."""

from gan_mnist.denoiser.config import DenoiserConfig
from training_run.cli.train import train_command
from training_run.family import Family


def build(config, spec, block):
    """A compiled denoiser; imports TensorFlow."""
    from gan_mnist.denoiser.build import build_denoising_autoencoder

    return build_denoising_autoencoder(config, spec, block)


def grid(model, config, data):
    """The images of a sample grid; imports TensorFlow."""
    from gan_mnist.denoiser.build import restoration_grid

    return restoration_grid(model, config, data)


FAMILY = Family(
    name="denoiser",
    program="gan_mnist.train_denoiser",
    default_preset="denoiser",
    config_class=DenoiserConfig,
    build=build,
    grid=grid,
)


def main(argv=None):
    """Run the command; returns its exit code."""
    return train_command(FAMILY, argv)
