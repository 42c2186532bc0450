"""Which classes a model draws, and how evenly."""

import numpy as np

MISSING = 0.1
"""A class is missing below this part of an even share: a classifier's slips are no digits."""


def class_shares(classes, num_classes):
    """The share of each class.

    Args:
        classes: (N,) ints from 0 to num_classes - 1.
        num_classes: K.

    Returns:
        (K,) float64, summing to 1.
    """
    return np.bincount(classes, minlength=num_classes) / len(classes)


def distance_from_uniform(shares):
    """Total variation distance of shares (..., K) from equal ones.

    It is the part of the images that would have to change class: 0 for equal shares, 1 - 1/K for
    one class only.
    """
    return 0.5 * np.abs(shares - 1 / shares.shape[-1]).sum(axis=-1)


def num_missing(shares):
    """How many classes have less than `MISSING` of an even share; shares (..., K)."""
    return (shares < MISSING / shares.shape[-1]).sum(axis=-1)
