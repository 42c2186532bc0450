"""From YAML to GIF, for any model: configuration, data, fit loop, run folder, pictures, commands.

This package knows no kind of model and no score. A `Family` (see `family`) tells it how to build a
model. Its folders form layers, and a folder imports only from lower ones. From the lowest:
`config`, `data`, `pictures`; `step`, `devices`; `run_folder`; `loop`; `python`; `cli`. `models/`
holds the trained models that ship with the package. Open `loop/fit.py` first.
"""

from typing import TYPE_CHECKING

from training_run.errors import UserError

if TYPE_CHECKING:
    from training_run.python.run import Run

__all__ = ["Run", "UserError"]


def __getattr__(name):
    """`Run`, imported when it is first asked for, since that takes a while."""
    if name == "Run":
        from training_run.python.run import Run

        return Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
