"""Typed, frozen configuration: what every run has, whatever its model.

A family (GAN, VAE, ...) derives its own configuration from `RunConfig`. Nothing here
imports TensorFlow: a wrong configuration is refused before that wait.
"""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from training_run.config.intervals import Interval
from training_run.config.messages import shorten

Fraction = Annotated[float, Field(ge=0, lt=1)]
"""A number from 0 up to, but not, 1: decay rates and momenta."""


Widths = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
"""Sizes of successive layers; a YAML list."""


HOLD_LAST_SECONDS, MAX_GIF_SECONDS = 2.0, 600.0
"""How long a GIF shows its last frame, which is part of its playing time, and the longest one."""


NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Of a run: part of its folder's name."""


MAX_SIZE = 1_000_000
"""Of a layer or a latent: larger ones are slips, and would not fit into memory."""


class Section(BaseModel):
    """A group of keys: frozen, without unknown keys, without silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataConfig(Section):
    """Which images to learn from."""

    dataset: Literal["mnist", "fashion_mnist", "orl_faces", "image_folder"] = "mnist"
    path: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a local .npz, IDX folder or image folder instead of the usual source"
    )
    image_size: Annotated[int, Field(ge=8, le=512)] | None = Field(
        None, description="side of the square images, where a data set leaves the choice"
    )
    num_channels: Literal[1, 3] | None = Field(
        None, description="1 grey, 3 colour, where a data set leaves the choice"
    )
    mirror_and_shift: Annotated[int, Field(ge=0, le=64)] | None = Field(
        None,
        description="augment: mirror half of the images and shift all of them by up to so many "
        "pixels, anew in every batch; null: take them as they are",
    )


class TrainingConfig(Section):
    """How long and how."""

    steps: Interval
    batch_size: PositiveInt = 32
    jit_compile: bool = Field(
        False, description="compile the step with XLA: quicker for dense networks on a CPU"
    )
    precision: Literal["float32", "mixed_bfloat16", "auto"] = Field(
        "float32",
        description="what networks compute in; auto: mixed_bfloat16 where the machine has it, "
        "else float32. It changes results, by rounding",
    )


class SamplesConfig(Section):
    """Grids of samples from the same fixed latents."""

    every: Interval = 200
    num_rows: Annotated[int, Field(ge=1, le=32)] = 5
    num_columns: Annotated[int, Field(ge=1, le=32)] = 5


class LogConfig(Section):
    """Rows of log.csv."""

    every: Interval = 100
    tensorboard: bool = Field(False, description="also write TensorBoard event files")


class CheckpointsConfig(Section):
    """Checkpoints to resume from."""

    every: Interval = 5000
    keep: PositiveInt = Field(2, description="how many of the newest checkpoints to keep")


class GifConfig(Section):
    """The progress GIF."""

    every: Interval | None = Field(
        None, description="a frame every so often; default: samples.every"
    )
    seconds: PositiveFloat = Field(10.0, description="playing time, 2 s of the last frame included")

    @model_validator(mode="after")
    def _check_seconds(self):
        if not HOLD_LAST_SECONDS < self.seconds <= MAX_GIF_SECONDS:
            raise ValueError(
                f"expected gif.seconds above {HOLD_LAST_SECONDS:g} and up to {MAX_GIF_SECONDS:g}, "
                f"received {self.seconds:g}"
            )
        return self


class DistributionConfig(Section):
    """Devices and machines; `training.batch_size` is for all of them together."""

    strategy: Literal["none", "mirrored", "multi_worker"] = Field(
        "none",
        description="none: one device; mirrored: all devices of this machine; multi_worker: all "
        "machines that the environment variable TF_CONFIG names",
    )


class AdamConfig(Section):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980)."""

    learning_rate: PositiveFloat = 1e-3
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-7


class AdamOverrides(Section):
    """Adam's settings for one network alone; what is null stays as for all."""

    learning_rate: PositiveFloat | None = None
    beta_1: Fraction | None = None
    beta_2: Fraction | None = None
    epsilon: PositiveFloat | None = None

    def over(self, common):
        """An `AdamConfig`: `common` with these settings over it."""
        own = self.model_dump(exclude_none=True)
        return AdamConfig(
            **{name: own.get(name, getattr(common, name)) for name in AdamConfig.model_fields}
        )


def _reach(activation):
    return (-1.0, 1.0) if activation == "tanh" else (0.0, 1.0)


class ModelSection(Section):
    """What every image-making network has: an output activation and the range of its images."""

    output_activation: Literal["tanh", "sigmoid"] = "tanh"
    value_range: Annotated[tuple[float, float], Field(strict=False)] = Field(
        default_factory=lambda data: _reach(data.get("output_activation")),
        description="what black and white are scaled to; default: all the activation reaches",
    )

    @model_validator(mode="after")
    def _check_value_range(self):
        low, high = _reach(self.output_activation)
        if not low <= self.value_range[0] < self.value_range[1] <= high:
            raise ValueError(
                f"expected a value_range inside [{low:g}, {high:g}], which "
                f"{self.output_activation} reaches, received {list(self.value_range)}"
            )
        return self


def model_kind(default):
    """For unions of model sections: which one is meant, by its `kind` key.

    Args:
        default: the kind where the key is missing.

    Returns:
        A function for `pydantic.Discriminator`.
    """

    def kind(values):
        if isinstance(values, dict):
            found = values.get("kind", default)
            return found if isinstance(found, str) else shorten(found)
        return getattr(values, "kind", None)

    return kind


class RunConfig(Section):
    """What every run's configuration has."""

    family: str
    name: Annotated[str, Field(pattern=NAME_PATTERN, max_length=80)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    output_dir: Annotated[str, Field(min_length=1)] = "outputs"
    data: DataConfig = DataConfig()
    training: TrainingConfig
    samples: SamplesConfig = SamplesConfig()
    log: LogConfig = LogConfig()
    checkpoints: CheckpointsConfig = CheckpointsConfig()
    gif: GifConfig = GifConfig()
    distribution: DistributionConfig = DistributionConfig()

    @model_validator(mode="after")
    def _check_sizes(self):
        model = getattr(self, "model", None)
        for name, value in model or ():
            sizes = value if isinstance(value, tuple) else (value,)
            largest = max((size for size in sizes if isinstance(size, int)), default=0)
            if largest > MAX_SIZE:
                raise ValueError(
                    f"expected sizes of networks up to {MAX_SIZE:,}, received model.{name} with "
                    f"{shorten(largest)}"
                )
        return self
