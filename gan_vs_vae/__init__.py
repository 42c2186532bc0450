"""A report that compares runs of GANs and VAEs.

In: run folders (`runs`) and their scores (`scores`), pooled over seeds (`pooling`).
Out: one HTML file. `findings` writes its sentences, `pictures` and `figures` its images, `tables`
its tables; `page` fills the Jinja templates in `templates/` with them.
Open `command` first: `prepare_report` goes from the runs to the page.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training_run import Run

__all__ = ["report"]


def report(
    runs: "Sequence[Run | str | int | Path]",
    out: "str | Path | None" = None,
    *,
    num: int = 10_000,
    seed: int = 0,
    outputs: "str | Path" = "outputs",
) -> "Path":
    """Write a page that compares runs of the same images, as `python -m gan_vs_vae` does.

    Args:
        runs: each a run, its folder, its number, "latest" or "bundled:NAME".
        out: a folder without a report; None for the next numbered one in `outputs`/comparison.
        num: number of samples for a run that has no scores yet.
        seed: of latents and scores.
        outputs: folder in which a number or "latest" is looked up.

    Returns:
        Path of report.html; beside it lies explore.html, in which the networks run live.

    Raises:
        training_run.UserError: an argument is wrong, or the runs cannot be compared.
    """
    from pathlib import Path

    from gan_vs_vae.command import write_report
    from training_run.run_folder.find import reference_of

    references = [reference_of(run) for run in runs]
    return write_report(references, None if out is None else Path(out), num, seed, outputs)
