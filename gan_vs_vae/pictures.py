"""Pictures of runs, as data that a page carries in itself."""

import base64
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from gan_vs_vae.runs import grids
from sample_quality.score_run import encodable_images, sample_images
from sample_quality.scores.copies import nearest_training_images
from training_run.errors import UserError
from training_run.pictures.gif import evenly_spaced
from training_run.pictures.grid import image_grid, interleave_rows
from training_run.pictures.interpolation import latents_between
from training_run.pictures.pixels import to_pillow, to_uint8
from training_run.step.batches import draw_normal, scale_images
from training_run.step.sampling import choose_labels

SMALL = 32
"""Images up to this width are digits, kept pixel for pixel; larger ones are photographs."""

MAX_WIDTH = 96
"""Photographs are shown no wider than this, in pixels of a grid."""

MAX_GRID_WIDTH = 800
"""Wider grids of a run's training are made smaller: there are many of them in a page."""

MAX_FRAMES = 25
NUM_STRIPS = 4
STRIP_FRAMES = 11
NUM_NEIGHBOURS = 10
PADDING = 1
JPEG_QUALITY = 85


class Picture(NamedTuple):
    """A picture inside a page.

    Attributes:
        uri: a data URI.
        width, height: pixels.
        is_pixels: whether its pixels are to be seen as squares when it is enlarged.
    """

    uri: str
    width: int
    height: int
    is_pixels: bool


class Frame(NamedTuple):
    """A grid that a run drew while it was training."""

    step: int
    fraction: float
    picture: Picture


class Drawn(NamedTuple):
    """The pictures of one run.

    Attributes:
        samples: grid of `num_samples` images.
        num_samples: how many.
        neighbours: samples, and below each the training image it resembles most.
        strips: ways between two latents.
        between: what the strips lead from and to, in words.
        frames: list of `Frame`; empty where the run has none.
    """

    samples: Picture
    num_samples: int
    neighbours: Picture
    strips: Picture
    between: str
    frames: list


def draw_run(run, networks, data, seed):
    """All pictures of a run.

    Args:
        run: the `Run`.
        networks: name -> its loaded network; the one that draws, and a VAE's encoder.
        data: its `ImageData`.
        seed: of the latents; the k-th sample of every run is of the k-th latent.

    Returns:
        `Drawn`.

    Raises:
        UserError: if a network gives numbers that are no pixels, or images of another shape.
    """
    network = networks[run.network]
    num_columns = columns_of(data.x_train)
    num = num_columns**2
    labels = choose_labels(network, None, num)
    samples = sample_images(network, num, seed, run.settings.value_range, labels)
    if samples.shape[1:] != data.x_train.shape[1:]:
        raise UserError(
            f"{run.folder.network(run.network)}: expected images of shape "
            f"{data.x_train.shape[1:]}, as those of the data set, received {samples.shape[1:]}"
        )
    _, nearest = nearest_training_images(samples[:NUM_NEIGHBOURS], data.x_train)
    pairs = [samples[:NUM_NEIGHBOURS], data.x_train[nearest[:, 0]]]
    strips, between = draw_strips(run, networks, data, seed)
    return Drawn(
        samples=grid_picture(samples, num_columns),
        num_samples=num,
        neighbours=grid_picture(interleave_rows(pairs, NUM_NEIGHBOURS), NUM_NEIGHBOURS),
        strips=grid_picture(strips, STRIP_FRAMES),
        between=between,
        frames=read_frames(run),
    )


def columns_of(images):
    """Columns, and rows, of a grid of such images: 10 of digits, 6 of what has details."""
    return 10 if images.shape[2] <= SMALL else 6


def grid_picture(images, num_columns):
    """A `Picture` of (N, H, W, C) uint8 images as a grid."""
    return as_picture(image_grid(_shrunk(images), num_columns, PADDING), images.shape[2] <= SMALL)


def _shrunk(images):
    """Photographs at most `MAX_WIDTH` wide, averaged over blocks of pixels."""
    factor = -(-images.shape[2] // MAX_WIDTH)
    if factor == 1:
        return images
    smaller = [to_pillow(image).reduce(factor) for image in images]
    return np.stack([np.asarray(one).reshape(one.height, one.width, -1) for one in smaller])


def as_picture(pixels, is_pixels):
    """A `Picture` of uint8 pixels: PNG where every pixel counts, else JPEG."""
    picture = to_pillow(pixels)
    buffer = io.BytesIO()
    if is_pixels:
        picture.save(buffer, format="PNG", optimize=True)
    else:
        picture.save(buffer, format="JPEG", quality=JPEG_QUALITY, optimize=True)
    kind = "png" if is_pixels else "jpeg"
    return Picture(data_uri(buffer.getvalue(), f"image/{kind}"), *picture.size, is_pixels)


def data_uri(content, kind):
    """Bytes as a URI that needs no network; kind is a media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def read_frames(run):
    """The run's grids while training, at most `MAX_FRAMES`, evenly spaced: list of `Frame`."""
    chosen = evenly_spaced(grids(run), MAX_FRAMES)
    last = run.total_steps or (chosen[-1][0] if chosen else 0)
    return [Frame(step, _fraction(step, last), _read_grid(path, run)) for step, path in chosen]


def _fraction(step, last):
    return min(1.0, step / last) if last else 1.0


def _read_grid(path, run):
    with Image.open(path) as picture:
        picture = picture.convert("L" if picture.mode == "L" else "RGB")
        pixels = np.asarray(picture.reduce(-(-picture.width // MAX_GRID_WIDTH)))
    return as_picture(pixels, run.spec.image_shape[1] <= SMALL)


def draw_strips(run, networks, data, seed):
    """Ways from one latent to another, each a row of `STRIP_FRAMES`.

    A VAE with an encoder goes between the posterior means of two test images; a conditional
    model, which would need their labels, and a GAN between random latents.

    Returns:
        ((NUM_STRIPS * STRIP_FRAMES, H, W, C) uint8, words for the two ends).
    """
    network = networks[run.network]
    labels = choose_labels(network, None, NUM_STRIPS)
    if labels is None and "encoder" in networks:
        ends = _encoded_ends(networks["encoder"], run.settings, data, seed)
        between = "the encodings of two test images, straight through the latent space"
    else:
        shape = (2, NUM_STRIPS, network.inputs[0].shape[-1])
        ends = draw_normal(seed, "interpolation", 0, shape).numpy()
        between = "two random latents, straight through the latent space"
        between += ", one class a row" if labels is not None else ""
    rows = [latents_between(a, b, STRIP_FRAMES) for a, b in zip(*ends, strict=True)]
    images = _decode(network, np.concatenate(rows), labels)
    return to_uint8(images, run.settings.value_range), between


def _encoded_ends(encoder, settings, data, seed):
    """Posterior means of pairs of test images: (2, NUM_STRIPS, latent_dim) float32."""
    order = np.random.default_rng(seed).permutation(len(data.x_test))
    chosen = np.resize(order, 2 * NUM_STRIPS)
    # Noise of black and white images belongs to their place in the whole set.
    images = encodable_images(data.x_test, settings)[chosen]
    z_mean, _ = encoder(scale_images(images, settings.value_range), training=False)
    return z_mean.numpy().reshape(2, NUM_STRIPS, -1)


def _decode(network, z, labels):
    if labels is None:
        return np.asarray(network(z, training=False))
    import tensorflow as tf

    of_rows = tf.constant(np.repeat(labels, STRIP_FRAMES), tf.int32)
    return np.asarray(network([tf.constant(z), of_rows], training=False))
