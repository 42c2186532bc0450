"""Generative adversarial networks of handwritten digits and small faces.

In: a configuration (`config`). Out: a run folder with a trained generator, and pictures from it.
Start with `family`, all of it in one class; then `build` and `model`. The networks
are in `networks` and `networks_conv`, the objectives in `losses` and `regularizers`, the monitor of
a training in `health`. `denoiser/` cleans what a generator draws.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import keras
    import numpy as np

    from gan_mnist.run import GANRun

__all__ = ["load", "presets", "resume", "train"]


def train(
    config: "str | Path | None" = None,
    settings: "Mapping[str, Any] | None" = None,
    *,
    seed: int | None = None,
    generator: "keras.Model | None" = None,
    discriminator: "keras.Model | None" = None,
    loss: "tuple[Callable, Callable] | None" = None,
    images: "np.ndarray | None" = None,
    labels: "np.ndarray | None" = None,
    class_names: "Sequence[str] | None" = None,
) -> "GANRun":
    """Train a GAN in a new run folder, as `python -m gan_mnist.train` does.

    Args:
        config: a preset's name (see `presets`) or the path of a YAML file; None for "gan_mlp".
        settings: keys of the YAML to their values, `{"training.steps": 2000}` or
            `{"training": {"steps": 2000}}`.
        seed: the key `seed`; None for the configuration's.
        generator: a network of your own, from z (N, latent_dim) to images (N, H, W, C); with labels
            (N,) as a second input, it is conditional. Together with `discriminator`.
        discriminator: from images (and labels) to logits (N, 1), without a sigmoid.
        loss: two functions of logits (N, 1), (discriminator_loss(real_logits, fake_logits),
            generator_loss(fake_logits)), each to a scalar that is minimised.
        images: (N, H, W, C) or (N, H, W) uint8, in place of the configuration's; the last tenth
            is held out.
        labels: (N,) ints from 0, their classes.
        class_names: a name for each class.

    Returns:
        The run. Its `outcome` is "finished", "diverged" or "interrupted": Ctrl-C, or a notebook's
        stop button, ends a training cleanly, and `resume` goes on.

    Raises:
        training_run.UserError: something is wrong; the text is one sentence for each problem.

    Example:
        >>> run = gan_mnist.train("gan_mlp_smoke", {"training.steps": 100}, seed=1)
        >>> run.show()
    """
    from gan_mnist.family import GANFamily
    from gan_mnist.run import GANRun
    from training_run.python.own import own_parts
    from training_run.python.training import train as train_run

    networks = {"generator": generator, "discriminator": discriminator}
    own = own_parts(networks, images, labels, class_names)
    if loss is not None:
        settings = {**(settings or {}), "loss.name": "own"}
    return train_run(GANRun, GANFamily(loss), config, settings, seed, own)


def resume(
    run: "GANRun | str | int | Path" = "latest",
    settings: "Mapping[str, Any] | None" = None,
    *,
    allow_change: "Sequence[str]" = (),
    loss: "tuple[Callable, Callable] | None" = None,
    outputs: "str | Path" = "outputs",
) -> "GANRun":
    """Go on with a run as if it had never stopped, or for longer: `{"training.steps": 60_000}`.

    Args:
        run: a run, its folder, its number, or "latest".
        settings: as for `train`.
        allow_change: keys of the configuration, or sections, that are changed on purpose although
            they make it another training.
        loss: the functions that the run was started with, where they were the user's own.
        outputs: folder in which a number or "latest" is looked up.

    Returns:
        The run, as `train` does.

    Raises:
        training_run.UserError: as `train` does.
    """
    from gan_mnist.family import GANFamily
    from gan_mnist.run import GANRun
    from training_run.python.training import resume as resume_run

    return resume_run(GANRun, GANFamily(loss), run, settings, allow_change, outputs)


def load(run: "str | int | Path" = "latest", *, outputs: "str | Path" = "outputs") -> "GANRun":
    """A run on disk: "latest", a path, a number, or a trained model like "bundled:gan_fast".

    Args:
        run: which one.
        outputs: folder in which a number or "latest" is looked up.

    Raises:
        training_run.UserError: there is none, or it is no GAN.

    Example:
        >>> images = gan_mnist.load("bundled:gan_fast").sample(64)
    """
    from gan_mnist.run import GANRun

    return GANRun.load(run, outputs)


def presets() -> dict[str, str]:
    """Name of each preset to what it is for and how long it takes."""
    from training_run.config.load import describe_presets

    return describe_presets("gan")
