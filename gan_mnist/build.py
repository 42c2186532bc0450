"""From a checked configuration to a compiled GAN."""

from functools import partial

from gan_mnist.config import OwnConfig
from gan_mnist.losses import GANLoss, get_loss
from gan_mnist.model import GAN
from gan_mnist.networks import build_mlp_discriminator, build_mlp_generator
from gan_mnist.networks_conv import build_conv_discriminator, build_conv_generator
from gan_mnist.regularizers import (
    gradient_penalty,
    instance_noise_stddev,
    r1_penalty,
    r2_penalty,
)
from gan_mnist.spectral import SpectralNormalization
from training_run.config.intervals import interval_to_steps
from training_run.errors import UserError
from training_run.step.networks import ends_in_sigmoid
from training_run.step.optimizers import ScheduledRate, build_adam
from training_run.step.own_networks import check_shapes, own_networks
from training_run.step.schedules import Transition, decay_between, growing_decay


def build_gan(config, spec, block, own_loss=None):
    """The compiled `GAN` that a `GANConfig` describes.

    Args:
        config, spec, block: as for `Family.build`.
        own_loss: the discriminator's and the generator's loss as functions, for `loss.name: own`.
    """
    transition = build_transition(config, spec)
    gan = GAN(
        *build_networks(config, spec),
        value_range=config.model.value_range,
        batch_size=config.training.batch_size,
        seed=config.seed,
        discriminator_steps=config.training.discriminator_steps,
        ema_decay=build_ema_decay(config.ema, transition),
        instance_noise=build_instance_noise(config, spec),
        augment=config.regularization.augment,
    )
    gan.compile(
        discriminator_optimizer=build_optimizer(config, "discriminator", transition),
        generator_optimizer=build_optimizer(config, "generator", transition),
        loss=build_loss(config.loss, own_loss),
        penalty=build_penalty(config.regularization),
        penalty_every=config.regularization.penalty_every,
        penalty_factor=build_penalty_factor(config.regularization, transition),
        jit_compile=config.training.jit_compile,
        steps_per_execution=block,
    )
    return gan


def build_networks(config, spec):
    """Generator and discriminator: dense, convolutional, or a user's own."""
    if isinstance(config.model, OwnConfig):
        return own_gan_networks(config, spec)
    return build_generator(config, spec), build_discriminator(config, spec)


def own_gan_networks(config, spec):
    """A user's own generator and discriminator, checked.

    Raises:
        UserError: they cannot be had, do not fit together, or the discriminator gives
            probabilities.
    """
    names = ("generator", "discriminator")
    generator, discriminator = own_networks(config, spec, names)
    labels = [()] if config.model.conditional else []
    latents, images = (config.model.latent_dim,), spec.image_shape
    check_shapes(
        {"generator": generator, "discriminator": discriminator},
        {
            "generator": ([latents, *labels], [images]),
            "discriminator": ([images, *labels], [(1,)]),
        },
    )
    if ends_in_sigmoid(discriminator):
        raise UserError(
            "model: expected a discriminator that gives logits, received one that ends in a "
            "sigmoid; leave it away, the losses bring their own"
        )
    return generator, discriminator


def common_options(config, spec):
    """The arguments that the builders of all networks take, as a dict."""
    model = config.model
    options = {
        "image_shape": spec.image_shape,
        "leaky_slope": model.leaky_slope,
        "num_classes": spec.num_classes if model.conditional else None,
        "seed": config.seed,
    }
    return options | ({"kernel_size": model.kernel_size} if model.kind == "conv" else {})


def build_generator(config, spec):
    """The generator, dense or convolutional."""
    model = config.model
    options = common_options(config, spec) | {
        "latent_dim": model.latent_dim,
        "num_modes": model.latent_modes,
        "widths": model.generator_widths,
        "batch_norm_momentum": model.batch_norm_momentum,
        "output_activation": model.output_activation,
    }
    if model.kind == "mlp":
        return build_mlp_generator(**options)
    return build_conv_generator(filters=model.generator_filters, **options)


def build_discriminator(config, spec):
    """The discriminator, dense or convolutional."""
    model = config.model
    options = common_options(config, spec) | {
        "widths": model.discriminator_widths,
        "batch_norm_momentum": model.discriminator_batch_norm_momentum,
    }
    if config.regularization.spectral_norm:
        options["wrap"] = SpectralNormalization
    if model.kind == "mlp":
        return build_mlp_discriminator(**options)
    return build_conv_discriminator(
        filters=model.discriminator_filters, dropout=model.discriminator_dropout, **options
    )


def build_loss(loss, own_loss=None):
    """The `GANLoss` of a section `loss`; of functions where its name is "own"."""
    if loss.name == "own":
        return GANLoss(*own_loss)
    return get_loss(loss.name, label_smoothing=loss.label_smoothing)


def build_penalty(regularization):
    """The weighted sum of the penalties that are on, or None."""
    terms = []
    if regularization.gradient_penalty:
        terms.append((regularization.gradient_penalty, gradient_penalty))
    if regularization.r1:
        r1 = lambda discriminator, real, fake, epsilon: r1_penalty(discriminator, real)  # noqa: E731
        terms.append((regularization.r1, r1))
    if regularization.r2:
        r2 = lambda discriminator, real, fake, epsilon: r2_penalty(discriminator, fake)  # noqa: E731
        terms.append((regularization.r2, r2))
    if not terms:
        return None
    return lambda *inputs: sum(weight * term(*inputs) for weight, term in terms)


def build_transition(config, spec):
    """The `Transition` of `optimizer.schedule`, in steps of the run."""
    settings = config.optimizer
    steps_per_epoch = spec.num_train // config.training.batch_size
    num_steps = interval_to_steps(config.training.steps, steps_per_epoch)
    warmup = interval_to_steps(settings.warmup, steps_per_epoch) if settings.warmup else 0
    return Transition(settings.schedule, num_steps, warmup)


def build_optimizer(config, network, transition):
    """Adam for "discriminator" or "generator"; schedules count a network's own updates."""
    common = config.optimizer
    settings = getattr(common, network).applied_to(common)
    steps = config.training.discriminator_steps if network == "generator" else 1
    own = Transition(
        common.schedule, max(1, transition.num_steps // steps), transition.warmup_steps // steps
    )
    rate = beta_2_at = None
    if common.schedule != "constant" or common.warmup:
        rate = ScheduledRate(settings.learning_rate, own, common.final_factor)
    if common.final_beta_2 is not None:
        beta_2_at = partial(own.value, settings.beta_2, common.final_beta_2)
    return build_adam(settings, rate, beta_2_at)


def build_ema_decay(ema, transition):
    """The average's decay, a number or a function of the step; None for no average."""
    if ema.rampup:
        return growing_decay(ema.decay, ema.rampup)
    if ema.final_decay is None:
        return ema.decay
    return decay_between(transition, ema.decay, ema.final_decay)


def build_penalty_factor(regularization, transition):
    """What the penalty is multiplied by, as a function of the step; None for nothing."""
    if regularization.final_factor == 1.0:
        return None
    return partial(transition.value, 1.0, regularization.final_factor)


def build_instance_noise(config, spec):
    """Standard deviation of the instance noise as a function of the step, or None."""
    noise = config.regularization
    if not noise.instance_noise:
        return None
    if noise.instance_noise_until is None:
        return lambda step: noise.instance_noise
    steps_per_epoch = spec.num_train // config.training.batch_size
    num_steps = interval_to_steps(noise.instance_noise_until, steps_per_epoch)
    return partial(instance_noise_stddev, initial=noise.instance_noise, num_steps=num_steps)
