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

import numpy as np

from sample_quality.bootstrap import bootstrap_interval, resample_counts
from sample_quality.class_histogram import class_shares, distance_from_uniform, num_missing
from sample_quality.classifier_score import classifier_score
from sample_quality.conditional_accuracy import are_as_asked
from sample_quality.frechet import frechet_distance, moments, resampled_frechet_distances
from sample_quality.kernel import kernel_distances
from sample_quality.neighbours import are_duplicated, are_memorized
from sample_quality.precision_recall import ball_radii, manifold_scores
from training_run.errors import UserError
from training_run.files import write_text
from training_run.image_data import sha256_of_array

FORMAT = 1

NUM_REPLICATES = 100
"""Resamplings for an interval: its width is then good to about 7%."""

NUM_CHECKED_FOR_COPIES = 2000
"""Images compared with all training images, pixel by pixel."""

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


class Sets(NamedTuple):
    """One thing about three sets of images: the real ones, the generated ones, the stand-ins.

    The stand-ins are real images of the training split in place of the generated ones.
    """

    real: object
    generated: object
    stand_in: object


def score_images(images, real, train, classifier=None, *, labels=None, split="test", seed=0):
    """Score generated images against real ones, in every way that makes sense for them.

    Args:
        images: (M, H, W, C) uint8, the generated ones.
        real: (N, H, W, C) uint8, real images that the model has not seen.
        train: (T, H, W, C) uint8, T at least M: what it has been trained on. M of them, chosen by
            the seed, take the place of the generated images for the floor.
        classifier: function of uint8 images giving `Classified`, with a `record` (a
            `Classifier`); None for images that have none: only copies are looked for then.
        labels: (M,) ints, the classes a conditional model was asked for.
        split: what `real` is, for the record.
        seed: also of the images, for the record.

    Returns:
        dict of `METRICS` name -> `Score`.
    """
    if images.shape[1:] != real.shape[1:] or len(train) < len(images):
        raise ValueError(
            "Scores need images of one shape, and as many training images as generated ones. "
            f"Received: {images.shape} generated, {real.shape} real, {train.shape} for training"
        )
    rng = np.random.default_rng(seed)
    stand_in = train[rng.choice(len(train), len(images), replace=False)]
    sets = Sets(real, images, stand_in)
    protocol = Protocol(PIXELS, "", split, sha256_of_array(real), len(real), len(images), seed)
    scores = copy_scores(sets, train, protocol, rng)
    if classifier is not None:
        protocol = dataclasses.replace(
            protocol,
            features=f"{classifier.record.name} classifier",
            features_sha256=classifier.record.sha256,
        )
        classified = Sets(*map(classifier, sets))
        scores |= feature_scores(classified, protocol, rng)
        scores |= class_scores(classified, protocol, rng)
        if labels is not None:
            accuracy = classifier.record.test_accuracy
            as_asked = are_as_asked(classified.generated.classes, labels)
            scores["conditional_accuracy"] = mean_score(
                "conditional_accuracy", as_asked, accuracy, protocol, rng
            )
    return {name: scores[name] for name in METRICS if name in scores}


def feature_scores(classified, protocol, rng):
    """Fréchet and kernel distance, precision, recall, density and coverage."""
    features = Sets(*(one.features for one in classified))
    counts = Sets(
        resample_counts(rng, len(features.real), NUM_REPLICATES),
        resample_counts(rng, len(features.generated), NUM_REPLICATES),
        None,
    )
    return {
        "frechet_distance": frechet_score(features, counts, protocol),
        "kernel_distance": kernel_score(features, counts, protocol),
        **neighbour_scores(features, protocol, rng),
    }


def frechet_score(features, counts, protocol):
    """`Score` of the Fréchet distance; both sets are resampled for the interval."""
    real = moments(features.real)
    replicates = resampled_frechet_distances(
        features.real, features.generated, counts.real, counts.generated
    )
    return make_score(
        "frechet_distance",
        frechet_distance(real, moments(features.generated)),
        replicates,
        frechet_distance(real, moments(features.stand_in)),
        protocol,
    )


def kernel_score(features, counts, protocol):
    """`Score` of the kernel distance; both sets are resampled for the interval."""

    def with_original(counts):
        return np.vstack([np.ones_like(counts[:1]), counts])

    value, *replicates = kernel_distances(
        features.real,
        features.generated,
        with_original(counts.real),
        with_original(counts.generated),
    )
    once = np.ones((1, len(features.real))), np.ones((1, len(features.stand_in)))
    floor = float(kernel_distances(features.real, features.stand_in, *once)[0])
    return make_score("kernel_distance", float(value), replicates, floor, protocol)


def neighbour_scores(features, protocol, rng):
    """`Score`s of precision, recall, density and coverage.

    For the intervals the balls stay and the images that are looked up in them are resampled: an
    image drawn twice would have itself for its nearest neighbour.
    """
    radii = ball_radii(features.real)
    of_images = manifold_scores(features.real, features.generated, radii)
    of_stand_ins = manifold_scores(features.real, features.stand_in, radii)
    return {
        name: mean_score(name, by_image, float(floor.mean()), protocol, rng)
        for name, by_image, floor in zip(of_images._fields, of_images, of_stand_ins, strict=True)
    }


def class_scores(classified, protocol, rng):
    """`Score`s of the classifier's verdicts alone: certainty and evenness."""
    _, images, stand_in = classified
    num_classes = images.probabilities.shape[1]
    counts = resample_counts(rng, len(images.features), NUM_REPLICATES)
    shares = class_shares(images.classes, num_classes)
    real_shares = class_shares(stand_in.classes, num_classes)
    resampled = counts @ np.eye(num_classes)[images.classes] / len(images.features)
    scores = {
        "classifier_score": make_score(
            "classifier_score",
            classifier_score(images.probabilities),
            [classifier_score(images.probabilities, weights) for weights in counts],
            classifier_score(stand_in.probabilities),
            protocol,
        )
    }
    for name, function in (
        ("class_imbalance", distance_from_uniform),
        ("missing_classes", num_missing),
    ):
        score = make_score(
            name,
            float(function(shares)),
            function(resampled),
            float(function(real_shares)),
            protocol,
        )
        scores[name] = dataclasses.replace(score, parts=tuple(map(float, shares)))
    return scores


def copy_scores(sets, train, protocol, rng):
    """`Score`s of copies: of training images, and of one another.

    What is nearest to training images must be compared with all of them, and its floor is that of
    images which are none: the test images.
    """
    num_checked = min(NUM_CHECKED_FOR_COPIES, len(sets.generated), len(sets.real))
    memorized = are_memorized(sets.generated[:num_checked], train)
    of_real = are_memorized(sets.real[:num_checked], train)
    against_train = dataclasses.replace(
        protocol,
        split="train",
        real_sha256=sha256_of_array(train),
        num_real=len(train),
        num_generated=num_checked,
    )
    duplicated = are_duplicated(sets.generated)
    of_stand_ins = float(are_duplicated(sets.stand_in).mean())
    return {
        "memorized": mean_score("memorized", memorized, float(of_real.mean()), against_train, rng),
        "duplicated": mean_score("duplicated", duplicated, of_stand_ins, protocol, rng),
    }


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
