"""The latent plane of a VAE with two latent dimensions, as a picture.

On the left what the decoder makes of the plane, on the right where the encoder puts test images.
"""

import numpy as np

from training_run.pictures.curves import PALE_TEXT, TEXT
from training_run.step.sampling import choose_labels

NUM = 20
"""Images along each side of the decoded plane, unless another number is asked for."""

BATCH = 1000

# Paul Tol's "muted" scheme, which colour-blind readers can tell apart, and a dark grey; digits that
# lie beside each other (3, 5, 8 and 4, 7, 9) get colours that are far from each other.
COLORS = (
    "#88CCEE", "#DDCC77", "#117733", "#CC6677", "#332288",
    "#999933", "#AA4499", "#882255", "#555555", "#44AA99",
)  # fmt: skip

DPI = 160
MIN_SIDE = 1000  # pixels of the decoded plane
LEFT, BETWEEN, RIGHT, TOP, BOTTOM = 90, 130, 130, 70, 90  # pixels around the two panels
TICKS = (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)


def write_manifold(path, vae, data, seed=0, num=NUM, label=None):
    """Write the decoded plane and the posterior means of the test images as a PNG.

    Args:
        path: the PNG file.
        vae: a `VAE` with two latent dimensions.
        data: `ImageData`.
        seed: of the order in which points are drawn, so that no class covers another.
        num: images along each side of the plane.
        label: class to decode by a conditional VAE; None for its first.

    Raises:
        UserError: for a label that the VAE does not know.
    """
    from training_run.files import atomic_path

    if vae.is_conditional and label is None:
        label = 0
    labels = choose_labels(vae.decoder, label, num**2)
    plane = draw_plane(vae, num, labels)
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    means = encode_means(vae, data.x_test, data.y_test)[order]
    classes = None if data.y_test is None else data.y_test[order]
    title = "" if label is None else f", as class {label}"
    figure = draw_figure(plane, means, classes, plane_latents(num).max(), title)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def plane_latents(num):
    """Latents at the quantiles of the prior, in the order of an image: from the top left on.

    Between neighbours lies the same share of the prior in either direction, so each image stands
    for as much of it as any other: its inverse distribution function at (k + 1/2) / num.

    Returns:
        (num * num, 2) float32; the first dimension grows to the right, the second upwards.
    """
    from scipy.special import ndtri

    quantiles = ndtri((np.arange(num) + 0.5) / num)
    z1, z2 = np.meshgrid(quantiles, quantiles[::-1])
    return np.stack([z1.ravel(), z2.ravel()], axis=1).astype(np.float32)


def draw_plane(vae, num, labels=None):
    """The decoded plane: (H', W', C) uint8, images edge to edge."""
    from training_run.pictures.grid import image_grid
    from training_run.pictures.pixels import display_scale, to_uint8

    images = to_uint8(np.asarray(vae.sample(plane_latents(num), labels)), vae.value_range)
    scale = display_scale(num * images.shape[2], MIN_SIDE)
    return image_grid(images, num, padding=0, scale=scale)


def encode_means(vae, images, labels=None):
    """Means of q(z|x): (N, latent_dim) float32, a batch of images at a time."""
    means = []
    for start in range(0, len(images), BATCH):
        part = slice(start, start + BATCH)
        z_mean, _ = vae.posterior(images[part], None if labels is None else labels[part])
        means.append(z_mean.numpy())
    return np.concatenate(means)


def draw_figure(plane, means, classes, reach, title):
    """The matplotlib figure of both panels.

    Args:
        plane: (H, W, C) uint8; shown pixel by pixel.
        means: (N, 2) float, posterior means.
        classes: (N,) int32, or None.
        reach: largest latent of the plane in either dimension.
        title: what to add to the title of the plane.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = plane.shape[:2]
    size = (LEFT + width + BETWEEN + height + RIGHT, TOP + height + BOTTOM)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)

    def panel(left, panel_width):
        return figure.add_axes(
            (left / size[0], BOTTOM / size[1], panel_width / size[0], height / size[1])
        )

    _draw_plane(panel(LEFT, width), plane, f"decoded at the quantiles of the prior{title}")
    means_panel = panel(LEFT + width + BETWEEN, height)
    _draw_means(means_panel, means, classes)
    _draw_square(means_panel, reach)
    return figure


def _draw_plane(axes, plane, title):
    """Shown over the share of the prior below each point, with ticks at round values of z."""
    from scipy.special import ndtr

    pixels = plane if plane.shape[2] == 3 else np.repeat(plane, 3, axis=2)
    axes.imshow(pixels, extent=(0, 1, 0, 1), interpolation="none", aspect="auto")
    names = [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in TICKS]
    axes.set_xticks(ndtr(TICKS), names)
    axes.set_yticks(ndtr(TICKS), names)
    _style(axes, title)


def _draw_means(axes, means, classes):
    """One dot an image; where there are classes, in their colours."""
    low, high = np.minimum(means.min(axis=0), -2), np.maximum(means.max(axis=0), 2)
    middle, reach = (low + high) / 2, 0.53 * max(high - low)
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    _style(axes, f"posterior means of {len(means):,} test images; dashed: the part decoded")
    size = np.clip(60_000 / len(means), 6, 40)
    colors = COLORS[0] if classes is None else np.array(COLORS)[classes % len(COLORS)]
    axes.scatter(*means.T, s=size, c=colors, alpha=0.7, linewidths=0)
    if classes is not None:
        _name_classes(axes, means, classes)


def _name_classes(axes, means, classes):
    """Each class's number in the midst of its dots and, of up to ten, a legend."""
    from matplotlib.patheffects import withStroke

    names = np.unique(classes)
    for name in names:
        axes.text(
            *np.median(means[classes == name], axis=0),
            str(name),
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold",
            color=TEXT,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    if len(names) <= len(COLORS):
        _draw_legend(axes, names)


def _draw_square(axes, reach):
    """Where the plane on the left lies among the dots."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (-reach, -reach), 2 * reach, 2 * reach, fill=False, edgecolor=TEXT, linestyle="--"
        )
    )


def _draw_legend(axes, names):
    """The classes beside the axes, as dots large enough to tell their colours."""
    from matplotlib.lines import Line2D

    dots = [
        Line2D([], [], marker="o", linestyle="", markersize=8, color=COLORS[name % len(COLORS)])
        for name in names
    ]
    axes.legend(
        dots,
        [str(name) for name in names],
        title="class",
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        handletextpad=0.2,
        labelspacing=0.7,
    )


def _style(axes, title):
    axes.set_title(title, loc="left", fontsize=10, color=TEXT)
    axes.set_xlabel("z₁", color=PALE_TEXT, fontsize=9)
    axes.set_ylabel("z₂", color=PALE_TEXT, fontsize=9, rotation=0)
    axes.tick_params(colors=PALE_TEXT, labelsize=8.5, length=3)
    axes.spines[:].set_color("#c4c4c4")
