"""The way from one latent to another, as a strip of pictures and as a film there and back.

Nothing here knows a model: pictures come from a function z -> images.
"""

import numpy as np

FILM_FRAMES = 41
"""Least pictures of the film's way there: finer than the strip, so that it moves smoothly."""


SECONDS_PER_FRAME = 0.05


FRAMES_AT_ENDS = 12
"""For how many frames the film stays at each end."""


FILM_GREYS = 24


FILM_COLUMNS = 5


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
    """Points on the arc between two latents, which turns from one direction into the other.

    Nearly all of a normal distribution in many dimensions lies near a sphere. The straight line
    between two of its points cuts through the inside, where a generator has seen little; the arc
    stays near the sphere.

    Args, returns: as for `linear`. Between latents without a plane of their own (parallel,
    opposite, or zero) the arc is the line.

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
    """A function from latents to rows of pictures, one row for each label.

    Args:
        sample: (z, labels) -> images; labels are None for a model without classes.
        labels: (rows,) int32, or None.

    Returns:
        A function of z (n, latent_dim), giving (rows, n, H, W, C) float; one row without labels.
    """

    def draw(z):
        if labels is None:
            return np.asarray(sample(z, None))[None]
        columns = (np.full(len(z), label, np.int32) for label in labels)
        return np.stack([np.asarray(sample(z, column)) for column in columns])

    return draw


def write_strip(path, rows, value_range, row_captions=()):
    """Write rows of pictures as a PNG, the columns labelled 0% to 100%.

    Args:
        path: the PNG file.
        rows: (rows, frames, H, W, C), floats in `value_range`.
        value_range: (low, high) of black and white.
        row_captions: texts left of the rows.
    """
    from training_run.pictures.grid import save_image_grid

    num_frames = rows.shape[1]
    save_image_grid(
        path,
        rows.reshape(-1, *rows.shape[2:]),
        value_range,
        num_frames,
        column_captions=percentages(num_frames),
        row_captions=row_captions,
    )


def write_film(path, rows, value_range):
    """Write rows of pictures as a GIF that goes there and back for ever, the rows side by side.

    Args:
        path: the GIF file.
        rows, value_range: as for `write_strip`.
    """
    from training_run.pictures.gif import write_gif

    pictures = film_pictures(rows, value_range)
    frames = there_and_back(list(zip(percentages(len(pictures)), pictures, strict=True)))
    write_gif(
        path,
        frames,
        total_seconds=SECONDS_PER_FRAME * len(frames),
        hold_last_seconds=SECONDS_PER_FRAME,
        num_greys=FILM_GREYS,
    )


def film_pictures(rows, value_range):
    """For each frame, its pictures of all rows in one: a list of (H', W', C) uint8."""
    from training_run.pictures.grid import image_grid
    from training_run.pictures.pixels import display_scale, to_uint8

    pixels = to_uint8(rows, value_range)
    num_columns = min(len(rows), FILM_COLUMNS)
    scale = display_scale(pixels.shape[3])
    return [image_grid(frame, num_columns, scale=scale) for frame in pixels.swapaxes(0, 1)]


def there_and_back(frames):
    """Frames for an endless film: it stays at the first, goes to the last, stays, and returns.

    Args:
        frames: a list of two or more.

    Returns:
        A list: after its last comes its first again.
    """
    first, *between, last = frames
    stay = FRAMES_AT_ENDS
    return [first] * stay + between + [last] * stay + between[::-1]


def write_interpolation(
    path, draw, ends, value_range, *, num_frames=11, path_between=linear, captions=()
):
    """Write a strip between two latents, and beside it the film with the same name as `.gif`.

    Args:
        path: the PNG file.
        draw: z (n, latent_dim) -> (rows, n, H, W, C) float, see `rows_by_label`.
        ends: the two latents, (latent_dim,) float each.
        value_range: (low, high) of the images.
        num_frames: pictures of the strip.
        path_between: `linear` or `spherical`.
        captions: texts left of the rows.

    Returns:
        Path of the film.
    """
    write_strip(path, draw(latents_between(*ends, num_frames, path_between)), value_range, captions)
    film = path.with_suffix(".gif")
    num_film_frames = max(num_frames, FILM_FRAMES)
    write_film(film, draw(latents_between(*ends, num_film_frames, path_between)), value_range)
    return film
