"""Configuration of a VAE run."""

from typing import Annotated, ClassVar, Literal

from pydantic import (
    Discriminator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Tag,
    model_validator,
)

from sample_quality.while_training import QualityConfig, quality_problems
from training_run.config.intervals import Interval
from training_run.config.load import problems_between_rows
from training_run.config.networks import (
    SAVED,
    ModelSection,
    OwnNetworksSection,
    missing_problems,
    model_kind,
)
from training_run.config.sections import (
    DataConfig,
    Fraction,
    KeptConfig,
    RunConfig,
    ScheduledAdamConfig,
    Section,
    Widths,
)
from training_run.config.sizes import ImageSide
from training_run.config.yaml_source import ConfigError, Problem


class NetworksConfig(ModelSection):
    """Keys that dense and convolutional networks share."""

    output_activation: Literal["sigmoid"] = Field("sigmoid", description="of the decoder")
    latent_dim: PositiveInt = Field(32, description="numbers in a code")
    calibrate_contrast: bool = Field(
        False,
        description="samples come from a copy of the decoder whose reconstructions have the "
        "contrast of the training images",
    )
    conditional: bool = Field(False, description="give the class label to encoder and decoder")


class MLPConfig(NetworksConfig):
    """Dense networks (source 003)."""

    is_dense: ClassVar = True
    kind: Literal["mlp"] = Field("mlp", description="dense networks")
    encoder_widths: Widths = Field((256,), description="units of the hidden layers")
    decoder_widths: Widths = Field((256,), description="units of the hidden layers")
    activation: Literal["relu", "tanh", "gated"] = Field(
        "relu", description="of the hidden layers; gated: half of a layer times a sigmoid of itself"
    )


HiddenWidths = Annotated[tuple[PositiveInt, ...], Field(strict=False)]
"""Sizes of successive layers; there may be none."""


class ConvConfig(NetworksConfig):
    """Convolutional networks (source 002)."""

    kind: Literal["conv"] = Field("conv", description="convolutional networks")
    size: ImageSide | None = Field(
        None,
        description="auto: 28, 32, 64 or 128, from the images; or a side to which own images are "
        "resized. The filters follow where they are not given. null: as the filters say",
    )
    encoder_filters: Widths = Field((32, 64, 64), description="channels of the convolutions")
    decoder_filters: Widths = Field((64, 64, 32), description="of the transposed convolutions")
    encoder_widths: HiddenWidths = Field(
        (), description="dense hidden layers after the convolutions"
    )
    decoder_widths: HiddenWidths = Field(
        (), description="dense hidden layers before the transposed convolutions"
    )
    leaky_slope: Fraction = Field(0.0, description="slope of LeakyReLU below zero; 0: ReLU")
    kernel_size: int = Field(4, ge=2, le=9, description="side of the convolutions' kernels")


class OwnConfig(OwnNetworksSection):
    """An encoder and a decoder of a user's own."""

    others: ClassVar = (MLPConfig, ConvConfig)

    output_activation: Literal["sigmoid"] = Field("sigmoid", description="of the decoder")
    calibrate_contrast: bool = Field(
        False, description=MLPConfig.model_fields["calibrate_contrast"].description
    )


class VAEDataConfig(DataConfig):
    """The images to learn from, grey or binarised."""

    binarize: Literal["none", "static", "dynamic"] = Field(
        "none",
        description="draw each pixel from its grey value: once (static) or at every step (dynamic)",
    )


class LossConfig(Section):
    """C * reconstruction + beta * KL; the minimum depends only on the ratio of C and beta."""

    reconstruction: Literal["squared_error", "bernoulli", "gaussian"] = Field(
        "squared_error",
        description="bernoulli: for binarised images; gaussian: with a learned standard deviation",
    )
    c: PositiveFloat = Field(
        1.0, description="weight of the reconstruction (source 003): 1 / (2 sigma^2)"
    )
    beta: NonNegativeFloat = Field(1.0, description="weight of the KL (source 002)")
    warmup: Interval | None = Field(
        None, description="beta grows from 0 over this long; null: none"
    )
    free_bits: NonNegativeFloat = Field(
        0.0, description="minimum KL that counts, nats per latent dimension"
    )
    importance_samples: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1, description="codes per image in the bound (IWAE, Burda et al. 2016)"
    )


class PriorConfig(Section):
    """What samples are decoded from: N(0, I), or a learned prior."""

    kind: Literal["normal", "mixture", "vamp"] = Field(
        "normal",
        description="mixture: Gaussians with full covariances, fitted to the codes of a trained "
        "VAE; vamp: the posteriors of learned images, trained with the networks (Tomczak & "
        "Welling 2018)",
    )
    components: PositiveInt | None = Field(
        None,
        description="Gaussians of a mixture, null: the number that held-out codes choose; learned "
        "images of vamp, null: 500",
    )
    temperature: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="factor of each Gaussian's standard deviations where samples are drawn; below "
        "1 samples are more typical and less diverse",
    )


class ValidationConfig(Section):
    """The loss on held-out images, in columns val_* of log.csv."""

    every: Interval | None = Field(None, description="a multiple of log.every; null: never")
    num_images: PositiveInt = Field(10000, description="held-out images, at most all of them")


class VAEOptimizerConfig(ScheduledAdamConfig):
    """Adam for both networks."""


class VAEConfig(RunConfig):
    """One training run of a VAE."""

    family: Literal["vae"] = Field(description="kind of model")
    data: VAEDataConfig = VAEDataConfig()
    model: Annotated[
        Annotated[MLPConfig, Tag("mlp")]
        | Annotated[ConvConfig, Tag("conv")]
        | Annotated[OwnConfig, Tag(SAVED)],
        Discriminator(model_kind("mlp")),
    ] = MLPConfig()
    loss: LossConfig = LossConfig()
    prior: PriorConfig = PriorConfig()
    validation: ValidationConfig = ValidationConfig()
    quality: QualityConfig = QualityConfig()
    explorer: KeptConfig = KeptConfig()
    optimizer: VAEOptimizerConfig = VAEOptimizerConfig()

    @model_validator(mode="after")
    def _check_value_range(self):
        if self.model.value_range != (0.0, 1.0):
            raise ValueError(
                "expected model.value_range [0, 1], the range of a VAE's likelihoods, received "
                f"{list(self.model.value_range)}"
            )
        return self

    @model_validator(mode="after")
    def _check_contrast(self):
        if self.model.calibrate_contrast and self.data.binarize != "none":
            raise ValueError(
                "expected model.calibrate_contrast false with data.binarize "
                f"{self.data.binarize}, whose images have no greys, received true"
            )
        return self

    @model_validator(mode="after")
    def _check_bound(self):
        """Several samples bound log p(x) only if their weights are p(x, z) / q(z|x)."""
        loss, grey = self.loss, self.data.binarize == "none"
        wanted = {
            "loss.c 1": (loss.c, loss.c != 1),
            "loss.beta 1": (loss.beta, loss.beta != 1),
            "loss.warmup null": (loss.warmup, loss.warmup is not None),
            "loss.free_bits 0": (loss.free_bits, loss.free_bits != 0),
            "data.binarize static or dynamic for a Bernoulli likelihood": (
                self.data.binarize,
                grey and loss.reconstruction == "bernoulli",
            ),
        }
        if loss.importance_samples > 1:
            refuse_first(wanted, f"loss.importance_samples {loss.importance_samples}")
        return self

    @model_validator(mode="after")
    def _check_temperature(self):
        if self.prior.kind == "normal" and self.prior.temperature != 1:
            raise ValueError(
                "expected prior.temperature 1 with prior.kind normal, received "
                f"{self.prior.temperature:g}"
            )
        return self

    @model_validator(mode="after")
    def _check_prior(self):
        """The KL from a VampPrior is sampled, so it has no dimensions; and it knows no classes."""
        free_bits, conditional = self.loss.free_bits, self.model.conditional
        wanted = {
            "loss.free_bits 0": (free_bits, free_bits != 0),
            "model.conditional false": (conditional, conditional),
        }
        if self.prior.kind == "vamp":
            refuse_first(wanted, "prior.kind vamp")
        return self


def refuse_first(wanted, reason):
    """Raise `ValueError` for the first key that does not go with another.

    Args:
        wanted: dict of a key with the value it must have, to the value received and whether that
            is wrong.
        reason: the other key with its value.
    """
    for expected, (received, is_wrong) in wanted.items():
        if is_wrong:
            raise ValueError(f"expected {expected} with {reason}, received {shown(received)}")


def shown(value):
    """A value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_data(config, spec, path):
    """Raise `ConfigError` for scores without labels or between log rows; see `Family.check`."""
    problems = quality_problems(config, spec, path)
    if isinstance(config.model, OwnConfig):
        problems += missing_problems(config.model, ("encoder", "decoder"), path)
    if components := config.prior.components:
        problems += components_problems(components, config, spec, path)
    every = config.validation.every
    if every:
        problems += problems_between_rows(config, spec, path, "validation.every", every)
    if problems:
        raise ConfigError(problems)


def components_problems(components, config, spec, path):
    """What is wrong with `prior.components`: a list of at most one `Problem`."""
    least = spec.num_classes if config.model.conditional and spec.num_classes else 1
    if least <= components <= spec.num_train:
        return []
    message = (
        f"expected {least:,} to {spec.num_train:,} Gaussians, at most one for each training image"
        f"{' and at least one for each class' if least > 1 else ''}, received {components:,}"
    )
    return [Problem(str(path), "prior.components", message)]
