"""Configuration of a GAN run."""

from typing import Annotated, ClassVar, Literal

from pydantic import (
    Discriminator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from sample_quality.while_training import QualityConfig
from training_run.config.intervals import Interval
from training_run.config.networks import (
    SAVED,
    ModelSection,
    OwnNetworksSection,
    model_kind,
)
from training_run.config.sections import (
    BETA_1,
    LEARNING_RATE,
    AdamOverrides,
    DataConfig,
    Fraction,
    KeptConfig,
    RunConfig,
    ScheduledAdamConfig,
    Section,
    TrainingConfig,
    Widths,
)
from training_run.config.sizes import ImageSide


class NetworksConfig(ModelSection):
    """What dense and convolutional networks have in common."""

    latent_dim: PositiveInt = Field(100, description="numbers in a latent")
    latent_modes: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="modes that the generator sorts latents into, so that fewer images lie between "
        "two kinds; null for none",
    )
    conditional: bool = Field(False, description="give the class label to both networks")
    batch_norm_momentum: Fraction | None = Field(
        0.8, description="of the generator's moving statistics; null for no BatchNorm"
    )
    discriminator_batch_norm_momentum: Fraction | None = Field(
        None, description="of the discriminator's moving statistics; null for no BatchNorm"
    )
    leaky_slope: Fraction = Field(0.2, description="slope of LeakyReLU below zero")


class MLPConfig(NetworksConfig):
    """Dense networks (sources 000 and 001)."""

    is_dense: ClassVar = True
    kind: Literal["mlp"] = Field("mlp", description="dense networks")
    generator_widths: Widths = Field((256, 512, 1024), description="units of the hidden layers")
    discriminator_widths: Widths = Field((512, 256), description="units of the hidden layers")


HiddenWidths = Annotated[tuple[PositiveInt, ...], Field(strict=False)]
"""Sizes of successive layers; the tuple may be empty."""


class ConvConfig(NetworksConfig):
    """Convolutional networks (source 002); each filter count halves or doubles the image."""

    kind: Literal["conv"] = Field("conv", description="convolutional networks")
    size: ImageSide | None = Field(
        None,
        description="auto: 28, 32, 64 or 128, from the images; or a side to which own images are "
        "resized. The filters follow where they are not given. null: as the filters say",
    )
    generator_filters: Widths = Field((64, 32), description="each doubles the image's side")
    discriminator_filters: Widths = Field((32, 64), description="each halves the image's side")
    generator_widths: HiddenWidths = Field(
        (), description="dense hidden layers before the convolutions, for the image as a whole"
    )
    discriminator_widths: HiddenWidths = Field(
        (), description="dense hidden layers after the convolutions"
    )
    kernel_size: int = Field(4, ge=2, le=9, description="side of the convolutions' kernels")
    discriminator_dropout: Fraction = Field(0.0, description="share of activations set to 0")


class OwnConfig(OwnNetworksSection):
    """A generator and a discriminator of a user's own."""

    others: ClassVar = (MLPConfig, ConvConfig)


class GANDataConfig(DataConfig):
    """The images to learn from, one by one or stacked."""

    stacked: bool = Field(
        False,
        description="three random grey images become the channels of one: of ten classes, 1,000 "
        "combinations to draw (the test of mode dropping)",
    )


class GANTrainingConfig(TrainingConfig):
    """How long and how; a step is one update of the discriminator."""

    discriminator_steps: PositiveInt = Field(
        1, description="updates of the discriminator for each one of the generator"
    )


class LossConfig(Section):
    """What discriminator and generator minimise."""

    name: Literal[
        "non_saturating", "minimax", "least_squares", "hinge", "wasserstein", "relativistic", "own"
    ] = Field("non_saturating", description="own: functions given to gan_mnist.train in Python")
    label_smoothing: Fraction = Field(
        0.0, description="one-sided: real images get the label 1 minus this"
    )

    @model_validator(mode="after")
    def _smoothing_needs_labels(self):
        unlabelled = ("hinge", "wasserstein", "relativistic", "own")
        if self.label_smoothing and self.name in unlabelled:
            raise ValueError(
                f"expected label_smoothing 0 with the {self.name} loss, which has no labels to "
                f"smooth, received {self.label_smoothing}"
            )
        return self


Policies = Annotated[
    tuple[Literal["translation", "cutout", "brightness", "contrast"], ...], Field(strict=False)
]
"""Names of `gan_mnist.augmentation.POLICIES`; a YAML list, which may be empty."""


class RegularizationConfig(Section):
    """What keeps the game in balance; everything is off by default."""

    gradient_penalty: NonNegativeFloat = Field(
        0.0, description="weight lambda of (|grad D| - 1)^2 (Gulrajani et al. 2017; there 10)"
    )
    r1: NonNegativeFloat = Field(
        0.0, description="weight gamma of |grad D|^2 / 2 at real images (Mescheder et al. 2018)"
    )
    r2: NonNegativeFloat = Field(
        0.0, description="weight gamma of |grad D|^2 / 2 at generated images, beside r1"
    )
    final_factor: NonNegativeFloat = Field(
        1.0,
        description="what the weights of the penalties are multiplied by at the end of "
        "optimizer.schedule (R3GAN: 0.1)",
    )
    penalty_every: PositiveInt = Field(
        1, description="steps from one penalty to the next, which is multiplied by this number"
    )
    spectral_norm: bool = Field(
        False, description="spectral normalisation of the discriminator (Miyato et al. 2018)"
    )
    instance_noise: NonNegativeFloat = Field(
        0.0, description="standard deviation of noise on all images the discriminator sees"
    )
    instance_noise_until: Interval | None = Field(
        None, description="when that noise has faded to 0; null: it stays"
    )
    augment: Policies = Field(
        (),
        description="random changes of all images the discriminator sees (DiffAugment, Zhao et al. "
        "2020), for data sets of some hundred or thousand images",
    )

    @field_validator("augment")
    @classmethod
    def _no_policy_twice(cls, names):
        if len(set(names)) < len(names):
            raise ValueError(f"expected each policy once, received {list(names)}")
        return names


class EMAConfig(Section):
    """Moving average of the generator's weights, used for samples (Yazici et al. 2019)."""

    decay: Fraction | None = Field(
        None, description="share kept at each step, say 0.999; null: off"
    )
    final_decay: Fraction | None = Field(
        None,
        description="share kept at the end of optimizer.schedule; the average's half-life goes "
        "there from that of decay, which may be 0; null: the decay stays",
    )

    rampup: Fraction | None = Field(
        None,
        description="the average's half-life is at most this share of the steps so far, say 0.05; "
        "null: it is that of decay from the start",
    )

    @model_validator(mode="after")
    def _rampup_needs_one_decay(self):
        if self.rampup is not None and (self.decay is None or self.final_decay is not None):
            raise ValueError(
                "expected a decay and no final_decay with rampup, received decay "
                f"{self.decay} and final_decay {self.final_decay}"
            )
        return self

    @model_validator(mode="after")
    def _final_needs_a_first(self):
        if self.final_decay is not None and self.decay is None:
            raise ValueError(
                "expected a decay (0 for none at first) with final_decay, received null"
            )
        return self


class GANOptimizerConfig(ScheduledAdamConfig):
    """Adam for both networks, with settings for one of them alone under its name."""

    learning_rate: PositiveFloat = Field(2e-4, description=LEARNING_RATE)
    beta_1: Fraction = Field(0.5, description=BETA_1)
    final_beta_2: Fraction | None = Field(
        None, description="beta_2 at the end of the schedule (R3GAN: 0.9 to 0.99); null: it stays"
    )
    discriminator: AdamOverrides = AdamOverrides()
    generator: AdamOverrides = AdamOverrides()


class GANConfig(RunConfig):
    """One training run of a GAN."""

    family: Literal["gan"] = Field(description="kind of model")
    data: GANDataConfig = GANDataConfig()
    training: GANTrainingConfig
    model: Annotated[
        Annotated[MLPConfig, Tag("mlp")]
        | Annotated[ConvConfig, Tag("conv")]
        | Annotated[OwnConfig, Tag(SAVED)],
        Discriminator(model_kind("mlp")),
    ] = MLPConfig()
    loss: LossConfig = LossConfig()
    regularization: RegularizationConfig = RegularizationConfig()
    ema: EMAConfig = EMAConfig()
    quality: QualityConfig = QualityConfig()
    explorer: KeptConfig = KeptConfig()
    optimizer: GANOptimizerConfig = GANOptimizerConfig()

    @model_validator(mode="after")
    def _check_combinations(self):
        penalties = self.regularization
        if self.loss.name == "wasserstein" and not (
            penalties.gradient_penalty or penalties.spectral_norm
        ):
            raise ValueError(
                "expected regularization.gradient_penalty or regularization.spectral_norm with "
                "loss.name wasserstein, since a critic of unbounded slope estimates no distance, "
                "received neither"
            )
        momentum = getattr(self.model, "discriminator_batch_norm_momentum", None)
        names = ("gradient_penalty", "r1", "r2")
        name = next((each for each in names if getattr(penalties, each)), None)
        if momentum is not None and name:
            raise ValueError(
                "expected no BatchNorm in the discriminator "
                f"(model.discriminator_batch_norm_momentum) with regularization.{name}, which is "
                "about the gradient at each image alone, while BatchNorm mixes the images of a "
                f"batch, received {momentum}"
            )
        return self

    @model_validator(mode="after")
    def _check_pairs(self):
        updates = self.training.discriminator_steps
        if self.loss.name == "relativistic" and updates > 1:
            raise ValueError(
                "expected training.discriminator_steps 1 with loss.name relativistic, where both "
                f"networks learn from the same pairs at every step, received {updates}"
            )
        return self

    @model_validator(mode="after")
    def _check_ends(self):
        """An end needs a schedule that goes there."""
        finals = {
            "optimizer.final_beta_2": (self.optimizer.final_beta_2, None),
            "regularization.final_factor": (self.regularization.final_factor, 1.0),
            "ema.final_decay": (self.ema.final_decay, None),
        }
        for key, (value, unchanged) in finals.items():
            if self.optimizer.schedule == "constant" and value != unchanged:
                raise ValueError(
                    f"expected optimizer.schedule cosine or linear with {key}, which is reached at "
                    f"its end, received constant with {value}"
                )
        penalties = self.regularization
        if penalties.final_factor != 1.0 and not (
            penalties.r1 or penalties.r2 or penalties.gradient_penalty
        ):
            raise ValueError(
                "expected a penalty (regularization.r1, .r2 or .gradient_penalty) with "
                f"regularization.final_factor, received {penalties.final_factor} without"
            )
        return self
