"""A score together with its protocol, and the file that keeps both.

Two scores can be compared only if their protocols are equal: the same features, the same reference
images, the same numbers of images and the same seed. A score also has an interval, and a floor:
what real images get under the same protocol.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import Field, FiniteFloat

from sample_quality.numerics.binomial import exact_interval
from sample_quality.numerics.bootstrap import bootstrap_interval, resample_counts
from training_run.config.records import Record, read_record, write_record
from training_run.data.image_data import sha256_of_array
from training_run.errors import UserError

FORMAT = 1

NUM_REPLICATES = 100
"""Resamplings for an interval. Its width is then accurate to about 7%."""

MAX_REAL = 10_000
"""Largest number of reference images: MNIST's test split, or the first of a larger one."""

PIXELS = "pixels"

EACH_IMAGE = "each image by itself"
"""What stands for the features where a score compares nothing."""


@dataclass(frozen=True)
class Protocol:
    """How a score was computed; scores of equal protocols can be compared.

    Attributes:
        features: what represents an image: "mnist classifier", "random convolutions", "pixels", ...
        features_sha256: of the classifier's weights, or of the convolutions; "" for other features.
        split: where the reference images come from, "test", "train" or "".
        real_sha256: of the reference images' bytes.
        num_real: number of reference images; 0 where samples are compared with each other or
            looked at one by one, without a split and a checksum.
        num_generated: number of generated images; 0 for scores of a VAE on real images.
        seed: of the latents, of the images chosen for the floor and of the bootstrap.
    """

    features: str
    features_sha256: str
    split: str
    real_sha256: str
    num_real: int
    num_generated: int
    seed: int

    @classmethod
    def against(cls, reference, num_generated, seed, *, split="test", features=PIXELS):
        """The protocol of a score that compares `num_generated` images with reference images.

        `reference` is (N, H, W, C) uint8, of the split `split`.
        """
        checksum = sha256_of_array(reference)
        return cls(features, "", split, checksum, len(reference), num_generated, seed)

    @classmethod
    def among(cls, num_generated, seed):
        """The protocol of a score that compares the pixels of samples with each other."""
        return cls(PIXELS, "", "", "", 0, num_generated, seed)

    @classmethod
    def of_each(cls, num_generated, seed):
        """The protocol of a score that is the mean of what each sample has by itself."""
        return cls(EACH_IMAGE, "", "", "", 0, num_generated, seed)

    def by_classifier(self, classifier):
        """The same protocol, with the features of a `Classifier` or `RandomConvolutions`."""
        return dataclasses.replace(
            self,
            features=classifier.features_name,
            features_sha256=classifier.features_sha256,
        )

    def __str__(self):
        if self.features == EACH_IMAGE:
            return f"{self.num_generated:,} samples, {EACH_IMAGE}, seed {self.seed}"
        features = f"{self.features} {self.features_sha256[:8]}".strip()
        if not self.num_real:
            return f"among {self.num_generated:,} samples, by {features}, seed {self.seed}"
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
        interval: (low, high), 95%, of another sample of the images; None where there are too few
            images to know.
        floor: the score of training images in place of the generated ones; None where that has no
            meaning.
        protocol: how it was computed.
        parts: numbers behind the value, such as the share of each class; may be empty.
    """

    value: FiniteFloat
    interval: tuple[FiniteFloat, FiniteFloat] | None
    floor: FiniteFloat | None
    protocol: Protocol
    parts: tuple[float, ...] = ()


class Metric(NamedTuple):
    """Name in tables; what is better ("lower", "higher" or "near floor"); possible range."""

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
    "sharpness": Metric("sharpness", "near floor", (0.0, math.inf)),
    "fine_detail": Metric("fine detail", "near floor", (0.0, 1.0)),
    "contrast": Metric("contrast", "near floor", (0.0, 1.0)),
    "modes": Metric("modes", "higher", (0.0, math.inf)),
    "mode_divergence": Metric("KL of modes", "lower", (0.0, math.inf)),
    "memorized": Metric("memorised", "near floor", (0.0, 1.0)),
    "duplicated": Metric("duplicated", "near floor", (0.0, 1.0)),
    "reconstruction_error": Metric("reconstruction error", "lower", (0.0, math.inf)),
    "negative_elbo": Metric("-ELBO", "lower", (-math.inf, math.inf)),
    "elbo_reconstruction": Metric("  of it, -log p(x|z)", "lower", (-math.inf, math.inf)),
    "elbo_kl": Metric("  of it, KL", "lower", (0.0, math.inf)),
    "negative_log_likelihood": Metric("-log p(x)", "lower", (-math.inf, math.inf)),
    "negative_log_likelihood_learned_prior": Metric(
        "-log p(x), learned prior", "lower", (-math.inf, math.inf)
    ),
    "frechet_distance_normal_prior": Metric("Fréchet distance, N(0, I)", "lower", (0.0, math.inf)),
    "precision_normal_prior": Metric("precision, N(0, I)", "higher", (0.0, 1.0)),
    "recall_normal_prior": Metric("recall, N(0, I)", "higher", (0.0, 1.0)),
    "coverage_normal_prior": Metric("coverage, N(0, I)", "higher", (0.0, 1.0)),
}
"""Score name to `Metric`, in display order."""


def make_score(name, value, replicates, floor, protocol, parts=()):
    """A `Score` with the interval that the (B,) scores of resampled images give."""
    interval = bootstrap_interval(value, replicates, METRICS[name].limits)
    return Score(value, interval, floor, protocol, parts)


def mean_score(name, by_image, floor, protocol, rng):
    """A `Score` that is the mean of (N,) values, one an image; the images are resampled."""
    counts = resample_counts(rng, len(by_image), NUM_REPLICATES)
    replicates = counts @ by_image / len(by_image)
    return make_score(name, float(by_image.mean()), replicates, floor, protocol)


def share_score(name, is_hit, floor, protocol, group=1):
    """A `Score` that is the share of images with a property, with an exact interval.

    Args:
        name, floor, protocol: as for `make_score`.
        is_hit: (N,) bool.
        group: images that have the property together only, such as duplicates: a group of them
            counts as one.
    """
    low, high = exact_interval(is_hit.sum() // group, max(1, len(is_hit) // group))
    return Score(float(is_hit.mean()), (float(low), float(high)), floor, protocol)


class Quality(NamedTuple):
    """What a `quality.json` holds.

    Attributes:
        scores: dict of `METRICS` name to `Score`.
        about: dict of what was scored: `data`, a name of the images with their number, `run`,
            `network`, `network_sha256`, `prior_sha256` (of prior.npz, if the run has a learned
            prior), and `notes`, a list of sentences. Where the images have no classifier,
            `without_classifier` is the one of the notes that says why. Where the images' classes
            have names, `class_names` is the list of them.
    """

    scores: dict
    about: dict


class QualityRecord(Record):
    """The content of a `quality.json`."""

    format: int = FORMAT
    run: str = ""
    network: str = ""
    network_sha256: str = ""
    prior_sha256: str | None = None
    notes: list[str] = Field(default_factory=list)
    without_classifier: str | None = None
    class_names: list[str] | None = None
    data: str | None = None
    scores: dict[str, Score]


def write_quality(path, quality):
    """Write a `Quality` as JSON, whole or not at all.

    Raises:
        UserError: if a score is not finite.
    """
    write_record(path, QualityRecord(**quality.about, scores=quality.scores))


def read_quality(path):
    """The `Quality` in a file; scores that this version does not know are left out.

    Raises:
        UserError: if it cannot be read or is of another format.
    """
    record = read_record(path, QualityRecord)
    if record.format != FORMAT:
        raise UserError(f"{path}: format: expected {FORMAT}, received {record.format}")
    about = record.model_dump(exclude={"format", "scores"}, exclude_none=True)
    return Quality({name: record.scores[name] for name in METRICS if name in record.scores}, about)
