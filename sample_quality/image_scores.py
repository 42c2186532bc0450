"""All scores of generated images, each with its protocol."""

from typing import NamedTuple

import numpy as np

from sample_quality.numerics.bootstrap import resample_counts, symmetric_interval
from sample_quality.priors import SUFFIX
from sample_quality.protocol import (
    METRICS,
    NUM_REPLICATES,
    Protocol,
    Score,
    make_score,
    mean_score,
    share_score,
)
from sample_quality.scores.class_balance import (
    class_shares,
    distance_from_uniform,
    missing_classes_interval,
    num_missing_classes,
)
from sample_quality.scores.classifier_score import classifier_score
from sample_quality.scores.conditional_accuracy import matches_label
from sample_quality.scores.contrast import contrasts
from sample_quality.scores.copies import is_duplicated, is_memorized
from sample_quality.scores.frechet import frechet_distance, moments, resampled_frechet_distances
from sample_quality.scores.kernel import kernel_distance, kernel_distances
from sample_quality.scores.precision_recall import (
    MIN_IMAGES_FOR_ERRORS,
    STUDENT_95,
    ball_radii,
    manifold_errors,
    manifold_scores,
)
from sample_quality.scores.sharpness import edge_sharpness, fine_detail

NUM_CHECKED_FOR_COPIES = 2000
"""Images compared with all training images, pixel by pixel."""

OF_EACH_IMAGE = {"sharpness": edge_sharpness, "fine_detail": fine_detail, "contrast": contrasts}
"""Scores that are the mean of what each image has by itself, and their functions."""


class Sets(NamedTuple):
    """The three sets of images that scores compare, or what a classifier says of each.

    Attributes:
        reference: real images that the model has not seen.
        generated: the model's samples.
        train_sample: as many training images as samples; the floor is their score.
    """

    reference: object
    generated: object
    train_sample: object


def score_images(images, reference, train, classifier=None, *, labels=None, seed=0):
    """Compute every score that generated images can have.

    Args:
        images: (M, H, W, C) uint8, the generated ones.
        reference: (N, H, W, C) uint8, real images that the model has not seen.
        train: (T, H, W, C) uint8, the training images, T at least M. For the floor, M of them
            take the place of the generated images.
        classifier: a `Classifier`, or `RandomConvolutions` where there is none, which leave out the
            scores of classes; None for the scores of pixels alone.
        labels: (M,) ints, the classes that a conditional model was asked for.
        seed: of the choice of training images and of the bootstrap.

    Returns:
        dict of `METRICS` name to `Score`.
    """
    if images.shape[1:] != reference.shape[1:] or len(train) < len(images):
        raise ValueError(
            "Scores need images of one shape, and as many training images as generated ones. "
            f"Received: {images.shape} generated, {reference.shape} real, "
            f"{train.shape} for training"
        )
    rng = np.random.default_rng(seed)
    train_sample = _draw(train, len(images), rng)
    sets = Sets(reference, images, train_sample)
    protocol = Protocol.against(reference, len(images), seed)
    scores = _copy_scores(sets, train, seed) | score_each_image(images, train, seed=seed)
    if classifier is not None:
        protocol = protocol.by_classifier(classifier)
        classified = Sets(*map(classifier, sets))
        scores |= _feature_scores(classified, protocol, rng)
    if classifier is not None and classifier.knows_classes:
        scores |= _class_scores(classified, protocol, rng)
        if labels is not None:
            matches = matches_label(classified.generated.classes, labels)
            accuracy = classifier.record.test_accuracy
            score = share_score("conditional_accuracy", matches, accuracy, protocol)
            scores["conditional_accuracy"] = score
    return {name: scores[name] for name in METRICS if name in scores}


def score_each_image(images, train, *, seed=0):
    """Scores that need neither a classifier nor a comparison of images: those of `OF_EACH_IMAGE`.

    Args as for `score_images`.

    Returns:
        dict of `METRICS` name to `Score`.
    """
    train_sample = _draw(train, len(images), np.random.default_rng(seed))
    protocol = Protocol.of_each(len(images), seed)
    return {
        name: mean_score(
            name,
            measure(images),
            float(measure(train_sample).mean()),
            protocol,
            np.random.default_rng(seed),
        )
        for name, measure in OF_EACH_IMAGE.items()
    }


def _draw(train, num, rng):
    """As many training images, for the floor: (num, H, W, C)."""
    return train[rng.choice(len(train), num, replace=False)]


def score_normal_prior(images, reference, train, classifier, *, seed=0):
    """Scores of samples of N(0, I), for a VAE whose samples come from a learned prior.

    Args as for `score_images`; protocols and floors are those of its scores.

    Returns:
        dict of the names in `METRICS` that end in `SUFFIX`.
    """
    rng = np.random.default_rng(seed)
    train_sample = _draw(train, len(images), rng)
    protocol = Protocol.against(reference, len(images), seed).by_classifier(classifier)
    sets = (classifier(each).features for each in (reference, images, train_sample))
    features = Sets(*sets)
    scores = {
        "frechet_distance": _frechet_score(features, _resample(features, rng), protocol),
        **_neighbour_scores(features, protocol, rng),
    }
    renamed = {f"{name}{SUFFIX}": score for name, score in scores.items()}
    return {name: score for name, score in renamed.items() if name in METRICS}


def _copy_scores(sets, train, seed):
    """Shares of copies of training images, and of copies among the samples.

    The floor of the first is that of the reference images, since `train_sample` is in `train`.
    """
    num_checked = min(NUM_CHECKED_FOR_COPIES, len(sets.generated))
    against_train = Protocol.against(train, num_checked, seed, split="train")
    among = Protocol.among(len(sets.generated), seed)
    memorized = is_memorized(sets.generated[:num_checked], train)
    memorized_floor = float(is_memorized(sets.reference[:NUM_CHECKED_FOR_COPIES], train).mean())
    duplicated = is_duplicated(sets.generated)
    duplicated_floor = float(is_duplicated(sets.train_sample).mean())
    return {
        "memorized": share_score("memorized", memorized, memorized_floor, against_train),
        "duplicated": share_score("duplicated", duplicated, duplicated_floor, among, group=2),
    }


def _feature_scores(classified, protocol, rng):
    """Fréchet and kernel distance, precision, recall, density and coverage."""
    features = Sets(*(one.features for one in classified))
    counts = _resample(features, rng)
    return {
        "frechet_distance": _frechet_score(features, counts, protocol),
        "kernel_distance": _kernel_score(features, counts, protocol),
        **_neighbour_scores(features, protocol, rng),
    }


def _resample(features, rng):
    return [
        resample_counts(rng, len(rows), NUM_REPLICATES)
        for rows in (features.reference, features.generated)
    ]


def _frechet_score(features, counts, protocol):
    reference, generated, train_sample = map(moments, features)
    return make_score(
        "frechet_distance",
        frechet_distance(reference, generated),
        resampled_frechet_distances(features.reference, features.generated, *counts),
        frechet_distance(reference, train_sample),
        protocol,
    )


def _kernel_score(features, counts, protocol):
    # The first resampling has each image once: its distance is the score.
    with_original = [np.vstack([np.ones_like(each[:1]), each]) for each in counts]
    value, *replicates = kernel_distances(features.reference, features.generated, *with_original)
    floor = kernel_distance(features.reference, features.train_sample)
    return make_score("kernel_distance", float(value), replicates, floor, protocol)


def _neighbour_scores(features, protocol, rng):
    """Precision, recall, density and coverage; of too few images, without an interval."""
    radii = ball_radii(features.reference)
    scores = manifold_scores(features.reference, features.generated, radii)
    floors = manifold_scores(features.reference, features.train_sample, radii)
    intervals = [None] * len(scores)
    if min(len(features.reference), len(features.generated)) >= MIN_IMAGES_FOR_ERRORS:
        errors = manifold_errors(features.reference, features.generated, scores, rng)
        intervals = [
            symmetric_interval(float(by_image.mean()), STUDENT_95 * error, METRICS[name].limits)
            for name, by_image, error in zip(scores._fields, scores, errors, strict=True)
        ]
    return {
        name: Score(float(by_image.mean()), interval, float(floor.mean()), protocol)
        for name, by_image, interval, floor in zip(
            scores._fields, scores, intervals, floors, strict=True
        )
    }


def _class_scores(classified, protocol, rng):
    """Classifier score, class imbalance and missing classes."""
    generated, train_sample = classified.generated, classified.train_sample
    num_images, num_classes = generated.probabilities.shape
    counts = resample_counts(rng, num_images, NUM_REPLICATES)
    scores = {
        "classifier_score": make_score(
            "classifier_score",
            classifier_score(generated.probabilities),
            [classifier_score(generated.probabilities, weights) for weights in counts],
            classifier_score(train_sample.probabilities),
            protocol,
        )
    }
    shares = class_shares(generated.classes, num_classes)
    resampled = counts @ np.eye(num_classes)[generated.classes] / num_images
    train_shares = class_shares(train_sample.classes, num_classes)
    parts = tuple(map(float, shares))
    scores["class_imbalance"] = make_score(
        "class_imbalance",
        float(distance_from_uniform(shares)),
        distance_from_uniform(resampled),
        float(distance_from_uniform(train_shares)),
        protocol,
        parts,
    )
    num_missing, floor = (float(num_missing_classes(each)) for each in (shares, train_shares))
    interval = missing_classes_interval(generated.classes, num_classes)
    scores["missing_classes"] = Score(num_missing, interval, floor, protocol, parts)
    return scores
