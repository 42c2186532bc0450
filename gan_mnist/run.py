"""A GAN's run as a Python object."""

from typing import ClassVar

from gan_mnist.family import FAMILY
from training_run.python.run import Run
from training_run.run_folder.networks import IMAGES_TO_LOGITS, LATENTS_TO_IMAGES


class GANRun(Run):
    """A run of a GAN: `run.networks["generator"]`, `"generator_raw"` and `"discriminator"`."""

    family = FAMILY
    signatures: ClassVar = {
        "generator": LATENTS_TO_IMAGES,
        "generator_raw": LATENTS_TO_IMAGES,
        "discriminator": IMAGES_TO_LOGITS,
    }
    drawing_network = "generator"
