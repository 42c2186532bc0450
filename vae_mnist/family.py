"""What a VAE is to the fit loop and to the commands: the `Family` that both ask."""

from sample_quality import while_training
from training_run.config.sizes import filters_for
from training_run.family import Family, Prepared
from vae_mnist.config import VAEConfig, check_data


class VAEFamily(Family):
    """An encoder and a decoder; methods import TensorFlow when they are called."""

    name = "vae"
    program = "vae_mnist.train"
    default_preset = "vae_mlp"
    config_class = VAEConfig
    networks = ("encoder", "decoder")

    def build(self, config, spec, block):
        from vae_mnist.build import build_vae

        return build_vae(config, spec, block)

    def grid(self, model, config, data):
        from training_run.loop.sample_grid import sample_grid
        from vae_mnist.prior_grids import latents_of_now

        return sample_grid(model, config, data, latents_of_now(model, config))

    def grid_titles(self, model, config):
        from vae_mnist.prior_grids import titles_of_now

        return titles_of_now(model, config)

    def intervals(self, config):
        validation = {"validation": config.validation.every} if config.validation.every else {}
        return validation | while_training.intervals(config)

    def layout(self, side):
        filters = filters_for(side)
        return {"encoder_filters": filters, "decoder_filters": filters[::-1]}

    def check(self, config, spec, path):
        check_data(config, spec, path)

    def prepare(self, config, data):
        from vae_mnist.binarization import binarize_data

        classifier = while_training.find_classifier(config, data)
        return Prepared(binarize_data(data, config.data.binarize), classifier)

    def callbacks(self, context):
        from training_run.loop.kept import kept_networks
        from vae_mnist.callbacks import vae_callbacks

        return [
            *vae_callbacks(context),
            *while_training.callbacks(context, "decoder"),
            *kept_networks(context, context.config.explorer.keep, context.model.decoder),
        ]

    def log_columns(self, config):
        columns = ("val_loss", "val_reconstruction_loss", "val_kl_loss")
        validation = columns if config.validation.every else ()
        return (*validation, *while_training.log_columns(config))


FAMILY = VAEFamily()
