"""The path between two test digits through the latent space of a VAE."""

import numpy as np

from training_run.errors import UserError
from training_run.pictures.interpolation import latents_between, rows_by_label, write_strip
from vae_mnist.trained import labels_at

NUM_FRAMES = 11
"""Images in the strip that a run ends with."""


def choose_ends(data, seed, first=(None, None), last=(None, None)):
    """Indices of the two test digits to go between.

    Args:
        data: `ImageData`.
        seed: of a random order of the test digits, of which the first match and the last are taken.
        first, last: (index, class) of each end; None for any.

    Raises:
        UserError: if no digit matches.
    """
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    return [
        matching_digits(data.y_test, order, *first)[0],
        matching_digits(data.y_test, order, *last)[-1],
    ]


def matching_digits(labels, order, index, label):
    """Those of the test digits `order` that have this index or this class; None is any."""
    if index is not None:
        if not 0 <= index < len(order):
            raise UserError(
                f"--from, --to: expected the index of a test digit from 0 to {len(order) - 1}, "
                f"received {index}"
            )
        return [index]
    if label is None:
        return order
    if labels is None:
        raise UserError(
            "--from-class, --to-class: expected a run whose data have labels, received one without"
        )
    found = order[labels[order] == label]
    if not len(found):
        classes = ", ".join(str(known) for known in np.unique(labels))
        raise UserError(
            f"--from-class, --to-class: expected a class of the test digits ({classes}), "
            f"received {label}"
        )
    return found


def rows_by_class(vae, labels):
    """A path is drawn in one row, by a conditional VAE in one row per class of its ends.

    Args:
        vae: a `VAE`.
        labels: (2,) int32 of the ends, or None if the data have no labels.

    Returns:
        A function of z (n, latent_dim) giving (rows, n, H, W, C) float; captions of the rows.
    """
    if not vae.is_conditional:
        return rows_by_label(vae.sample), ()
    classes = list(dict.fromkeys(labels.tolist()))
    return rows_by_label(vae.sample, classes), [f"as {label}" for label in classes]


def write_run_strip(path, vae, data, seed):
    """Write a strip as a PNG: from the posterior mean of one test digit to that of another."""
    chosen = choose_ends(data, seed)
    labels = labels_at(data, chosen)
    draw, captions = rows_by_class(vae, labels)
    z_mean, _ = vae.posterior(data.x_test[chosen], labels)
    write_strip(path, draw(latents_between(*z_mean, NUM_FRAMES)), vae.value_range, captions)
