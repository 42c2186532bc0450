"""Configuration of a GAN run."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from training_run.config import (
    AdamConfig,
    AdamOverrides,
    Fraction,
    ModelSection,
    RunConfig,
    Section,
    Widths,
)


class MLPConfig(ModelSection):
    """Dense networks (sources 000 and 001)."""

    kind: Literal["mlp"] = "mlp"
    latent_dim: PositiveInt = 100
    generator_widths: Widths = (256, 512, 1024)
    discriminator_widths: Widths = (512, 256)
    batch_norm_momentum: Fraction | None = Field(
        0.8, description="of the generator's moving statistics; null for no BatchNorm"
    )
    leaky_slope: Fraction = 0.2


class LossConfig(Section):
    """What discriminator and generator minimise."""

    name: Literal["non_saturating", "minimax"] = "non_saturating"


class GANOptimizerConfig(AdamConfig):
    """Adam for both networks, with settings for one of them alone under its name."""

    learning_rate: PositiveFloat = 2e-4
    beta_1: Fraction = 0.5
    discriminator: AdamOverrides = AdamOverrides()
    generator: AdamOverrides = AdamOverrides()


class GANConfig(RunConfig):
    """One training run of a GAN."""

    family: Literal["gan"]
    model: MLPConfig = MLPConfig()
    loss: LossConfig = LossConfig()
    optimizer: GANOptimizerConfig = GANOptimizerConfig()
