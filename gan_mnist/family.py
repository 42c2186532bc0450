"""What a GAN is to the fit loop and to the commands: the `Family` that both ask."""

from gan_mnist.checks import check_data, check_own_loss
from gan_mnist.config import GANConfig
from gan_mnist.own_loss import functions_sha256
from sample_quality import while_training
from training_run.config.sizes import filters_for
from training_run.family import OWN_LOSS, Family, Prepared


class GANFamily(Family):
    """A generator and a discriminator; methods import TensorFlow when they are called.

    Args:
        own_loss: two functions of logits, see `gan_mnist.train`, for `loss.name: own`; or None.
    """

    name = "gan"
    program = "gan_mnist.train"
    default_preset = "gan_mlp"
    config_class = GANConfig
    networks = ("generator", "discriminator")

    def __init__(self, own_loss=None):
        self.own_loss = own_loss

    def build(self, config, spec, block):
        from gan_mnist.build import build_gan

        return build_gan(config, spec, block, self.own_loss)

    def grid(self, model, config, data):
        from training_run.loop.sample_grid import sample_grid

        return sample_grid(model, config, data)

    def intervals(self, config):
        return while_training.intervals(config)

    def layout(self, side):
        filters = filters_for(side)
        return {"generator_filters": filters[::-1], "discriminator_filters": filters}

    def check(self, config, spec, path):
        check_data(config, spec, path)
        check_own_loss(config, self.own_loss, path)

    def sources(self, config):
        losses = {} if self.own_loss is None else {OWN_LOSS: functions_sha256(self.own_loss)}
        return super().sources(config) | losses

    def arrays_used(self, config):
        return ("x_train", "y_train") if config.model.conditional else ("x_train",)

    def prepare(self, config, data):
        return Prepared(data, while_training.find_classifier(config, data))

    def callbacks(self, context):
        from gan_mnist.health import health_callback
        from training_run.loop.kept import kept_networks

        drawing = context.model.networks()["generator"]
        return [
            health_callback(context),
            *while_training.callbacks(context, "generator"),
            *kept_networks(context, context.config.explorer.keep, drawing),
        ]

    def log_columns(self, config):
        return while_training.log_columns(config)


FAMILY = GANFamily()
