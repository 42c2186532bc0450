"""Every score of generated images that makes sense for them."""

import dataclasses
from typing import NamedTuple

import numpy as np

from sample_quality.numerics.bootstrap import resample_counts
from sample_quality.protocol import (
    METRICS,
    NUM_REPLICATES,
    PIXELS,
    Protocol,
    make_score,
    mean_score,
)
from sample_quality.scores.class_balance import class_shares, distance_from_uniform, num_missing
from sample_quality.scores.classifier_score import classifier_score
from sample_quality.scores.conditional_accuracy import are_as_asked
from sample_quality.scores.copies import are_duplicated, are_memorized
from sample_quality.scores.frechet import frechet_distance, moments, resampled_frechet_distances
from sample_quality.scores.kernel import kernel_distances
from sample_quality.scores.precision_recall import ball_radii, manifold_scores
from training_run.data.image_data import sha256_of_array

NUM_CHECKED_FOR_COPIES = 2000
"""Images compared with all training images, pixel by pixel."""


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
