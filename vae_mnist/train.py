"""Train a VAE: `python -m vae_mnist.train --help`."""

import sys

from sample_quality.while_training import (
    check_classifier,
    quality_callbacks,
    quality_columns,
    quality_interval,
)
from training_run.cli.train import train_command
from training_run.family import Family
from vae_mnist.config import VAEConfig, check_data


def build(config, spec, block):
    """A compiled VAE; imports TensorFlow."""
    from vae_mnist.build import build_vae

    return build_vae(config, spec, block)


def grid(vae, config, data):
    """The images of a sample grid; imports TensorFlow."""
    from training_run.loop.sample_grid import sample_grid

    return sample_grid(vae, config, data)


def prepare(config, data):
    """The images as the configuration wants them: grey, or binarised; imports TensorFlow."""
    from vae_mnist.binarization import binarize_data

    return binarize_data(data, config.data.binarize)


def callbacks(context):
    """Held-out losses, reconstructions and last pictures; imports TensorFlow."""
    from vae_mnist.callbacks import LastPictures, Reconstructions, Validation

    config, data, run = context.config, context.data, context.run
    labels = data.y_test if config.model.conditional else None
    clock, schedule = context.clock, context.schedule
    num_pairs = max(config.samples.num_rows // 2, 1) * config.samples.num_columns
    shown = (data.x_test[:num_pairs], None if labels is None else labels[:num_pairs])
    found = [
        Reconstructions(
            clock, schedule.samples_every, *shown, config.samples.num_columns, run.reconstruction
        ),
        LastPictures(run, data, config.seed),
    ]
    if config.validation.every:
        part = slice(config.validation.num_images)
        held_out = (data.x_test[part], None if labels is None else labels[part])
        found.append(Validation(clock, schedule.every("validation"), *held_out))
    return found + quality_callbacks(context, "decoder")


def intervals(config):
    """How often held-out images, and samples, are scored."""
    validation = {"validation": config.validation.every} if config.validation.every else {}
    return validation | quality_interval(config)


def log_columns(config):
    """Names of the held-out losses, and of the samples' score."""
    columns = ("val_loss", "val_reconstruction_loss", "val_kl_loss")
    return (*(columns if config.validation.every else ()), *quality_columns(config))


FAMILY = Family(
    name="vae",
    program="vae_mnist.train",
    default_preset="vae_mlp",
    config_class=VAEConfig,
    build=build,
    grid=grid,
    intervals=intervals,
    check=check_data,
    check_images=check_classifier,
    prepare=prepare,
    callbacks=callbacks,
    log_columns=log_columns,
)


def main(argv=None):
    """Run the command; returns its exit code."""
    return train_command(FAMILY, argv)


if __name__ == "__main__":
    sys.exit(main())
