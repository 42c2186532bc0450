"""How good are the samples of a run?

In: a run folder, or arrays of images. Out: scores, each with its protocol. Open `score_run.py`
first: it goes from a run folder to its scores. `image_scores.py` and `vae_scores.py` put the scores
together, `scores/` computes them, `features/` has the classifier that looks at the images, and
`while_training.py` scores a run while it trains.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from sample_quality.scoring import Scores
    from training_run import Run

__all__ = ["score", "score_arrays"]


def score(
    run: "Run | str | int | Path" = "latest",
    num: int | None = None,
    *,
    seed: int = 0,
    outputs: "str | Path" = "outputs",
) -> "Scores":
    """Score a run's samples against images that it has not been trained on.

    The same as `python -m sample_quality RUN`: quality.json in the run's folder has the scores, too
    (but for a bundled model), and `gan_vs_vae` finds them there.

    Args:
        run: a run, its folder, its number, "latest" or "bundled:NAME".
        num: how many samples; None for 10,000 or, of stacked digits, 25,600.
        seed: of latents and protocol.
        outputs: folder in which a number or "latest" is looked up.

    Returns:
        Scores by name, each with `value`, `interval`, `floor` and `protocol`; printed, a table.

    Raises:
        training_run.UserError: an argument is wrong, or the run cannot be scored.

    Example:
        >>> sample_quality.score(run)["frechet_distance"].value
    """
    from sample_quality.scoring import score_run

    return score_run(run, num, seed, outputs=outputs)


def score_arrays(
    samples: "np.ndarray",
    real: "np.ndarray",
    train: "np.ndarray | None" = None,
    *,
    digits: bool | None = None,
    seed: int = 0,
) -> "Scores":
    """Score images that came from anywhere against real ones.

    Args:
        samples: (M, H, W, C) or (M, H, W) uint8.
        real: (N, H, W, C) or (N, H, W) uint8, real images that the model has not seen.
        train: those that it has learned from, at least M of them; None takes the second half of
            `real` in their place.
        digits: True to look at the images by the digits' classifier that ships with the package;
            False for random convolutions, which suit any images; None for the classifier where the
            images have its shape, 28x28 grey.
        seed: of the protocol.

    Returns:
        Scores, as from `score`.

    Raises:
        training_run.UserError: the arrays are no images of one shape, or too few.
    """
    from sample_quality.scoring import score_arrays as score_images_of

    return score_images_of(samples, real, train, digits=digits, seed=seed)
