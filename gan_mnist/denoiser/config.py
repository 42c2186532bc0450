"""Configuration of a denoiser's run."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from training_run.config.sections import AdamConfig, RunConfig, Section

Share = Annotated[float, Field(ge=0, le=1)]
"""Share of the pixels: 0 is none, 1 is all."""


class DenoiserModelConfig(Section):
    """The autoencoder of source 000."""

    is_dense: ClassVar = True
    num_hidden: PositiveInt = Field(50, description="units of the hidden layer")
    value_range: Annotated[tuple[Literal[0.0], Literal[1.0]], Field(strict=False)] = Field(
        (0.0, 1.0), description="of its images; fixed, and recorded for readers of the run"
    )


class CorruptionConfig(Section):
    """Kinds of corruption and their strengths, applied in this order; 0 leaves one out."""

    gaussian: NonNegativeFloat = Field(
        0.0, description="standard deviation of noise on every pixel; black to white is 1"
    )
    masking: Share = Field(0.0, description="share of the pixels that turn black")
    salt_and_pepper: Share = Field(0.0, description="share that turn black or white")

    @model_validator(mode="after")
    def _check_that_there_is_one(self):
        if not self.strengths():
            raise ValueError(
                "expected a strength above 0 for at least one kind of corruption, received none: "
                "there would be nothing to clean"
            )
        return self

    def strengths(self):
        """Kind to strength, for the kinds that are on."""
        return {kind: strength for kind, strength in self.model_dump().items() if strength > 0}


class DenoiserConfig(RunConfig):
    """One training run of a denoising autoencoder."""

    family: Literal["denoiser"] = Field(description="kind of model")
    model: DenoiserModelConfig = DenoiserModelConfig()
    corruption: CorruptionConfig
    optimizer: AdamConfig = AdamConfig()
