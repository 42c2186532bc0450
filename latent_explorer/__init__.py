"""One HTML page in which the networks of any run live: offline, in plain JavaScript.

Start with `command.py`. `plan.py` turns a Keras network into a list of plain steps, `quantise.py`
packs their weights, `material.py` gathers what the page shows beside the networks, and `page.py`
writes the file. `static/network.mjs` runs the steps in the browser.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training_run import Run

__all__ = ["explore"]


def explore(
    runs: "Sequence[Run | str | int | Path]",
    out: "str | Path" = "explore.html",
    *,
    outputs: "str | Path" = "outputs",
) -> "Path":
    """Write a page in which the networks of runs live, as `python -m latent_explorer` does.

    Args:
        runs: each a run, its folder, its number, "latest" or "bundled:NAME".
        out: the page, a file ending in .html.
        outputs: folder in which a number or "latest" is looked up.

    Returns:
        Path of the page.

    Raises:
        training_run.UserError: an argument is wrong, or the page cannot run one of the networks.
    """
    from pathlib import Path

    from latent_explorer.command import write_page
    from training_run.run_folder.find import reference_of

    return write_page([reference_of(run) for run in runs], Path(out), outputs)
