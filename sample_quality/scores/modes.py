"""Modes: how many of the combinations of classes a model of stacked images draws, and how evenly.

Each channel of a stacked image is an image of its own, which a classifier sees alone. K classes and
three channels make K^3 modes.

Sources: Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761, section 5; Lin et al. 2018 (PacGAN),
arXiv:1712.04086, section 4.2.
"""

import numpy as np


def modes_of(classes, num_classes):
    """The mode of each stacked image.

    Args:
        classes: (N, C) ints from 0 to num_classes - 1, one for each channel.
        num_classes: K.

    Returns:
        (N,) int64 from 0 to K^C - 1.
    """
    powers = num_classes ** np.arange(classes.shape[1])[::-1]
    return classes.astype(np.int64) @ powers


def num_modes(counts):
    """How many modes are drawn at least once, from (..., M) counts."""
    return (np.asarray(counts) > 0).sum(axis=-1)


def divergence_from_uniform(counts):
    """KL divergence of the samples' modes from equal shares, nats: log M for a single mode.

    About (M - 1) / (2 N) of it comes from N being finite.

    Args:
        counts: (..., M) samples of each mode.

    Returns:
        (...) float64.
    """
    shares = counts / np.sum(counts, axis=-1, keepdims=True)
    logs = np.log(np.where(shares > 0, shares * shares.shape[-1], 1.0))
    return np.sum(shares * logs, axis=-1)
