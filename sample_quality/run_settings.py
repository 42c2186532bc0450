"""What a run's configuration says of its images, read without TensorFlow and for any family."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training_run.config.records import Record, read_record
from training_run.config.sections import DataConfig
from training_run.config.yaml_source import read_yaml
from training_run.errors import UserError
from training_run.run_folder.log import read_log
from training_run.run_folder.networks import check_network

NUM_SAMPLES, NUM_STACKED_SAMPLES = 10_000, 25_600
"""Samples that are scored where nobody says how many: of images, and of stacked images, where each
of 1,000 modes can then be seen 26 times."""

FAMILIES = {"gan": "GAN", "vae": "VAE"}
"""Family of a run that draws images, as configurations name it, to its name for readers."""


class VAEValues(Record):
    """The content of a `vae.json`: what a VAE has learned outside of its networks.

    Attributes:
        log_scale: natural log of the standard deviation of its Gaussian pixels in [0, 1].
    """

    log_scale: float


@dataclass(frozen=True)
class RunSettings:
    """What scores need of a run's configuration.

    Attributes:
        data: its `DataConfig`.
        value_range: (low, high) of its networks' images.
        binarize: how its images were binarised: "none", "static" or "dynamic".
        reconstruction: a VAE's reconstruction loss, such as "bernoulli"; "" for other families.
        log_scale: natural log of the standard deviation of a VAE's Gaussian pixels in [0, 1]; None
            if its loss is no such density, or its learned value is in no file.
        prior: kind of a VAE's prior: "normal", "mixture" or "vamp".
        stacked: True if three of the images are the channels of one.
    """

    data: DataConfig
    value_range: tuple[float, float]
    binarize: str
    reconstruction: str
    log_scale: float | None
    prior: str = "normal"
    stacked: bool = False

    @property
    def usual_num(self):
        """How many samples are usually scored."""
        return NUM_STACKED_SAMPLES if self.stacked else NUM_SAMPLES


class LikelihoodEffort(NamedTuple):
    """How many test images a VAE estimates log p(x) of, at most, and by how many codes each."""

    num_images: int = 1000
    num_samples: int = 200


USUAL_EFFORT = LikelihoodEffort()


def read_settings(run):
    """The `RunSettings` in a run's config.yaml.

    Raises:
        UserError: if the keys are missing or wrong.
    """
    values = read_yaml(run.config).values
    try:
        data, (low, high) = values["data"], values["model"]["value_range"]
        # A family may have keys of its own in this section.
        common = {key: data[key] for key in DataConfig.model_fields if key in data}
        loss = values.get("loss", {})
        return RunSettings(
            data=DataConfig.model_validate(common),
            value_range=(float(low), float(high)),
            binarize=data.get("binarize", "none"),
            reconstruction=loss.get("reconstruction", ""),
            log_scale=gaussian_log_scale(loss, run),
            prior=values.get("prior", {}).get("kind", "normal"),
            stacked=bool(data.get("stacked", False)),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(
            f"{run.config}: expected a run's configuration with data and model.value_range, "
            "received something else"
        ) from None


def read_image_run(run):
    """(family, configuration) of a run that draws images: a key of `FAMILIES`, nested dicts.

    Raises:
        UserError: if it is a run of another family.
    """
    values = read_yaml(run.config).values
    family = str(values.get("family"))
    if family not in FAMILIES:
        raise UserError(
            f"{run.path}: expected a run of a GAN or a VAE, received one of family {family!r}"
        )
    return family, values


def check_each_once(runs):
    """Raise `UserError` if two of these `RunDir`s are the same folder."""
    for path, count in Counter(run.path.resolve() for run in runs).items():
        if count > 1:
            raise UserError(f"{path}: expected each run once, received it {count} times")


def image_network(run):
    """Name of the network that draws a run's samples, "generator" or "decoder".

    Raises:
        UserError: if the run has neither, or it is damaged.
    """
    for name in ("generator", "decoder"):
        if run.network(name).is_file():
            check_network(run, name)
            return name
    raise UserError(
        f"{run.path}: expected a run with generator.keras or decoder.keras, received one without"
    )


def gaussian_log_scale(loss, run):
    """Log of the standard deviation that a VAE's `loss` section gives every pixel, or None.

    C * ||x - x^||^2 + beta * KL is beta times the -ELBO of a Gaussian with variance
    beta / (2 C), but for its constant. A learned scale is in vae.json beside the networks. Older
    runs have only its mean over the last rows of the log.

    Raises:
        UserError: if vae.json cannot be read.
    """
    kind = loss.get("reconstruction")
    if kind == "squared_error" and loss["beta"] > 0:
        return 0.5 * math.log(loss["beta"] / (2.0 * loss["c"]))
    if kind == "gaussian" and run.values("vae").is_file():
        return read_record(run.values("vae"), VAEValues).log_scale
    if kind == "gaussian" and run.log.is_file():
        scales = read_log(run.log).get("log_scale", np.empty(0))
        scales = scales[np.isfinite(scales)]
        return float(scales[-1]) if len(scales) else None
    return None
