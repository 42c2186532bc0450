"""A JSON file becomes a checked, frozen object: the one reader of all records that we write.

Whatever is wrong with a file (no UTF-8, no JSON, a missing key, a wrong type, NaN) becomes one
sentence that names the file, the key, what was expected and what was received.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from training_run.config.messages import explain
from training_run.config.yaml_source import Source
from training_run.errors import UserError
from training_run.files import write_text


class Record(BaseModel):
    """What a JSON file holds. Keys of later versions are kept, not refused."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)


def read_record(path, record_class):
    """Read a JSON file.

    Args:
        path: the file.
        record_class: a `Record`.

    Returns:
        An instance of it.

    Raises:
        UserError: if the file is missing, cannot be read, or holds anything else.
    """
    try:
        return record_class.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        problem = next(explain(error, record_class, Source(str(path))))
        raise UserError(str(problem)) from None


def write_record(path, record):
    """Write a record as JSON, whole or not at all.

    Raises:
        UserError: if a number in it is not finite.
    """
    values = record.model_dump(mode="json")
    try:
        text = json.dumps(values, indent=2, allow_nan=False)
    except ValueError:
        message = "expected finite numbers to write, received NaN or infinity"
        raise UserError(f"{path}: {message}") from None
    write_text(path, text + "\n")
