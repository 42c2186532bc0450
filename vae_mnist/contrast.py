"""The contrast of a decoder's images, calibrated on training images.

A decoder that is trained by squared error gives the mean of all images that a code can stand for.
Where these differ the mean is grey, so decoded images have less contrast than real ones. A factor
on the decoder's logits (a temperature, as in Guo et al. 2017, arXiv:1706.04599, section 4.2) gives
the contrast back: reconstructions then have that of the images themselves. The factor is learned
from training images alone. It belongs to a copy of the decoder that draws samples; the loss, the
bound and the reconstruction error stay those of the decoder that was trained.
"""

import numpy as np

NUM_IMAGES = 2000
"""Training images whose contrast is matched."""

GAIN_RANGE = (0.25, 4.0)
"""Smallest and largest factor."""


def contrast(images):
    """Mean of x (1 - x) over pixels: 0 for black and white images, 1/4 for grey ones.

    Args:
        images: (N, ...) float in [0, 1].
    """
    return float(np.mean(images * (1.0 - images), dtype=np.float64))


def find_gain(logits, target, iterations=30):
    """The factor g with `contrast(sigmoid(g * logits)) = target`, by bisection in the logarithm.

    Args:
        logits: (N, ...) float32 of decoded images.
        target: the contrast wanted, in (0, 1/4).
        iterations: halvings of `GAIN_RANGE`.

    Returns:
        float in `GAIN_RANGE`.
    """
    low, high = np.log(GAIN_RANGE)
    for _ in range(iterations):
        middle = (low + high) / 2
        is_grey = contrast(_sigmoid(np.exp(middle) * logits)) > target
        low, high = (middle, high) if is_grey else (low, middle)
    return float(np.exp((low + high) / 2))


def copy_with_gain(decoder, copy, gain):
    """Give a copy of a decoder its weights, those of the last layer times `gain`.

    The last layer with weights is linear and gives the logits, which thus become `gain` times as
    large.
    """
    last = next(layer for layer in reversed(copy.layers) if layer.weights)
    for weight, source in zip(copy.weights, decoder.weights, strict=True):
        scale = gain if any(weight is own for own in last.weights) else 1.0
        weight.assign(scale * source)


def _sigmoid(values):
    return 0.5 * (1.0 + np.tanh(0.5 * values))
