"""Exact intervals of a share of independent images."""

import numpy as np
from scipy.special import betaincinv


def exact_interval(num_hits, num_images, confidence=0.95):
    """The interval of a probability, from how often it came true: Clopper and Pearson's.

    It covers at least `confidence`, also where there are no hits: none of 2,000 images gives 0 to
    0.0018.

    Args:
        num_hits: k, 0 to n; an int or an array.
        num_images: n, at least 1.
        confidence: the least probability that the interval holds the true one.

    Returns:
        (low, high), floats or arrays.

    Source: Clopper & Pearson 1934, Biometrika 26.
    """
    k, n, tail = np.asarray(num_hits, float), num_images, (1 - confidence) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return low[()], high[()]
