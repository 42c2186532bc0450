"""The models that are timed: which command trains each, and what of it is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timed:
    """A model whose training is timed.

    Attributes:
        program: module that trains it.
        preset: its configuration.
        overrides: keys that make a run short and give its log enough rows; what else a run does
            (grids, GIF, checkpoints, held-out losses) stays as often as the preset has it.
        plain_steps: steps that the other ways are timed over.
        more_ways: ways that only this model is timed in.
    """

    program: str
    preset: str
    overrides: tuple[str, ...]
    plain_steps: int
    more_ways: tuple[str, ...] = ()


THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""Environment variables that pin the threads of every library that is timed."""

MODELS = {
    "gan_mlp": Timed(
        "gan_mnist.train",
        "gan_mlp",
        ("training.steps=3000", "checkpoints.every=1500"),
        300,
        ("predict_loop",),
    ),
    "gan_dcgan": Timed(
        "gan_mnist.train",
        "gan_dcgan",
        ("training.steps=400", "log.every=40", "gif.every=200"),
        60,
        ("ours_float32",),
    ),
    "vae_mlp": Timed(
        "vae_mnist.train", "vae_mlp", ("training.steps=8 epochs", "checkpoints.every=4 epochs"), 800
    ),
    "vae_conv": Timed(
        "vae_mnist.train", "vae_conv", ("training.steps=2 epochs",), 150, ("ours_float32",)
    ),
    "denoiser": Timed("gan_mnist.train_denoiser", "denoiser", ("training.steps=5000",), 800),
}


def load_model(name):
    """A model's configuration and networks, as `train` makes them in float32; imports TensorFlow.

    Returns:
        (configuration, dict of name -> Keras network).
    """
    import importlib

    from training_run.config.load import find_config, load_config
    from training_run.data.datasets import find_dataset

    timed = MODELS[name]
    family = importlib.import_module(timed.program).FAMILY
    config = load_config(family.config_class, find_config(timed.preset))
    model = family.build(config, find_dataset(config.data).spec, 1)
    return config, model.networks()
