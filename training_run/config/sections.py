"""Typed, frozen sections of a configuration: the keys that every run has, whatever its model.

A family (GAN, VAE, ...) derives its own configuration from `RunConfig`.
"""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from training_run.config.intervals import Interval
from training_run.config.yaml_source import shorten

Fraction = Annotated[float, Field(ge=0, lt=1)]
"""A number from 0 to below 1: a decay rate or a momentum."""

Widths = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
"""Sizes of successive layers; a YAML list."""

HOLD_LAST_SECONDS = 2.0
"""How long a GIF shows its last frame; part of its playing time."""

MAX_GIF_SECONDS = 600.0
"""Longest playing time of a GIF."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Names of runs: each is part of a folder's name."""

MAX_SIZE = 1_000_000
"""Largest size of a layer or a latent. Larger ones are slips, and do not fit into memory."""


class Section(BaseModel):
    """A group of keys. It is frozen, refuses unknown keys and converts no types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


LABEL_WORDS = ("auto", "none", "folders")
"""What `data.labels` may be, beside the path of a CSV file."""


class DataConfig(Section):
    """Which images to learn from."""

    dataset: Literal["mnist", "fashion_mnist", "orl_faces", "image_folder"] = Field(
        "mnist", description="which images; image_folder: your own, at data.path"
    )
    path: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a local .npz, IDX folder or image folder instead of the usual source"
    )
    image_size: Annotated[int, Field(ge=8, le=512)] | None = Field(
        None, description="side of the square images, where a data set leaves the choice"
    )
    num_channels: Literal[1, 3] | None = Field(
        None, description="1 grey, 3 colour, where a data set leaves the choice"
    )
    labels: str = Field(
        "auto",
        description="auto: those that the images have; for a folder of images, the folders one "
        "level down if every image lies in one of 2 to 1,000; none; folders; or a CSV file of rows "
        "file,label",
    )
    max_images: PositiveInt | None = Field(
        None, description="learn from a random sample of the images, the same in every run"
    )
    cache: bool | Annotated[str, Field(min_length=1)] = Field(
        True,
        description="of a folder of images: keep them decoded in the user's cache folder (true), "
        "nowhere (false) or in this folder",
    )
    balance: bool = Field(
        False, description="draw images of all classes equally often, however many each has"
    )
    mirror: bool = Field(
        False, description="augmentation: mirror half of the images, drawn again for every batch"
    )
    mirror_and_shift: Annotated[int, Field(ge=0, le=64)] | None = Field(
        None,
        description="augmentation: mirror half of the images and shift each by up to this many "
        "pixels, drawn again for every batch; null: no augmentation",
    )

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, value):
        if value not in LABEL_WORDS and not value.endswith(".csv"):
            raise PydanticCustomError(
                "labels",
                "expected 'auto', 'none', 'folders' or a .csv file",
                {"expected": repr(LABEL_WORDS)},
            )
        return value


class TrainingConfig(Section):
    """Length of the training, and how it computes."""

    steps: Interval = Field(description="length of the whole run")
    minutes: PositiveFloat | None = Field(
        None, description="end after this time if the steps are not done by then; null: only steps"
    )
    batch_size: PositiveInt = Field(32, description="images in a step, on all devices together")
    jit_compile: Literal[True, False, "auto"] = Field(
        "auto",
        description="compile the step with XLA; auto: where that is quicker, for dense networks on "
        "a CPU and for all on a GPU",
    )
    precision: Literal["float32", "mixed_bfloat16", "auto"] = Field(
        "float32",
        description="precision of the networks' arithmetic; auto: mixed_bfloat16 if the machine "
        "supports it, else float32. Rounding differs, so results differ",
    )

    @field_validator("jit_compile", mode="before")
    @classmethod
    def _check_jit_compile(cls, value):
        if not isinstance(value, bool) and value != "auto":  # 1 equals True
            raise PydanticCustomError("literal_error", "expected true, false or auto")
        return value


class SamplesConfig(Section):
    """Grids of samples from the same fixed latents."""

    every: Interval = Field(200, description="from one grid to the next")
    num_rows: int = Field(
        5, ge=1, le=32, description="rows of a grid; a conditional model has one for each class"
    )
    num_columns: int = Field(5, ge=1, le=32, description="columns of a grid")


class LogConfig(Section):
    """Rows of log.csv."""

    every: Interval = Field(100, description="from one row to the next, which covers these steps")
    tensorboard: bool = Field(False, description="also write TensorBoard event files")


class CheckpointsConfig(Section):
    """Checkpoints to resume from."""

    every: Interval = Field(5000, description="from one checkpoint to the next")
    keep: PositiveInt = Field(2, description="how many of the newest checkpoints to keep")


class GifConfig(Section):
    """The progress GIF."""

    every: Interval | None = Field(
        None, description="interval from one frame to the next; default: samples.every"
    )
    seconds: Annotated[float, Field(gt=HOLD_LAST_SECONDS, le=MAX_GIF_SECONDS)] = Field(
        10.0, description="playing time; it includes 2 s for the last frame"
    )


class KeptConfig(Section):
    """Networks of earlier steps, to look back at."""

    keep: Annotated[int, Field(ge=0, le=50)] = Field(
        0,
        description="how many networks of earlier steps to keep, from step 0 on and then evenly "
        "spread in the logarithm of the step; each is as large as the network that draws",
    )


class InitConfig(Section):
    """The weights before the first step."""

    run: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        json_schema_extra={"anyOf": [{"type": ["string", "integer", "null"]}]},
        description="a run with networks of the same layers, to start from their weights: a "
        "folder, a number, latest or bundled:NAME; null: random weights. Layers that read the "
        "class may differ and are then random",
    )

    @field_validator("run", mode="before")
    @classmethod
    def _number_as_text(cls, value):
        return str(value) if type(value) is int else value


class DistributionConfig(Section):
    """Devices and machines. They share the batch of `training.batch_size` images."""

    strategy: Literal["none", "mirrored", "multi_worker"] = Field(
        "none",
        description="none: one device; mirrored: all devices of this machine; multi_worker: all "
        "machines in the environment variable TF_CONFIG",
    )


LEARNING_RATE = "step size; with a schedule, the largest one"

BETA_1 = "decay of the mean of gradients, Adam's momentum"


class AdamConfig(Section):
    """Adam (Kingma & Ba 2015, arXiv:1412.6980)."""

    learning_rate: PositiveFloat = Field(1e-3, description=LEARNING_RATE)
    beta_1: Fraction = Field(0.9, description=BETA_1)
    beta_2: Fraction = Field(0.999, description="decay of the mean of squared gradients")
    epsilon: PositiveFloat = Field(1e-7, description="added to the root of that mean")


class ScheduledAdamConfig(AdamConfig):
    """Adam whose learning rate may change over the run."""

    schedule: Literal["constant", "cosine", "linear"] = Field(
        "constant",
        description="how the learning rate, and all that has a key final_..., gets to its end at "
        "the run's last step",
    )
    warmup: Interval | None = Field(
        None, description="how long the learning rate rises first; null: not at all"
    )
    final_factor: Fraction = Field(
        0.0, description="share of the learning rate that is left at the run's last step"
    )

    @model_validator(mode="after")
    def _check_final_factor(self):
        if self.final_factor and self.schedule == "constant":
            raise ValueError(
                "expected schedule cosine or linear with a final_factor, received constant with "
                f"{self.final_factor}"
            )
        return self


class AdamOverrides(Section):
    """Adam's settings for one network alone. Null keeps the common setting."""

    learning_rate: PositiveFloat | None = Field(None, description="of this network alone")
    beta_1: Fraction | None = Field(None, description="of this network alone")
    beta_2: Fraction | None = Field(None, description="of this network alone")
    epsilon: PositiveFloat | None = Field(None, description="of this network alone")

    def applied_to(self, common):
        """The `AdamConfig` `common` with these settings in place of its own."""
        return common.model_copy(update=self.model_dump(exclude_none=True))


class RunConfig(Section):
    """Keys of every run's configuration."""

    family: str
    name: str = Field(pattern=NAME_PATTERN, max_length=80, description="part of the folder's name")
    seed: int = Field(0, ge=0, lt=2**31, description="of everything random")
    output_dir: str = Field("outputs", min_length=1, description="folder of all runs")
    data: DataConfig = DataConfig()
    training: TrainingConfig
    samples: SamplesConfig = SamplesConfig()
    log: LogConfig = LogConfig()
    checkpoints: CheckpointsConfig = CheckpointsConfig()
    gif: GifConfig = GifConfig()
    distribution: DistributionConfig = DistributionConfig()
    init: InitConfig = InitConfig()

    @model_validator(mode="after")
    def _check_minutes(self):
        if self.training.minutes is None:
            return self
        schedule = getattr(getattr(self, "optimizer", None), "schedule", "constant")
        for key, value, expected in (
            ("optimizer.schedule", schedule, "constant"),
            ("distribution.strategy", self.distribution.strategy, "none"),
        ):
            if value != expected:
                raise ValueError(
                    f"expected {key} {expected} with training.minutes, which does not know the "
                    f"last step beforehand, received {value}"
                )
        return self

    @model_validator(mode="after")
    def _check_sizes(self):
        for name, value in getattr(self, "model", ()):
            for size in value if isinstance(value, tuple) else (value,):
                if isinstance(size, int) and size > MAX_SIZE:
                    raise ValueError(
                        f"expected sizes of networks up to {MAX_SIZE:,}, received model.{name} "
                        f"with {shorten(size)}"
                    )
        return self
