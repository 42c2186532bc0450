"""From a checked configuration to a compiled VAE."""

from training_run.config.intervals import interval_to_steps
from training_run.errors import UserError
from training_run.step.networks import logits_network
from training_run.step.optimizers import ScheduledRate, build_adam
from training_run.step.own_networks import check_shapes, own_networks
from training_run.step.schedules import Transition
from vae_mnist.config import OwnConfig
from vae_mnist.losses import VAELoss
from vae_mnist.model import VAE
from vae_mnist.networks import (
    build_conv_decoder,
    build_conv_encoder,
    build_mlp_decoder,
    build_mlp_encoder,
)
from vae_mnist.vamp import DEFAULT_PSEUDO_INPUTS, VampPrior


def build_vae(config, spec, block):
    """The compiled `VAE` of a `VAEConfig`; arguments as for `Family.build`."""
    vae = VAE(
        *build_networks(config, spec),
        build_loss(config, spec),
        vamp=build_vamp(config, spec),
        binarize=config.data.binarize,
        calibrates_contrast=config.model.calibrate_contrast,
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    vae.compile(
        optimizer=build_adam(config.optimizer, build_schedule(config, spec)),
        jit_compile=config.training.jit_compile,
        steps_per_execution=block,
    )
    return vae


def build_networks(config, spec):
    """Encoder and decoder: dense, convolutional, or a user's own."""
    model = config.model
    if isinstance(model, OwnConfig):
        return own_vae_networks(config, spec)
    common = {
        "latent_dim": model.latent_dim,
        "image_shape": spec.image_shape,
        "num_classes": spec.num_classes if model.conditional else None,
        "seed": config.seed,
    }
    if model.kind == "mlp":
        common["activation"] = model.activation
        encoder = build_mlp_encoder(widths=model.encoder_widths, **common)
        return encoder, build_mlp_decoder(widths=model.decoder_widths, **common)
    common |= {"kernel_size": model.kernel_size, "leaky_slope": model.leaky_slope}
    return (
        build_conv_encoder(filters=model.encoder_filters, widths=model.encoder_widths, **common),
        build_conv_decoder(filters=model.decoder_filters, widths=model.decoder_widths, **common),
    )


def own_vae_networks(config, spec):
    """A user's own encoder and decoder, checked.

    Raises:
        UserError: they cannot be had, do not fit together, or the decoder does not end in a layer
            `Activation("sigmoid")`, which training has to leave away.
    """
    encoder, decoder = own_networks(config, spec, ("encoder", "decoder"))
    labels = [()] if config.model.conditional else []
    latents, images = (config.model.latent_dim,), spec.image_shape
    check_shapes(
        {"encoder": encoder, "decoder": decoder},
        {
            "encoder": ([images, *labels], [latents, latents]),
            "decoder": ([latents, *labels], [images]),
        },
    )
    try:
        logits_network(decoder)
    except ValueError:
        raise UserError(
            'model: expected a decoder whose last layer is keras.layers.Activation("sigmoid"), '
            f"received one that ends in {type(decoder.layers[-1]).__name__}"
        ) from None
    return encoder, decoder


def build_loss(config, spec):
    """The `VAELoss`; its warm-up is converted to steps."""
    loss = config.loss
    steps_per_epoch = spec.num_train // config.training.batch_size
    warmup_steps = interval_to_steps(loss.warmup, steps_per_epoch) if loss.warmup else 0
    return VAELoss(
        loss.reconstruction,
        loss.c,
        loss.beta,
        warmup_steps,
        loss.free_bits,
        loss.importance_samples,
    )


def build_schedule(config, spec):
    """The schedule of the learning rate; None for a constant one."""
    settings = config.optimizer
    if settings.schedule == "constant" and not settings.warmup:
        return None
    steps_per_epoch = spec.num_train // config.training.batch_size
    num_steps = interval_to_steps(config.training.steps, steps_per_epoch)
    warmup = interval_to_steps(settings.warmup, steps_per_epoch) if settings.warmup else 0
    transition = Transition(settings.schedule, num_steps, warmup)
    return ScheduledRate(settings.learning_rate, transition, settings.final_factor)


def build_vamp(config, spec):
    """The `VampPrior` that is trained with the networks; None for any other prior."""
    if config.prior.kind != "vamp":
        return None
    num = config.prior.components or DEFAULT_PSEUDO_INPUTS
    return VampPrior(num, spec.image_shape, config.seed)
