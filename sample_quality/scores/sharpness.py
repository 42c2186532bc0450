"""Sharpness, in two ways that fail differently: the slope of edges, and the power of fine detail.

Blur makes both smaller. Noise makes the second larger. What an image shows hardly changes the
first, but a one has less fine detail than an eight. So images are blurred where both say so.
"""

import numpy as np

from sample_quality.scores.contrast import grey_batches

FINE = 0.25
"""Cycles per pixel. A light and a dark stripe together then take 4 pixels; finer is less."""


def edge_sharpness(images):
    """Slope of each image's edges: the share of its contrast that an edge crosses in a pixel.

    With m the length of the gradient and h the image's contrast (brightest minus darkest pixel),

        sum(m^3) / (h sum(m^2)),

    the mean slope m / h of all pixels, in which a pixel counts m^2. An edge that rises evenly over
    w pixels has 1/w, however long it is and whatever its contrast. The weights m^2 keep weak noise
    from counting as an edge.

    Args:
        images: (N, H, W, C) uint8, H and W at least 2. Colours are averaged to grey.

    Returns:
        (N,) float64: 0 for an image of one colour, 1 for edges of one pixel.

    Source: ours; Marziliano et al. 2002, "A No-Reference Perceptual Blur Metric", takes the width
    of edges, found one by one, in the same sense.
    """
    return np.concatenate([_edge_sharpness(grey) for grey in grey_batches(images)])


def _edge_sharpness(grey):
    rows = np.diff(grey, axis=1)[:, :, :-1]
    columns = np.diff(grey, axis=2)[:, :-1]
    squares = rows**2 + columns**2
    weight = np.ptp(grey, axis=(1, 2)) * squares.sum(axis=(1, 2))
    return _divide((squares**1.5).sum(axis=(1, 2)), weight)


def fine_detail(images):
    """Share of each image's variance that is in fine detail, of more than `FINE` cycles per pixel.

    Args:
        images: (N, H, W, C) uint8. Colours are averaged to grey.

    Returns:
        (N,) float64: 0 for an image of one colour, about 0.8 for independent pixels.

    Source: the power spectrum, see Durall et al. 2020, arXiv:2003.01826, section 3.
    """
    return np.concatenate([_fine_detail(grey) for grey in grey_batches(images)])


def _fine_detail(grey):
    centered = grey - grey.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centered)) ** 2
    vertical, horizontal = (np.fft.fftfreq(size) for size in grey.shape[1:])
    is_fine = np.hypot(vertical[:, None], horizontal) > FINE
    return _divide(power[:, is_fine].sum(axis=1), power.sum(axis=(1, 2)))


def _divide(values, by):
    """`values / by`, 0 where both are 0."""
    return np.divide(values, by, out=np.zeros_like(values), where=by > 0)
