"""Intervals by resampling the images that a score was computed from."""

import numpy as np

NORMAL_95 = 1.959964
"""Standard deviations on either side of the mean that hold 95% of a normal distribution."""


def resample_counts(rng, num_images, num_replicates):
    """How often each image is drawn, for several samples drawn with replacement.

    Args:
        rng: a numpy random generator.
        num_images: N; each sample has that size.
        num_replicates: B.

    Returns:
        (B, N) int64; each row sums to N.
    """
    draws = rng.integers(num_images, size=(num_replicates, num_images))
    return np.stack([np.bincount(draw, minlength=num_images) for draw in draws])


def bootstrap_interval(value, replicates, limits=(-np.inf, np.inf)):
    """A 95% interval: the value plus and minus 1.96 standard deviations of the replicates.

    Percentiles would be biased: images that are drawn twice make a sample less diverse. That
    shifts the replicates of distances upwards and hardly changes their spread.

    Args:
        value: the score.
        replicates: (B,) scores of resampled images, B at least 2.
        limits: (lowest, highest) possible score; the interval is cut there.

    Returns:
        (low, high) floats.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3.
    """
    return symmetric_interval(value, NORMAL_95 * float(np.std(replicates, ddof=1)), limits)


def symmetric_interval(value, margin, limits):
    """(low, high): the value plus and minus a margin, cut at the limits."""
    low, high = limits
    return max(low, value - margin), min(high, value + margin)
