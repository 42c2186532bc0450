"""Images between two latents: a strip (PNG), and an animation there and back (GIF).

Nothing here knows a model: images come from a function of latents.
"""

import numpy as np

from training_run.pictures.gif import write_gif
from training_run.pictures.grid import image_grid, save_image_grid
from training_run.pictures.pixels import display_scale, to_uint8

MIN_ANIMATION_FRAMES = 41
"""Least number of frames from the first latent to the second, for smooth motion."""

SECONDS_PER_FRAME = 0.05

FRAMES_AT_ENDS = 12
"""How many times the first and the last image are shown."""

ANIMATION_GREYS = 24

ANIMATION_COLUMNS = 5


def linear(a, b, t):
    """Points on the straight line between two latents.

    Args:
        a, b: (latent_dim,) float.
        t: (n,) float: 0 gives exactly a, and 1 exactly b.

    Returns:
        (n, latent_dim) float64.
    """
    t = np.asarray(t, np.float64)[:, None]
    return (1 - t) * a + t * b


def spherical(a, b, t):
    """Points on the arc between two latents (spherical linear interpolation, slerp).

    Nearly all of a normal distribution in many dimensions lies near a sphere. The straight line
    between two of its points leaves the sphere, where a generator has seen little; the arc stays
    near it.

    Args, returns: as for `linear`. Latents that are parallel, opposite or zero have no arc
    between them and get the line.

    Source: Shoemake 1985 (slerp); for latents, White 2016, arXiv:1609.04468, section 2.1.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / norms, -1, 1)) if norms else 0.0
    if np.sin(angle) < 1e-6:
        return linear(a, b, t)
    t = np.asarray(t, np.float64)[:, None]
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)


def latents_between(a, b, num_frames, path_between=linear):
    """Evenly spaced latents from a to b, both included: (num_frames, latent_dim) float32."""
    return path_between(a, b, np.linspace(0, 1, num_frames)).astype(np.float32)


def percentages(num_frames):
    """Captions "0%" to "100%"."""
    return [f"{100 * t:.0f}%" for t in np.linspace(0, 1, num_frames)]


def rows_by_label(sample, labels=None):
    """A function from latents to rows of images, one row for each label.

    Args:
        sample: function of (z, labels) that returns images.
        labels: (rows,) int32, or None for a model without classes.

    Returns:
        A function of z (n, latent_dim), giving (rows, n, H, W, C) float; one row without labels.
    """

    def draw(z):
        if labels is None:
            return np.asarray(sample(z, None))[None]
        columns = (np.full(len(z), label, np.int32) for label in labels)
        return np.stack([np.asarray(sample(z, column)) for column in columns])

    return draw


def write_interpolation(
    path, draw, ends, value_range, *, num_frames=11, path_between=linear, captions=()
):
    """Write a strip between two latents, and an animation of the same name as `.gif`.

    Args:
        path: the PNG file, a `pathlib.Path`.
        draw: function of z (n, latent_dim) that returns (rows, n, H, W, C) float: see
            `rows_by_label`.
        ends: the two latents, (latent_dim,) float each.
        value_range: (low, high) of the images.
        num_frames: images in a row of the strip.
        path_between: `linear` or `spherical`.
        captions: texts left of the rows.

    Returns:
        Path of the animation.
    """
    write_strip(path, draw(latents_between(*ends, num_frames, path_between)), value_range, captions)
    gif_path = path.with_suffix(".gif")
    z = latents_between(*ends, max(num_frames, MIN_ANIMATION_FRAMES), path_between)
    write_animation(gif_path, draw(z), value_range)
    return gif_path


def write_strip(path, rows, value_range, row_captions=()):
    """Write rows of images as a PNG, the columns labelled 0% to 100%.

    Args:
        path: the PNG file.
        rows: (rows, frames, H, W, C), floats in `value_range`.
        value_range: (low, high) of black and white.
        row_captions: texts left of the rows.
    """
    num_frames = rows.shape[1]
    save_image_grid(
        path,
        rows.reshape(-1, *rows.shape[2:]),
        value_range,
        num_frames,
        column_captions=percentages(num_frames),
        row_captions=row_captions,
    )


def write_animation(path, rows, value_range):
    """Write rows of images as a GIF that plays forwards and backwards, the rows side by side.

    Args:
        path: the GIF file.
        rows, value_range: as for `write_strip`.
    """
    images = animation_images(rows, value_range)
    frames = forwards_and_backwards(list(zip(percentages(len(images)), images, strict=True)))
    write_gif(
        path,
        frames,
        total_seconds=SECONDS_PER_FRAME * len(frames),
        hold_last_seconds=SECONDS_PER_FRAME,
        num_greys=ANIMATION_GREYS,
    )


def animation_images(rows, value_range):
    """For each frame one grid that holds its image of every row: a list of (H', W', C) uint8."""
    pixels = to_uint8(rows, value_range)
    num_columns = min(len(rows), ANIMATION_COLUMNS)
    scale = display_scale(pixels.shape[3])
    return [image_grid(frame, num_columns, scale=scale) for frame in pixels.swapaxes(0, 1)]


def forwards_and_backwards(frames):
    """Frames of an endless loop from the first to the last and back, with a stay at both.

    Args:
        frames: a list of two or more.
    """
    first, *between, last = frames
    return [first] * FRAMES_AT_ENDS + between + [last] * FRAMES_AT_ENDS + between[::-1]
