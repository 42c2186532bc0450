"""Whether a GAN's configuration suits the images, and has all that it needs."""

from gan_mnist.config import OwnConfig
from sample_quality.while_training import quality_problems
from training_run.config.intervals import interval_to_steps
from training_run.config.networks import missing_problems
from training_run.config.yaml_source import ConfigError, Problem


def check_data(config, spec, path):
    """Refuse a `GANConfig` that does not suit the images; arguments as for `Family.check`.

    Raises:
        ConfigError: if there are no labels for scores, or the image sides cannot be halved as often
            as there are convolutions.
    """
    model, problems = config.model, quality_problems(config, spec, path)
    height, width, _ = spec.image_shape
    for key in ("generator_filters", "discriminator_filters"):
        num_filters = len(getattr(model, key, ()))
        if height % 2**num_filters or width % 2**num_filters:
            factor = 2**num_filters
            nearest = max(round(height / factor), 1) * factor
            message = (
                f"expected at most as many filters as {height}x{width} can be halved, received "
                f"{num_filters}, which need a multiple of {factor} (nearest {nearest})"
            )
            problems.append(Problem(str(path), f"model.{key}", message))
    problems += own_networks_problems(config, path)
    problems += augment_problems(config, path) + warmup_problems(config, spec, path)
    if problems:
        raise ConfigError(problems)


def own_networks_problems(config, path):
    """What is wrong with networks of a user's own: a list of `Problem`."""
    if not isinstance(config.model, OwnConfig):
        return []
    problems = missing_problems(config.model, ("generator", "discriminator"), path)
    if config.regularization.spectral_norm:
        message = (
            "expected false with networks of your own: wrap their layers in "
            "keras.layers.SpectralNormalization yourself, received true"
        )
        problems.append(Problem(str(path), "regularization.spectral_norm", message))
    return problems


def augment_problems(config, path):
    """What is wrong with `regularization.augment` for these images: at most one `Problem`."""
    names = {"brightness", "contrast"}.intersection(config.regularization.augment)
    if not names or config.data.dataset != "mnist":
        return []
    message = (
        "expected translation or cutout with digits, which are black and white: a discriminator "
        f"that is used to other greys lets grey digits pass, received {', '.join(sorted(names))}"
    )
    return [Problem(str(path), "regularization.augment", message)]


def warmup_problems(config, spec, path):
    """What is wrong with `optimizer.warmup`: at most one `Problem`, a warm-up beyond the run."""
    steps_per_epoch = spec.num_train // config.training.batch_size
    warmup = interval_to_steps(config.optimizer.warmup or 0, steps_per_epoch)
    steps = interval_to_steps(config.training.steps, steps_per_epoch)
    if warmup < steps:
        return []
    message = f"expected fewer steps than the run's {steps:,}, received {warmup:,}"
    return [Problem(str(path), "optimizer.warmup", message)]


def check_own_loss(config, own_loss, path):
    """Refuse `loss.name: own` without functions: a configuration cannot hold them.

    Args:
        config: the `GANConfig`.
        own_loss: the functions, or None.
        path: the configuration's file, for the message.

    Raises:
        ConfigError: saying how to give them.
    """
    if config.loss.name != "own" or own_loss is not None:
        return
    message = (
        "expected the two functions of an own loss, received none; give them in Python: "
        "gan_mnist.train(..., loss=(discriminator_loss, generator_loss)), or gan_mnist.resume "
        "with the same"
    )
    raise ConfigError([Problem(str(path), "loss.name", message)])
