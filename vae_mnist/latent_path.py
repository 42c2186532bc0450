"""The way between two test digits through the latent space of a VAE."""

import numpy as np

from training_run.pictures.interpolation import latents_between, rows_by_label, write_strip
from vae_mnist.trained import labels_at

NUM_FRAMES = 11
"""Of the strip that a run ends with."""


def any_digit(order, labels):
    """All test digits may stand at this end."""
    return order


def choose_ends(data, seed, first=any_digit, last=any_digit):
    """Which two test digits to go between.

    Args:
        data: `ImageData`.
        seed: of the order from which the first and the last that fit are taken.
        first, last: functions of that order and of the labels, giving the digits that fit.

    Returns:
        Two indices.

    Raises:
        UserError: if no digit fits.
    """
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    return [first(order, data.y_test)[0], last(order, data.y_test)[-1]]


def posterior_means(vae, images, labels, seed):
    """Means of q(z|x) of images: (N, latent_dim) float32."""
    z_mean, _ = vae.posterior(images, labels)
    return z_mean.numpy()


def posterior_draws(vae, images, labels, seed):
    """A draw from each q(z|x), as source 003 has it: (N, latent_dim) float32."""
    from training_run.step.batches import draw_normal
    from vae_mnist.losses import sample_posterior

    z_mean, z_log_var = vae.posterior(images, labels)
    epsilon = draw_normal(seed, "interpolation", 0, z_mean.shape)
    return sample_posterior(z_mean, z_log_var, epsilon).numpy()


def rows_of(vae, labels):
    """What a strip shows: one row, or the way in the class of each end where the VAE has classes.

    Args:
        vae: a `VAE`.
        labels: (2,) int32, those of the ends, where the data have labels.

    Returns:
        A function z (n, latent_dim) -> (rows, n, H, W, C) float, and captions of the rows.
    """
    if not vae.is_conditional:
        return rows_by_label(vae.sample), ()
    classes = list(dict.fromkeys(labels.tolist()))
    return rows_by_label(vae.sample, classes), [f"as {label}" for label in classes]


def write_run_strip(path, vae, data, seed):
    """Write the strip that a run ends with: between the posterior means of two test digits."""
    chosen = choose_ends(data, seed)
    labels = labels_at(data, chosen)
    draw, captions = rows_of(vae, labels)
    ends = posterior_means(vae, data.x_test[chosen], labels, seed)
    write_strip(path, draw(latents_between(*ends, NUM_FRAMES)), vae.value_range, captions)
