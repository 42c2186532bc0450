"""Configuration of a VAE run."""

from typing import Annotated, Literal

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
from training_run.config.sections import (
    AdamConfig,
    DataConfig,
    ModelSection,
    RunConfig,
    Section,
    Widths,
    model_kind,
)
from training_run.config.yaml_source import ConfigError, Problem


class NetworksConfig(ModelSection):
    """Keys that dense and convolutional networks share."""

    output_activation: Literal["sigmoid"] = "sigmoid"
    latent_dim: PositiveInt = 32
    conditional: bool = Field(False, description="give the class label to encoder and decoder")


class MLPConfig(NetworksConfig):
    """Dense networks (source 003)."""

    kind: Literal["mlp"] = "mlp"
    encoder_widths: Widths = (256,)
    decoder_widths: Widths = (256,)
    activation: Literal["relu", "tanh", "gated"] = Field(
        "relu", description="of the hidden layers; gated: half of a layer times a sigmoid of itself"
    )


class ConvConfig(NetworksConfig):
    """Convolutional networks (source 002)."""

    kind: Literal["conv"] = "conv"
    encoder_filters: Widths = (32, 64, 64)
    decoder_filters: Widths = (64, 64, 32)
    kernel_size: Annotated[int, Field(ge=2, le=9)] = 4


class VAEDataConfig(DataConfig):
    """The images to learn from, grey or binarised."""

    binarize: Literal["none", "static", "dynamic"] = Field(
        "none",
        description="draw each pixel from its grey value: once (static) or at every step (dynamic)",
    )


class LossConfig(Section):
    """C * reconstruction + beta * KL; the minimum depends only on the ratio of C and beta."""

    reconstruction: Literal["squared_error", "bernoulli", "gaussian"] = "squared_error"
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
    """The distribution of codes that samples are drawn from."""

    kind: Literal["normal", "vamp"] = Field(
        "normal",
        description="vamp: a mixture of the posteriors of learned pseudo-inputs, trained with the "
        "networks (Tomczak & Welling 2018)",
    )
    components: PositiveInt | None = Field(
        None, description="of the prior's mixture; null: 500 pseudo-inputs"
    )


class ValidationConfig(Section):
    """The loss on held-out images, in columns val_* of log.csv."""

    every: Interval | None = Field(None, description="a multiple of log.every; null: never")
    num_images: PositiveInt = 10000


class VAEConfig(RunConfig):
    """One training run of a VAE."""

    family: Literal["vae"]
    data: VAEDataConfig = VAEDataConfig()
    model: Annotated[
        Annotated[MLPConfig, Tag("mlp")] | Annotated[ConvConfig, Tag("conv")],
        Discriminator(model_kind("mlp")),
    ] = MLPConfig()
    loss: LossConfig = LossConfig()
    prior: PriorConfig = PriorConfig()
    validation: ValidationConfig = ValidationConfig()
    quality: QualityConfig = QualityConfig()
    optimizer: AdamConfig = AdamConfig()

    @model_validator(mode="after")
    def _check_value_range(self):
        if self.model.value_range != (0.0, 1.0):
            raise ValueError(
                "expected model.value_range [0, 1], the range of a VAE's likelihoods, received "
                f"{list(self.model.value_range)}"
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
    def _check_prior(self):
        prior, free_bits = self.prior, self.loss.free_bits
        normal = {"prior.components null": (prior.components, prior.components is not None)}
        vamp = {
            "loss.free_bits 0": (free_bits, free_bits != 0),
            "model.conditional false": (True, self.model.conditional),
        }
        refuse_first({"normal": normal, "vamp": vamp}[prior.kind], f"prior.kind {prior.kind}")
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
            raise ValueError(f"expected {expected} with {reason}, received {received!r}")


def check_data(config, spec, path):
    """Raise `ConfigError` for missing labels and scores between log rows; see `Family.check`."""
    problems = quality_problems(config, spec, path)
    if config.model.conditional and spec.num_classes is None:
        message = f"expected a data set with labels, received {config.data.dataset!r} without"
        problems.append(Problem(str(path), "model.conditional", message))
    every = config.validation.every
    if every:
        problems += problems_between_rows(config, spec, path, "validation.every", every)
    if problems:
        raise ConfigError(problems)
