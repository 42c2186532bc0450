"""Pictures of runs, as data URIs inside the page."""

import base64
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from gan_vs_vae.runs import grids
from gan_vs_vae.wording import duration, number, percent
from sample_quality.priors import latents_of, load_prior
from sample_quality.score_run import encodable_images, sample_images
from sample_quality.scores.contrast import contrasts
from sample_quality.scores.copies import nearest_training_images
from sample_quality.scores.sharpness import edge_sharpness
from training_run.errors import UserError
from training_run.pictures.gif import evenly_spaced
from training_run.pictures.grid import image_grid, interleave_rows
from training_run.pictures.interpolation import latents_between
from training_run.pictures.pixels import to_pillow, to_uint8
from training_run.step.batches import draw_normal, scale_images
from training_run.step.sampling import choose_labels

SCORE_COLUMN = "frechet_distance"
"""Column of log.csv with the scores of a run while it trained."""

MAX_PIXEL_ART = 32
"""Images up to this width keep every pixel. Larger ones are treated as photographs."""

MAX_WIDTH = 96
"""Maximum width of a photograph in a grid, in pixels."""

MAX_GRID_WIDTH = 800
"""Maximum width of a grid from the training, in pixels: a page has many of them."""

MAX_FRAMES = 25
NUM_STRIPS = 4
STRIP_FRAMES = 11
NUM_NEIGHBOURS = 10
NUM_IN_ORDER = 10
PADDING = 1
JPEG_QUALITY = 85


class Picture(NamedTuple):
    """A picture inside the page, as a data URI. The pixels of small images stay visible squares
    when the page enlarges them (`is_pixels`). `alt` says in numbers what is seen."""

    uri: str
    width: int
    height: int
    is_pixels: bool
    alt: str = ""


class Frame(NamedTuple):
    """A grid of samples from the training; `fraction` is its step as a share of all steps."""

    fraction: float
    caption: str
    picture: Picture


class RunPictures(NamedTuple):
    """The pictures of one run.

    Attributes:
        samples: grid of `num_samples` images.
        by_sharpness: a row of them, from the softest to the sharpest.
        neighbours: samples, and below each the nearest training image.
        nearness: what their distances are, in a sentence.
        interpolations: rows of images between two latents.
        ends: description of these latents.
        frames: list of `Frame`; empty if the run saved no grids.
    """

    samples: Picture
    num_samples: int
    by_sharpness: Picture
    neighbours: Picture
    nearness: str
    interpolations: Picture
    ends: str
    frames: list


class RealPictures(NamedTuple):
    """Real test images in the place of samples: `samples` and `by_sharpness` of `RunPictures`."""

    samples: Picture
    by_sharpness: Picture


def make_real_pictures(data, noun):
    """The `RealPictures` of an `ImageData`; `noun` is what its images are called."""
    num_columns = columns_of(data.x_test)
    images = data.x_test[: num_columns**2]
    return RealPictures(
        samples=grid_picture(images, num_columns, describe_images(images, f"real {noun}")),
        by_sharpness=sharpness_row(images, f"real {noun}"),
    )


def make_pictures(run, networks, data, seed):
    """The `RunPictures` of a run.

    Args:
        run: the `Run`.
        networks: name to loaded network: the generator or decoder, and a VAE's encoder.
        data: its `ImageData`.
        seed: seed of the latents. Sample k of every run comes from latent k.

    Raises:
        UserError: a network gives numbers that are no pixels, or images of another shape.
    """
    network = networks[run.network]
    num_columns = columns_of(data.x_train)
    num = num_columns**2
    labels = choose_labels(network, None, num)
    latents = latents_of(read_prior(run, networks))
    samples = sample_images(network, num, seed, run.settings.value_range, labels, latents)
    if samples.shape[1:] != data.x_train.shape[1:]:
        raise UserError(
            f"{run.folder.network(run.network)}: expected images of shape "
            f"{data.x_train.shape[1:]}, as those of the data set, received {samples.shape[1:]}"
        )
    strips, ends = interpolate(run, networks, data, seed, latents)
    name = f"{run.spec.noun} by {run.title}"
    neighbours, nearness = _neighbours(samples[:NUM_NEIGHBOURS], data, name)
    return RunPictures(
        samples=grid_picture(samples, num_columns, describe_images(samples, name)),
        num_samples=num,
        by_sharpness=sharpness_row(samples, name),
        neighbours=neighbours,
        nearness=nearness,
        interpolations=grid_picture(strips, STRIP_FRAMES, _describe_strips(strips, name)),
        ends=ends,
        frames=read_frames(run),
    )


def describe_images(images, name):
    """What is seen in a grid of (N, H, W, C) uint8 images, in numbers; `name` is what they are."""
    sharpness, contrast = edge_sharpness(images).mean(), contrasts(images).mean()
    return (
        f"{len(images)} {name}: an edge crosses {percent(sharpness)} of the contrast in a pixel, "
        f"the darkest and the brightest pixel are {number(contrast, 2)} apart, and "
        f"{percent(images.mean() / 255)} of white is the mean brightness"
    )


def sharpness_row(images, name):
    """A `Picture` of `NUM_IN_ORDER` of the images, evenly spaced from the softest to the
    sharpest."""
    sharpness = edge_sharpness(images)
    order = np.argsort(sharpness, kind="stable")
    chosen = order[np.linspace(0, len(images) - 1, NUM_IN_ORDER).round().astype(int)]
    softest, sharpest = percent(sharpness[chosen[0]]), percent(sharpness[chosen[-1]])
    alt = (
        f"{NUM_IN_ORDER} of {len(images)} {name}, from the softest, whose edges cross {softest} of "
        f"the contrast in a pixel, to the sharpest, {sharpest}"
    )
    return grid_picture(images[chosen], NUM_IN_ORDER, alt)


def _neighbours(samples, data, name):
    """Samples above their nearest training images: `Picture`, and a sentence on the distances."""
    distances, nearest = nearest_training_images(samples, data.x_train)
    pairs = interleave_rows([samples, data.x_train[nearest[:, 0]]], NUM_NEIGHBOURS)
    real, _ = nearest_training_images(data.x_test[: len(samples)], data.x_train)
    mean, real = number(distances.mean(), 2), number(real.mean(), 2)
    nearness = f"Mean distance to the nearest: {mean}; of as many test images: {real}."
    alt = (
        f"{len(samples)} {name} and below each the nearest training image, at distances from "
        f"{number(distances.min(), 2)} to {number(distances.max(), 2)}"
    )
    return grid_picture(pairs, NUM_NEIGHBOURS, alt), nearness


def _describe_strips(images, name):
    """What is seen in `NUM_STRIPS` strips, in numbers."""
    strips = images.reshape(NUM_STRIPS, STRIP_FRAMES, -1) / 255
    between = np.abs(np.diff(strips, axis=1)).mean()
    ends = np.abs(strips[:, -1] - strips[:, 0]).mean()
    return (
        f"{NUM_STRIPS} rows of {STRIP_FRAMES} {name}: neighbours in a row differ by "
        f"{percent(between)} of the range from black to white, its ends by {percent(ends)}"
    )


def read_prior(run, networks):
    """The learned `Prior` of a VAE's run; None for others.

    Raises:
        UserError: it belongs to other networks, or is damaged.
    """
    if run.network != "decoder":
        return None
    return load_prior(
        run.folder, {name: networks[name] for name in ("encoder", "decoder") if name in networks}
    )


def columns_of(images):
    """Columns, and rows, of a grid of such images: 10 for small images, 6 for photographs."""
    return 10 if images.shape[2] <= MAX_PIXEL_ART else 6


def grid_picture(images, num_columns, alt=""):
    """A `Picture` of (N, H, W, C) uint8 images as a grid."""
    factor = -(-images.shape[2] // MAX_WIDTH)
    smaller = [np.asarray(to_pillow(image).reduce(factor)) for image in images]
    smaller = np.stack(smaller).reshape(len(images), *smaller[0].shape[:2], -1)
    grid = image_grid(smaller, num_columns, PADDING)
    return as_picture(grid, images.shape[2] <= MAX_PIXEL_ART, alt)


def as_picture(pixels, is_pixels, alt=""):
    """A `Picture` of uint8 pixels: PNG if every pixel counts, else JPEG."""
    picture = to_pillow(pixels)
    kind, options = ("png", {}) if is_pixels else ("jpeg", {"quality": JPEG_QUALITY})
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, optimize=True, **options)
    return Picture(data_uri(buffer.getvalue(), f"image/{kind}"), *picture.size, is_pixels, alt)


def data_uri(content, kind):
    """Bytes as a data URI; `kind` is a media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def read_frames(run):
    """The run's grids from its training: list of at most `MAX_FRAMES` `Frame`s, evenly spaced."""
    return [_read_frame(run, step, path) for step, path in evenly_spaced(grids(run), MAX_FRAMES)]


def _read_frame(run, step, path):
    with Image.open(path) as picture:
        picture = picture.convert("L" if picture.mode == "L" else "RGB")
        pixels = np.asarray(picture.reduce(-(-picture.width // MAX_GRID_WIDTH)))
    seconds = run.seconds_at(step)
    time = "" if seconds is None else f" · {duration(seconds)}"
    alt = f"Grid of {run.spec.noun} by {run.title} at step {step:,}{_distance_at(run, step)}"
    return Frame(
        fraction=round(min(1.0, step / run.total_steps), 4),
        caption=f"step {step:,} of {run.total_steps:,}{time}",
        picture=as_picture(pixels, run.spec.image_shape[1] <= MAX_PIXEL_ART, alt),
    )


def _distance_at(run, step):
    """The Fréchet distance that the log has at a step, as the end of a sentence."""
    values = run.log.get(SCORE_COLUMN, np.array([]))
    found = [
        value for at, value in zip(run.log.get("step", ()), values, strict=False) if at == step
    ]
    return f", Fréchet distance {number(found[0])}" if found and np.isfinite(found[0]) else ""


def interpolate(run, networks, data, seed, latents=None):
    """Images on straight lines between two latents, `STRIP_FRAMES` for each of `NUM_STRIPS` lines.

    The ends are posterior means of two test images for a VAE with an encoder. They are random
    latents for a GAN, and for a conditional model, whose encoder needs labels.

    Returns:
        ((NUM_STRIPS * STRIP_FRAMES, H, W, C) uint8, description of the ends).
    """
    network = networks[run.network]
    labels = choose_labels(network, None, NUM_STRIPS)
    if labels is None and "encoder" in networks:
        pairs = _encode_pairs(networks["encoder"], run.settings, data, seed)
        ends = "the encodings of two test images"
    else:
        shape = (2, NUM_STRIPS, network.inputs[0].shape[-1])
        pairs = draw_normal(seed, "interpolation", 0, shape).numpy()
        if latents is not None:
            pairs = np.stack([latents(z, seed, end, labels) for end, z in enumerate(pairs)])
        ends = "two random latents" + ("" if labels is None else _rows(labels, data.class_names))
    rows = [latents_between(a, b, STRIP_FRAMES) for a, b in zip(*pairs, strict=True)]
    images = _decode(network, np.concatenate(rows), labels)
    return to_uint8(images, run.settings.value_range), ends


def _rows(labels, class_names):
    """Which class each row shows, by name where there are names."""
    if class_names is None:
        return ", one class in each row"
    return f", one class in each row: {', '.join(class_names[label] for label in labels)}"


def _encode_pairs(encoder, settings, data, seed):
    """Posterior means of pairs of test images: (2, NUM_STRIPS, latent_dim) float32."""
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    chosen = np.resize(order, 2 * NUM_STRIPS)
    # Binarisation noise depends on the position in the whole set, so it comes before the choice.
    images = encodable_images(data.x_test, settings)[chosen]
    z_mean, _ = encoder(scale_images(images, settings.value_range), training=False)
    return z_mean.numpy().reshape(2, NUM_STRIPS, -1)


def _decode(network, z, labels):
    import tensorflow as tf

    if labels is None:
        return np.asarray(network(z, training=False))
    labels = tf.constant(np.repeat(labels, STRIP_FRAMES), tf.int32)
    return np.asarray(network([tf.constant(z), labels], training=False))
