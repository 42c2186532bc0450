"""The path between two test digits through the latent space of a VAE."""

import numpy as np

from training_run.errors import UserError
from training_run.pictures.captions import label_captions
from training_run.pictures.interpolation import latents_between, rows_by_label, write_strip
from training_run.step.sampling import class_number
from vae_mnist.trained import labels_at

NUM_FRAMES = 11
"""Images in the strip that a run ends with."""


def choose_ends(data, seed, first=(None, None), last=(None, None)):
    """Indices of the two test digits to go between.

    Args:
        data: `ImageData`.
        seed: of a random order of the test digits, of which the first match and the last are taken.
        first, last: (index, class) of each end, the class by its name or number as text; None for
            any.

    Raises:
        UserError: if no digit matches.
    """
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    return [
        matching_digits(data, order, *first)[0],
        matching_digits(data, order, *last)[-1],
    ]


def matching_digits(data, order, index, label):
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
    labels = data.y_test
    if labels is None:
        raise UserError(
            "--from-class, --to-class: expected a run whose data have labels, received one without"
        )
    number = class_number("--from-class, --to-class", label, data.num_classes, data.class_names)
    found = order[labels[order] == number]
    if not len(found):
        classes = ", ".join(label_captions(np.unique(labels), data.class_names))
        raise UserError(
            f"--from-class, --to-class: expected a class of the test digits ({classes}), "
            f"received {label}"
        )
    return found


def rows_by_class(vae, labels, class_names=None):
    """A path is drawn in one row, by a conditional VAE in one row per class of its ends.

    Args:
        vae: a `VAE`.
        labels: (2,) int32 of the ends, or None if the data have no labels.
        class_names: of the labels; None where they have none.

    Returns:
        A function of z (n, latent_dim) giving (rows, n, H, W, C) float; captions of the rows.
    """
    if not vae.is_conditional:
        return rows_by_label(vae.sample), ()
    classes = list(dict.fromkeys(labels.tolist()))
    return rows_by_label(vae.sample, classes), [
        f"as {caption}" for caption in label_captions(classes, class_names)
    ]


def write_run_strip(path, vae, data, seed):
    """Write a strip as a PNG: from the posterior mean of one test digit to that of another."""
    chosen = choose_ends(data, seed)
    labels = labels_at(data, chosen)
    draw, captions = rows_by_class(vae, labels, data.class_names)
    z_mean, _ = vae.posterior(data.x_test[chosen], labels)
    write_strip(path, draw(latents_between(*z_mean, NUM_FRAMES)), vae.value_range, captions)
