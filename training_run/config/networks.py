"""Sections `model` of a configuration: what all networks that make images have in common."""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt, model_validator

from training_run.config.sections import Section
from training_run.config.yaml_source import Problem, shorten

SAVED = "saved"
"""Value of `model.kind`, and tag of `OwnNetworksSection` among a family's sections of networks."""

OWN_PATTERN = rf"^({SAVED}|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$"
"""Values of `model.kind` that mean networks of a user's own."""


def _range_of(activation):
    return (-1.0, 1.0) if activation == "tanh" else (0.0, 1.0)


class ModelSection(Section):
    """Keys of every network that makes images: output activation and range of the images."""

    is_dense: ClassVar[bool] = False
    """True if there are only dense layers, whose step is quicker with XLA on a CPU."""

    output_activation: Literal["tanh", "sigmoid"] = Field(
        "tanh", description="of the last layer of the network that draws"
    )
    value_range: Annotated[tuple[float, float], Field(strict=False)] = Field(
        default_factory=lambda data: _range_of(data.get("output_activation")),
        description="values of black and white; default: the range of the activation",
    )

    @model_validator(mode="after")
    def _check_value_range(self):
        low, high = _range_of(self.output_activation)
        if not low <= self.value_range[0] < self.value_range[1] <= high:
            raise ValueError(
                f"expected a value_range inside [{low:g}, {high:g}], the range of "
                f"{self.output_activation}, received {list(self.value_range)}"
            )
        return self


class OwnNetworksSection(ModelSection):
    """Networks of a user's own: saved ones, or what a function of a file of theirs builds."""

    kind: Annotated[str, Field(pattern=OWN_PATTERN)] = Field(
        SAVED,
        description="saved: the .keras files in model.folder; my_models:build: what the function "
        "build in my_models.py, in the working directory, returns",
    )
    folder: str | None = Field(None, description="of saved networks, one .keras file each")
    latent_dim: PositiveInt = Field(100, description="numbers in a latent")
    conditional: bool = Field(False, description="the networks take class labels, too")

    others: ClassVar[tuple[type[Section], ...]] = ()
    """The family's other sections of networks: keys of theirs, which a preset has, are left out."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_keys_of_others(cls, values):
        if not isinstance(values, dict):
            return values
        theirs = {key for other in cls.others for key in other.model_fields}
        return {
            key: value
            for key, value in values.items()
            if key in cls.model_fields or key not in theirs
        }

    @model_validator(mode="after")
    def _check_folder(self):
        if (self.kind == SAVED) != (self.folder is not None):
            raise ValueError(
                "expected a folder with kind saved and none with a function, received "
                f"{shorten(self.folder)} with {self.kind}"
            )
        return self


def model_kind(default):
    """A function for `pydantic.Discriminator` that chooses a model section by its `kind` key.

    Args:
        default: the kind of a section without that key.
    """

    def kind(section):
        if not isinstance(section, dict):
            found = getattr(section, "kind", None)
            return SAVED if isinstance(section, OwnNetworksSection) else found
        found = section.get("kind", default)
        if not isinstance(found, str):
            return shorten(found)
        return SAVED if re.match(OWN_PATTERN, found) else found

    return kind


def source_files(model, names):
    """The files that a user's own networks come from.

    Args:
        model: the `OwnNetworksSection`.
        names: of the networks.

    Returns:
        dict of a name for messages to a path, of which there may be none.
    """
    if model.kind == SAVED:
        folder = Path(model.folder).expanduser()
        return {f"{name}.keras": folder / f"{name}.keras" for name in names}
    module = model.kind.partition(":")[0]
    file = Path(*module.split(".")).with_suffix(".py")
    return {str(file): file}


def missing_problems(model, names, path):
    """A `Problem` for each file of `source_files` that is missing.

    Args:
        model, names: as there.
        path: the configuration's file, for the message.
    """
    key = "model.folder" if model.kind == SAVED else "model.kind"
    return [
        Problem(str(path), key, f"expected a file {file}, received a path where there is none")
        for file in source_files(model, names).values()
        if not file.is_file()
    ]
