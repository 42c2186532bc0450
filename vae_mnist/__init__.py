"""Variational autoencoders of handwritten digits and small faces.

In: a preset of `configs/` with `family: vae`. Out: a run folder (encoder, decoder, pictures, log)
and, from the commands on that folder, samples, reconstructions, interpolations and the latent
plane. Open `family.py` first: it names all that a VAE adds to the common training loop.
`losses.py` and `networks.py` hold the method, `model.py` puts it together.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import keras
    import numpy as np

    from vae_mnist.run import VAERun

__all__ = ["load", "presets", "resume", "train"]


def train(
    config: "str | Path | None" = None,
    settings: "Mapping[str, Any] | None" = None,
    *,
    seed: int | None = None,
    encoder: "keras.Model | None" = None,
    decoder: "keras.Model | None" = None,
    images: "np.ndarray | None" = None,
    labels: "np.ndarray | None" = None,
    class_names: "Sequence[str] | None" = None,
) -> "VAERun":
    """Train a VAE in a new run folder, as `python -m vae_mnist.train` does.

    Args:
        config: a preset's name (see `presets`) or the path of a YAML file; None for "vae_mlp".
        settings: keys of the YAML to their values, `{"training.steps": 2000}` or
            `{"training": {"steps": 2000}}`.
        seed: the key `seed`; None for the configuration's.
        encoder: a network of your own, from images (N, H, W, C) in [0, 1] to z_mean and z_log_var,
            (N, latent_dim) each; with labels (N,) as a second input, it is conditional. Together
            with `decoder`.
        decoder: from z (and labels) to images; its last layer is `Activation("sigmoid")`.
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
        >>> run = vae_mnist.train("vae_mlp_smoke", {"training.steps": 100}, seed=1)
        >>> run.show()
    """
    from training_run.python.own import own_parts
    from training_run.python.training import train as train_run
    from vae_mnist.family import FAMILY
    from vae_mnist.run import VAERun

    own = own_parts({"encoder": encoder, "decoder": decoder}, images, labels, class_names)
    return train_run(VAERun, FAMILY, config, settings, seed, own)


def resume(
    run: "VAERun | str | int | Path" = "latest",
    settings: "Mapping[str, Any] | None" = None,
    *,
    allow_change: "Sequence[str]" = (),
    outputs: "str | Path" = "outputs",
) -> "VAERun":
    """Go on with a run as if it had never stopped, or for longer: `{"training.steps": 60_000}`.

    Args:
        run: a run, its folder, its number, or "latest".
        settings: as for `train`.
        allow_change: keys of the configuration, or sections, that are changed on purpose although
            they make it another training.
        outputs: folder in which a number or "latest" is looked up.

    Returns:
        The run, as `train` does.

    Raises:
        training_run.UserError: as `train` does.
    """
    from training_run.python.training import resume as resume_run
    from vae_mnist.family import FAMILY
    from vae_mnist.run import VAERun

    return resume_run(VAERun, FAMILY, run, settings, allow_change, outputs)


def load(run: "str | int | Path" = "latest", *, outputs: "str | Path" = "outputs") -> "VAERun":
    """A run on disk: "latest", a path, a number, or a trained model like "bundled:vae_fast".

    Args:
        run: which one.
        outputs: folder in which a number or "latest" is looked up.

    Raises:
        training_run.UserError: there is none, or it is no VAE.

    Example:
        >>> images = vae_mnist.load("bundled:vae_fast").sample(64)
    """
    from vae_mnist.run import VAERun

    return VAERun.load(run, outputs)


def presets() -> dict[str, str]:
    """Name of each preset to what it is for and how long it takes."""
    from training_run.config.load import describe_presets

    return describe_presets("vae")
