"""What the denoising autoencoder is to the fit loop and to the commands."""

from gan_mnist.denoiser.config import DenoiserConfig
from training_run.family import Family


class DenoiserFamily(Family):
    """The autoencoder of source 000; methods import TensorFlow when they are called."""

    name = "denoiser"
    program = "gan_mnist.train_denoiser"
    default_preset = "denoiser"
    config_class = DenoiserConfig

    def build(self, config, spec, block):
        from gan_mnist.denoiser.build import build_denoising_autoencoder

        return build_denoising_autoencoder(config, spec, block)

    def arrays_used(self, config):
        return ("x_train", "x_test")

    def grid(self, model, config, data):
        from gan_mnist.denoiser.build import restoration_grid

        return restoration_grid(model, config, data)


FAMILY = DenoiserFamily()
