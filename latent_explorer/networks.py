"""From a saved Keras network to its description in the page, in the fewest bytes that will do."""

from typing import NamedTuple

import numpy as np

from latent_explorer.fold import fold_batch_normalization
from latent_explorer.plan import plan_network
from latent_explorer.quantise import pack_plan, round_plan
from latent_explorer.reference import run_plan

TOLERANCE = 1 / 255
"""Largest mean difference of results by 8-bit weights, as a share of the results' range: a network
that is further off is written in float16."""


class Exported(NamedTuple):
    """A network in the page.

    Attributes:
        description: JSON-ready dict, for `static/network.mjs`.
        form: "int8" or "float16".
        mean: mean difference of its results from those of float32 weights, as a share of their
            range.
        largest: the largest such difference.
    """

    description: dict
    form: str
    mean: float
    largest: float


def export_network(network, path, store, examples, spread, weights="auto"):
    """Append a network to the bytes of a page.

    Args:
        network: a Keras network.
        path: of its file, for messages.
        store: a `ByteStore`.
        examples: list of (N, ...) arrays, one for each input, to compare results on.
        spread: range of its results, or None for their standard deviation.
        weights: "float16", or "auto" for 8 bits where the results stay near enough.

    Returns:
        An `Exported`.

    Raises:
        UserError: naming a layer that the page cannot run.
    """
    plan = fold_batch_normalization(plan_network(network, path))
    exact = run_plan(plan, examples)[0]
    spread = spread or float(exact.std()) or 1.0
    for form in ("int8", "float16") if weights == "auto" else (weights,):
        difference = np.abs(run_plan(round_plan(plan, form), examples)[0] - exact) / spread
        mean, largest = float(difference.mean()), float(difference.max())
        if mean < TOLERANCE:
            break
    return Exported(pack_plan(plan, form, store), form, mean, largest)
