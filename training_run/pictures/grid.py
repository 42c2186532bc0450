"""Grids of images."""

import numpy as np

from training_run.pictures.captions import add_captions
from training_run.pictures.pixels import (
    PAPER,
    _check_images,
    display_scale,
    enlarge,
    save_png,
    to_uint8,
)


def image_grid(images, num_columns, padding=2, *, scale=1, background=PAPER):
    """Images side by side, row by row, with a line of background between and around them.

    Args:
        images: (N, H, W, C) uint8, C = 1 or 3.
        num_columns: images in a row. The last row, or the only one, may be partly filled:
            the rest is background.
        padding: width of the lines, in pixels of the result.
        scale: whole number by which each image is enlarged.
        background: grey level of the lines, 0..255.

    Returns:
        (rows * (H * scale + padding) + padding, num_columns * (W * scale + padding) + padding, C)
        uint8.

    Raises:
        ValueError: the images are none, not of rank 4, not uint8, or not grey or colour.
    """
    images = np.asarray(images)
    _check_images(images)
    if num_columns < 1:
        raise ValueError(f"num_columns must be at least 1. Received: {num_columns}")
    tiles = enlarge(images, scale)
    num_images, height, width, num_channels = tiles.shape
    num_rows = -(-num_images // num_columns)
    row_pitch, column_pitch = height + padding, width + padding
    shape = (num_rows * row_pitch + padding, num_columns * column_pitch + padding, num_channels)
    grid = np.full(shape, background, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, num_columns)
        top, left = padding + row * row_pitch, padding + column * column_pitch
        grid[top : top + height, left : left + width] = tile
    return grid


def interleave_rows(image_sets, num_columns):
    """Order several sets of images so that a grid shows them one above the other.

    With originals and their reconstructions, each row of originals is followed by the row of
    their reconstructions. Where the last images do not fill a row, blank (white) ones do, so
    that the sets stay aligned.

    Args:
        image_sets: sequence of uint8 arrays, each (N, H, W, C): see `to_uint8`.
        num_columns: columns of the grid that the result is meant for.

    Returns:
        (len(image_sets) * rows * num_columns, H, W, C) uint8, rows = ceil(N / num_columns).
    """
    sets = [np.asarray(images) for images in image_sets]
    if not sets or any(images.shape != sets[0].shape for images in sets):
        shapes = [images.shape for images in sets]
        raise ValueError(f"The sets of images must have one shape. Received: {shapes}")
    for images in sets:
        _check_images(images)
    num_images, *image_shape = sets[0].shape
    num_rows = -(-num_images // num_columns)
    padded = np.full((len(sets), num_rows * num_columns, *image_shape), PAPER, np.uint8)
    padded[:, :num_images] = sets
    rows = padded.reshape(len(sets), num_rows, num_columns, *image_shape)
    return rows.swapaxes(0, 1).reshape(-1, *image_shape)


def save_image_grid(
    path,
    images,
    value_range,
    num_columns,
    *,
    padding=2,
    scale=None,
    title=None,
    column_captions=(),
    row_captions=(),
):
    """Write images as one PNG grid, whole or not at all.

    Args:
        path: the PNG file; its folder must exist.
        images: (N, H, W, C), C = 1 or 3; floats in `value_range`, or uint8 pixels.
        value_range: (low, high) of the floats.
        num_columns: images in a row; the last row may be partly filled.
        padding: pixels between images and around them.
        scale: whole number by which images are enlarged. Default: the smallest that makes
            an image `MIN_IMAGE_WIDTH` pixels wide, so that digits can be seen.
        title: a line above the grid.
        column_captions: texts above the columns, from the left ("0%", "10%", ...).
        row_captions: texts left of the rows, from the top (names of classes, say).

    Raises:
        ValueError: pixels are not finite, or the array is not a non-empty batch of images, or
            there are more captions than columns or rows.
    """
    pixels = to_uint8(images, value_range)
    _check_images(pixels)
    scale = scale or display_scale(pixels.shape[2])
    grid = image_grid(pixels, num_columns, padding, scale=scale)
    if title or column_captions or row_captions:
        grid = add_captions(
            grid,
            num_columns=num_columns,
            num_rows=-(-len(pixels) // num_columns),
            padding=padding,
            title=title,
            column_captions=column_captions,
            row_captions=row_captions,
        )
    save_png(path, grid)
