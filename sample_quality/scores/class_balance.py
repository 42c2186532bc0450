"""Class balance: which classes a model draws, and how evenly."""

import numpy as np

from sample_quality.numerics.binomial import exact_interval

MISSING = 0.1
"""A class with less than this part of an even share is missing: classifiers make mistakes."""


def class_shares(classes, num_classes):
    """Share of each class, (num_classes,) float64, from (N,) ints below `num_classes`."""
    return np.bincount(classes, minlength=num_classes) / len(classes)


def distance_from_uniform(shares):
    """Total variation distance of shares (..., K) from equal ones.

    It is the part of the images that would have to change class: 0 for equal shares, 1 - 1/K for
    one class only.
    """
    return 0.5 * np.abs(shares - 1 / shares.shape[-1]).sum(axis=-1)


def num_missing_classes(shares):
    """Number of classes with less than `MISSING` of an even share, from shares (..., K)."""
    return (shares < MISSING / shares.shape[-1]).sum(axis=-1)


def missing_classes_interval(classes, num_classes):
    """(low, high) numbers of missing classes, from (N,) ints below `num_classes`.

    They are the classes that are missing at all shares, and at any share, within the classes' exact
    intervals, all of which hold together with 95% (Bonferroni).
    """
    hits = np.bincount(classes, minlength=num_classes)
    lowest, highest = exact_interval(hits, len(classes), 1 - 0.05 / num_classes)
    return float(num_missing_classes(highest)), float(num_missing_classes(lowest))
