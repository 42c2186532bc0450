"""Classifier score: sure about each image, undecided about all of them together."""

import numpy as np
from scipy.special import entr


def classifier_score(probabilities, counts=None):
    """exp(mean over x of KL(p(class|x) || p(class))), the formula of the Inception Score.

    It is exp(H(mean p) - mean H(p)), H the entropy: 1 where the classifier says the same of every
    image, K at most. Over all images at once; the interval comes from the bootstrap instead of
    from ten subsets.

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
