"""`prior.png`: what N(0, I) and a learned prior draw, beside the codes of real digits."""

import numpy as np

from sample_quality.priors import NORMAL, describe
from training_run.files import atomic_path
from training_run.pictures.curves import PALE_TEXT, TEXT
from vae_mnist.plane import COLORS, DPI, add_legend

NUM = 4000
"""Dots in a panel, at most."""

WIDTH, HEIGHT = 1800, 700  # pixels
UNKNOWN = "#7a8ca0"
"""Colour of dots whose class is not known: of no class."""

QUANTILE = 0.002
"""Share of the dots that may lie beyond each edge."""


def write_prior_picture(path, vae, data, seed=0):
    """Write three panels as a PNG: draws of N(0, I), of the learned prior, and of q(z|x).

    The axes are the first two principal components of the codes of test images, the same in all
    three. Dots have the colour of their class where it is known.

    Args:
        path: the PNG file.
        vae: a `VAE` with a `prior`.
        data: `ImageData`, binarised as for training.
        seed: of the draws.
    """
    from training_run.step.batches import draw_normal

    num = min(NUM, len(data.x_test))
    chosen = np.random.default_rng(seed).permutation(len(data.x_test))[:num]
    labels = None if data.y_test is None else data.y_test[chosen]
    z_mean, z_log_var = vae.posterior(data.x_test[chosen], labels)
    noise = np.asarray(draw_normal(seed, "prior_picture", 0, (2, *z_mean.shape)))
    codes = z_mean + np.exp(0.5 * z_log_var) * noise[0]
    drawn = vae.prior.from_noise(noise[1], seed, 0, labels)
    panels = [
        (f"draws of {NORMAL}", noise[1], None),
        (
            f"draws of the prior, a {describe(vae.prior)}",
            drawn,
            labels if vae.is_conditional else None,
        ),
        (f"codes of {num:,} test images", codes, labels),
    ]
    figure = draw_panels(panels, *principal_plane(codes))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def principal_plane(codes):
    """The plane that codes (n, d) vary most in: its origin (d,) and its directions (d, 2).

    A direction's largest entry is positive, so that equal codes give equal pictures. With d = 1 the
    second direction is zero.
    """
    origin = codes.mean(axis=0)
    _, _, rows = np.linalg.svd(np.cov((codes - origin).T).reshape(codes.shape[1], -1))
    directions = np.zeros((codes.shape[1], 2))
    for column, row in enumerate(rows[:2]):
        directions[:, column] = row * np.sign(row[np.argmax(np.abs(row))])
    return origin, directions


def draw_panels(panels, origin, directions):
    """The matplotlib figure: list of (title, z (n, d), classes (n,) or None) on a plane."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    projected = [(z - origin) @ directions for _, z, _ in panels]
    figure = Figure(
        figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white", layout="constrained"
    )
    FigureCanvasAgg(figure)
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True)
    low, high = np.quantile(np.concatenate(projected), [QUANTILE, 1 - QUANTILE], axis=0)
    middle, half_side = (low + high) / 2, 0.55 * max(high - low)
    for axes, (title, _, classes), dots in zip(all_axes, panels, projected, strict=True):
        colors = UNKNOWN if classes is None else np.array(COLORS)[classes % len(COLORS)]
        axes.scatter(*dots.T, s=5, c=colors, alpha=0.6, linewidths=0)
        axes.set_xlim(middle[0] - half_side, middle[0] + half_side)
        axes.set_ylim(middle[1] - half_side, middle[1] + half_side)
        axes.set_box_aspect(1)
        axes.set_title(title, loc="left", fontsize=9, color=TEXT)
        axes.set_xlabel("first principal component", color=PALE_TEXT, fontsize=8.5)
        axes.tick_params(colors=PALE_TEXT, labelsize=8, length=3)
        axes.spines[:].set_color("#c4c4c4")
    all_axes[0].set_ylabel("second principal component", color=PALE_TEXT, fontsize=8.5)
    _, _, classes = panels[-1]
    if classes is not None:
        add_legend(all_axes[-1], np.unique(classes))
    return figure
