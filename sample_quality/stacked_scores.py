"""The scores of stacked images, each with its protocol: modes, and how even they are."""

import numpy as np

from sample_quality.protocol import NUM_REPLICATES, Protocol, Score, make_score
from sample_quality.scores.modes import divergence_from_uniform, modes_of, num_modes


def score_stacked(images, train, classifier, *, seed=0):
    """Count the modes of generated stacks, beside as many stacks of training images.

    Args:
        images: (N, H, W, C) uint8, each channel an image of its own.
        train: (T, H, W, 1) uint8, the training images.
        classifier: the `Classifier` of single images.
        seed: of the training images that are stacked, and of the bootstrap.

    Returns:
        dict of `METRICS` name to `Score`.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(train), size=(len(images), images.shape[-1]))
    drawn = mode_counts(np.moveaxis(images, -1, 1)[..., np.newaxis], classifier)
    real = mode_counts(train[chosen], classifier)
    protocol = Protocol.among(len(images), seed).by_classifier(classifier)
    resampled = rng.multinomial(len(images), drawn / len(images), size=NUM_REPLICATES)
    value, floor = (float(divergence_from_uniform(counts)) for counts in (drawn, real))
    return {
        "modes": Score(float(num_modes(drawn)), None, float(num_modes(real)), protocol),
        "mode_divergence": make_score(
            "mode_divergence", value, divergence_from_uniform(resampled), floor, protocol
        ),
    }


def mode_counts(stacks, classifier):
    """How many stacks there are of each mode, (K^C,) ints, from (N, C, H, W, 1) uint8."""
    num, num_channels, *shape = stacks.shape
    classified = classifier(np.ascontiguousarray(stacks).reshape(num * num_channels, *shape))
    num_classes = classified.probabilities.shape[1]
    modes = modes_of(classified.classes.reshape(num, num_channels), num_classes)
    return np.bincount(modes, minlength=num_classes**num_channels)
