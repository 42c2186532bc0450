"""Class balance: which classes a model draws, and how evenly."""

import numpy as np

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
