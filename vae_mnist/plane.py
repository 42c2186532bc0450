"""The latent plane of a VAE with two latent dimensions, as a picture.

The left panel shows the plane decoded, the right panel where the encoder puts test images.
"""

from functools import partial

import numpy as np

from sample_quality.priors import NORMAL
from training_run.files import atomic_path
from training_run.pictures.captions import label_captions
from training_run.pictures.curves import PALE_TEXT, TEXT
from training_run.pictures.grid import image_grid
from training_run.pictures.pixels import display_scale, to_uint8
from training_run.step.sampling import choose_labels

NUM = 20
"""Images along each side of the decoded plane, by default."""

# Paul Tol's "muted" scheme, which colour-blind readers can tell apart, and a dark grey. Digits that
# lie beside each other (3, 5, 8 and 4, 7, 9) get colours that differ much.
COLORS = (
    "#88CCEE", "#DDCC77", "#117733", "#CC6677", "#332288",
    "#999933", "#AA4499", "#882255", "#555555", "#44AA99",
)  # fmt: skip

DPI = 160
NUM_CONTOUR_POINTS = 200  # along each side
MIN_SIDE = 1000  # pixels of the decoded plane
LEFT, BETWEEN, RIGHT, TOP, BOTTOM = 90, 130, 130, 70, 90  # pixels around the two panels
TICKS = (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)


def write_manifold(path, vae, data, seed=0, num=NUM, label=None):
    """Write the decoded plane and the posterior means of the test images as a PNG.

    A learned prior of the VAE adds lines of equal density.

    Args:
        path: the PNG file.
        vae: a `VAE` with two latent dimensions.
        data: `ImageData`.
        seed: of the order in which points are drawn, so that no class covers another.
        num: images along each side of the plane.
        label: class to decode by a conditional VAE, its name or number as text; None for its
            first.

    Raises:
        UserError: for a label that the VAE does not know.
    """
    if vae.is_conditional and label is None:
        label = "0"
    z = plane_latents(num)
    labels = choose_labels(vae.decoder, label, len(z), data.class_names)
    plane = draw_plane(np.asarray(vae.sample(z, labels)), num)
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    means = vae.posterior(data.x_test, data.y_test)[0][order]
    classes = None if data.y_test is None else data.y_test[order]
    title = f"decoded at the quantiles of {'the prior' if vae.prior is None else NORMAL}"
    if label is not None:
        title += f", as class {label_captions(labels[:1], data.class_names)[0]}"
    log_density = None
    if vae.prior is not None:
        given = None if label is None else np.full(NUM_CONTOUR_POINTS**2, labels[0])
        log_density = partial(vae.prior.mixture.log_density, labels=given)
    figure = draw_figure(plane, means, classes, z.max(), title, log_density)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})


def plane_latents(num):
    """Latents at the quantiles (k + 1/2) / num of the prior, k = 0 .. num - 1, in each dimension.

    Neighbours are separated by equal shares of the prior, so each image stands for the same share.

    Returns:
        (num * num, 2) float32, row by row from the top left. The first dimension grows to the
        right, the second upwards.
    """
    from scipy.special import ndtri

    quantiles = ndtri((np.arange(num) + 0.5) / num)
    z1, z2 = np.meshgrid(quantiles, quantiles[::-1])
    return np.stack([z1.ravel(), z2.ravel()], axis=1).astype(np.float32)


def draw_plane(images, num):
    """(num * num, H, W, C) images in [0, 1], edge to edge: (H', W', C) uint8."""
    scale = display_scale(num * images.shape[2], MIN_SIDE)
    return image_grid(to_uint8(images, (0, 1)), num, padding=0, scale=scale)


def draw_figure(plane, means, classes, reach, title, log_density=None):
    """The matplotlib figure of both panels.

    Args:
        plane: (H, W, C) uint8, shown at its own size.
        means: (N, 2) float, posterior means.
        classes: (N,) int32, or None.
        reach: largest latent of the plane in each dimension.
        title: of the plane.
        log_density: function of z (n, 2) giving (n,), drawn as contours over the means; or None.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = plane.shape[:2]
    size = (LEFT + width + BETWEEN + height + RIGHT, TOP + height + BOTTOM)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)

    def add_panel(left, panel_width):
        return figure.add_axes(
            (left / size[0], BOTTOM / size[1], panel_width / size[0], height / size[1])
        )

    _show_plane(add_panel(LEFT, width), plane, title)
    axes = add_panel(LEFT + width + BETWEEN, height)
    _scatter_means(axes, means, classes, reach)
    if log_density is not None:
        _draw_contours(axes, log_density)
    return figure


def _show_plane(axes, plane, title):
    """The axes are shares of the prior; their ticks are at round values of z."""
    from scipy.special import ndtr

    pixels = plane if plane.shape[2] == 3 else np.repeat(plane, 3, axis=2)
    axes.imshow(pixels, extent=(0, 1, 0, 1), interpolation="none", aspect="auto")
    names = [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in TICKS]
    axes.set_xticks(ndtr(TICKS), names)
    axes.set_yticks(ndtr(TICKS), names)
    _style(axes, title)


def _scatter_means(axes, means, classes, reach):
    """One dot per image, coloured by class, and a dashed square around the decoded part."""
    from matplotlib.patches import Rectangle

    low, high = np.minimum(means.min(axis=0), -2), np.maximum(means.max(axis=0), 2)
    middle, half_side = (low + high) / 2, 0.53 * max(high - low)
    axes.set_xlim(middle[0] - half_side, middle[0] + half_side)
    axes.set_ylim(middle[1] - half_side, middle[1] + half_side)
    _style(axes, f"posterior means of {len(means):,} test images; dashed: the part decoded")
    size = np.clip(60_000 / len(means), 6, 40)
    colors = COLORS[0] if classes is None else np.array(COLORS)[classes % len(COLORS)]
    axes.scatter(*means.T, s=size, c=colors, alpha=0.7, linewidths=0)
    if classes is not None:
        _name_classes(axes, means, classes)
    side = 2 * reach
    axes.add_patch(
        Rectangle((-reach, -reach), side, side, fill=False, edgecolor=TEXT, linestyle="--")
    )


def _draw_contours(axes, log_density):
    """Lines of equal density, each at a tenth, a hundredth ... of the largest on the axes."""
    z1, z2 = np.meshgrid(
        *(np.linspace(*limits, NUM_CONTOUR_POINTS) for limits in (axes.get_xlim(), axes.get_ylim()))
    )
    z = np.stack([z1.ravel(), z2.ravel()], axis=1).astype(np.float32)
    values = log_density(z).reshape(z1.shape) / np.log(10)
    levels = values.max() - np.array([3, 2, 1])
    axes.contour(z1, z2, values, levels, colors=TEXT, linewidths=0.7, linestyles="-")
    axes.set_title(
        f"{axes.get_title(loc='left')}; lines: density of the learned prior",
        loc="left",
        fontsize=10,
        color=TEXT,
    )


def _name_classes(axes, means, classes):
    """Each class's number at the median of its dots, and a legend."""
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
    add_legend(axes, names)


def add_legend(axes, names):
    """A legend of up to ten classes, right of the axes."""
    from matplotlib.lines import Line2D

    if len(names) > len(COLORS):
        return
    dot = {"marker": "o", "linestyle": "", "markersize": 8}
    axes.legend(
        [Line2D([], [], color=COLORS[name % len(COLORS)], **dot) for name in names],
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
