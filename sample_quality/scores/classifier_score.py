"""Classifier score: the Inception Score's formula with our own classifier."""

import numpy as np
from scipy.special import entr


def classifier_score(probabilities, counts=None):
    """exp(mean over x of KL(p(class|x) || p(class))).

    It equals exp(H(mean p) - mean H(p)), H the entropy: 1 where the classifier says the same of
    every image; K where it is certain of each, and all classes come equally often. It is taken
    over all images at once, not over ten subsets.

    Args:
        probabilities: (N, K), rows summing to 1.
        counts: (N,) how often each row counts; None for once.

    Returns:
        float in [1, K].

    Source: Salimans et al. 2016, arXiv:1606.03498, section 4.
    """
    probabilities = np.asarray(probabilities, np.float64)
    weights = np.ones(len(probabilities)) if counts is None else counts
    weights = weights / weights.sum()
    entropy_of_mean = entr(weights @ probabilities).sum()
    return float(np.exp(entropy_of_mean - weights @ entr(probabilities).sum(axis=1)))
