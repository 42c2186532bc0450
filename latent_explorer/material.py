"""What the page shows of a run beside its networks: codes, directions, real images, the prior."""

import numpy as np

from latent_explorer.quantise import ByteStore

NUM_CODES = 1000
"""Test images whose codes are points of the plane."""

NUM_DIRECTIONS = 8
"""Principal directions of the latent space."""

IMAGE_BYTES = 250_000
"""Bytes of training images, at most: some 300 digits."""

NUM_TEST = 20
"""Test images that can be reconstructed by a click."""

NUM_LATENTS = 4096
"""Latents from which a generator's directions are found."""


def principal_directions(codes):
    """The orthogonal directions in which codes vary most, by singular values of the centred codes.

    Args:
        codes: (N, d) float.

    Returns:
        (k, d) float32 of unit length, k at most `NUM_DIRECTIONS`, the widest first.
    """
    _, _, directions = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)
    return _with_fixed_signs(directions[:NUM_DIRECTIONS])


def pixel_directions(latents, images):
    """The orthogonal directions in z that change a generator's images most.

    z is distributed alike in all directions, so it has no principal ones of its own. The best
    linear map from z to pixels (least squares) stretches some directions more than others; these
    are its right singular vectors.

    Args:
        latents: (N, d) float, draws of N(0, I).
        images: (N, ...) float, what the generator makes of them.

    Returns:
        (k, d) float32 as from `principal_directions`.
    """
    pixels = images.reshape(len(images), -1)
    linear, *_ = np.linalg.lstsq(latents, pixels - pixels.mean(axis=0), rcond=None)
    _, _, directions = np.linalg.svd(linear.T, full_matrices=False)
    return _with_fixed_signs(directions[:NUM_DIRECTIONS])


def _with_fixed_signs(directions):
    """The same directions; the largest entry of each is positive, so that they are the same on
    every machine."""
    largest = np.abs(directions).argmax(axis=1)[:, None]
    return (directions * np.sign(np.take_along_axis(directions, largest, 1))).astype(np.float32)


def choose_images(images, labels, num):
    """Indices of `num` images, of all classes in turn, the first ones of each.

    Args:
        images: (N, ...).
        labels: (N,) int, or None.

    Returns:
        (min(num, N),) int.
    """
    if labels is None:
        return np.arange(min(num, len(images)))
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    rank_in_class = np.empty(len(labels), int)
    rank_in_class[order] = np.arange(len(labels)) - starts
    return np.lexsort((labels, rank_in_class))[:num]


def pack_images(data, noun):
    """The training and test images of an `ImageData` that a page has: (JSON-ready dict, base64).

    Args:
        noun: what a reader calls them, "digits".
    """
    store = ByteStore()
    num = max(1, min(len(data.x_train), IMAGE_BYTES // data.x_train[0].size))
    train = choose_images(data.x_train, data.y_train, num)
    test = choose_images(data.x_test, data.y_test, NUM_TEST)
    has_labels = data.y_train is not None
    record = {
        "noun": noun,
        "train": store.add(data.x_train[train]),
        "test": store.add(data.x_test[test]),
        "trainLabels": data.y_train[train].tolist() if has_labels else None,
        "testLabels": data.y_test[test].tolist() if has_labels else None,
    }
    return record, store.base64()


def pack_prior(prior, store):
    """Append a learned `Prior` to a `ByteStore`: a JSON-ready dict.

    Cholesky factors are written row by row without their zeros: d (d + 1) / 2 numbers each.
    """
    mixture = prior.mixture
    rows, columns = np.tril_indices(mixture.means.shape[1])
    packed = {
        "temperature": prior.record.temperature,  # at which the run draws its samples
        "weights": store.add(mixture.weights),
        "means": store.add(mixture.means.astype(np.float16)),
        "cholesky": store.add(mixture.cholesky[:, rows, columns].astype(np.float16)),
    }
    if mixture.classes is not None:
        packed["classes"] = mixture.classes.tolist()
    return packed
