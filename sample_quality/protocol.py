"""A score and how it came about; no number without its protocol.

Two scores can be compared only if their protocols are equal: the features, the real images, how
many of each kind, and the seed. All of that is in the record, with an interval and with what
real images get under the very same protocol, the floor.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sample_quality.numerics.bootstrap import bootstrap_interval, resample_counts
from training_run.errors import UserError
from training_run.files import write_text

FORMAT = 1


NUM_REPLICATES = 100
"""Resamplings for an interval: its width is then good to about 7%."""


PIXELS = "pixels"


@dataclass(frozen=True)
class Protocol:
    """How a score was computed; scores of equal protocols can be compared.

    Attributes:
        features: what images were looked at by: "mnist classifier", "pixels", ...
        features_sha256: of the classifier's weights; "" for anything else.
        split: whose images were the real ones, "test" or "train".
        real_sha256: of the real images' bytes.
        num_real: how many real images.
        num_generated: how many generated ones; 0 for scores of a VAE's view of real images.
        seed: of latents, of the choice of images for the floor and of the bootstrap.
    """

    features: str
    features_sha256: str
    split: str
    real_sha256: str
    num_real: int
    num_generated: int
    seed: int

    def __str__(self):
        features = f"{self.features} {self.features_sha256[:8]}".strip()
        generated = f"{self.num_generated:,} samples against " if self.num_generated else ""
        return (
            f"{generated}{self.num_real:,} real images ({self.split} {self.real_sha256[:8]}), "
            f"by {features}, seed {self.seed}"
        )


@dataclass(frozen=True)
class Score:
    """A number and what is needed to read it.

    Attributes:
        value: the score.
        interval: (low, high), 95%, by bootstrap.
        floor: the score of real images (of the other split) in place of the generated ones,
            everything else the same; None where that has no meaning.
        protocol: how it was computed.
        parts: numbers behind the value, where they say more (the share of each class).
    """

    value: float
    interval: tuple[float, float]
    floor: float | None
    protocol: Protocol
    parts: tuple[float, ...] = ()


class Metric(NamedTuple):
    """What a score is called and how it is read: `better` is "lower", "higher" or "near floor"."""

    label: str
    better: str
    limits: tuple[float, float]


METRICS = {
    "frechet_distance": Metric("Fréchet distance", "lower", (0.0, math.inf)),
    "kernel_distance": Metric("kernel distance", "lower", (-math.inf, math.inf)),
    "classifier_score": Metric("classifier score", "higher", (1.0, math.inf)),
    "precision": Metric("precision", "higher", (0.0, 1.0)),
    "recall": Metric("recall", "higher", (0.0, 1.0)),
    "density": Metric("density", "near floor", (0.0, math.inf)),
    "coverage": Metric("coverage", "higher", (0.0, 1.0)),
    "class_imbalance": Metric("class imbalance", "lower", (0.0, 1.0)),
    "missing_classes": Metric("missing classes", "lower", (0.0, math.inf)),
    "conditional_accuracy": Metric("conditional accuracy", "higher", (0.0, 1.0)),
    "memorized": Metric("memorised", "near floor", (0.0, 1.0)),
    "duplicated": Metric("duplicated", "near floor", (0.0, 1.0)),
    "reconstruction_error": Metric("reconstruction error", "lower", (0.0, math.inf)),
    "negative_elbo": Metric("-ELBO", "lower", (-math.inf, math.inf)),
    "elbo_reconstruction": Metric("  of it, -log p(x|z)", "lower", (-math.inf, math.inf)),
    "elbo_kl": Metric("  of it, KL", "lower", (0.0, math.inf)),
    "negative_log_likelihood": Metric("-log p(x)", "lower", (-math.inf, math.inf)),
}
"""Name of a score -> what it is; in the order of tables."""


def mean_score(name, by_image, floor, protocol, rng):
    """`Score` of a mean over images, which are resampled for the interval."""
    counts = resample_counts(rng, len(by_image), NUM_REPLICATES)
    replicates = counts @ by_image / len(by_image)
    return make_score(name, float(by_image.mean()), replicates, floor, protocol)


def make_score(name, value, replicates, floor, protocol):
    """A `Score` from a value, the same of resampled images, and the floor."""
    interval = bootstrap_interval(value, replicates, METRICS[name].limits)
    return Score(value, interval, floor, protocol)


class Quality(NamedTuple):
    """What a `quality.json` holds.

    Attributes:
        scores: dict of `METRICS` name -> `Score`.
        about: dict of what was scored: `run`, `network`, `network_sha256`, and `notes`, sentences
            on what is missing and why.
    """

    scores: dict
    about: dict


def write_quality(path, quality):
    """Write scores as JSON, whole or not at all.

    Args:
        path: `quality.json` of a run folder.
        quality: `Quality`.
    """
    scores = {name: dataclasses.asdict(score) for name, score in quality.scores.items()}
    record = {"format": FORMAT, **quality.about, "scores": scores}
    write_text(path, json.dumps(record, indent=2) + "\n")


def read_quality(path):
    """The `Quality` in a file, as it was written.

    Raises:
        UserError: if it cannot be read or is of another format.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        if record.pop("format") != FORMAT:
            raise ValueError(f"it is not of format {FORMAT}")
        scores = {name: _read_score(values) for name, values in record.pop("scores").items()}
        return Quality(scores, record)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: the scores cannot be read ({error})") from None


def _read_score(values):
    return Score(
        value=values["value"],
        interval=tuple(values["interval"]),
        floor=values["floor"],
        protocol=Protocol(**values["protocol"]),
        parts=tuple(values["parts"]),
    )
