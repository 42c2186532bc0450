"""Copies of training images, and copies among the samples. Pixels are compared, not features."""

import math

import numpy as np

from sample_quality.numerics.distances import flat, nearest_neighbours, nearest_others

MEMORIZED_RATIO = 1 / 3
"""Nearest to second nearest distance below which an image counts as memorised."""

SAME_TO_THE_EYE = 0.02
"""Root mean square difference of pixels in [0, 1]: five grey levels."""


def nearest_training_images(images, train, num_neighbours=1):
    """The training images nearest to each sample.

    Args:
        images: (N, H, W, C) uint8.
        train: (T, H, W, C) uint8.
        num_neighbours: k.

    Returns:
        (distances (N, k) float64, Euclidean, of pixels in [0, 1]; indices (N, k) int64).
    """
    squares, indices = nearest_neighbours(flat(images), flat(train), num_neighbours)
    return np.sqrt(squares.astype(np.float64)) / 255, indices


def is_memorized(images, train):
    """True for each image that is a copy of a training image.

    It is three times nearer to one training image than to the second nearest (a blurred or typical
    image is near to many), or it looks the same as one.

    Args:
        images: (N, H, W, C) uint8.
        train: (T, H, W, C) uint8, T at least 2.

    Returns:
        (N,) bool.

    Source: Yoon et al. 2023, "Diffusion Probabilistic Models Generalize when They Fail to
    Memorize"; Gu et al. 2023, arXiv:2310.02664, equation 4.
    """
    distances, _ = nearest_training_images(images, train, 2)
    by_ratio = distances[:, 0] < MEMORIZED_RATIO * distances[:, 1]
    return by_ratio | (distances[:, 0] <= _same_distance(images))


def is_duplicated(images):
    """True for each of (N, H, W, C) uint8 images that looks the same as another; (N,) bool."""
    squares, _ = nearest_others(flat(images), 1)
    return np.sqrt(squares[:, 0].astype(np.float64)) / 255 <= _same_distance(images)


def _same_distance(images):
    """`SAME_TO_THE_EYE` as a Euclidean distance of whole images."""
    return SAME_TO_THE_EYE * math.sqrt(flat(images).shape[1])
