"""Grids of images."""

import numpy as np

from training_run.pictures.captions import add_captions
from training_run.pictures.pixels import display_scale, enlarge, save_png, to_uint8

WHITE = 255


def image_grid(images, num_columns, padding=2, *, scale=1):
    """Images side by side, row by row, with a white line between and around them.

    Args:
        images: (N, H, W, C) uint8, C = 1 or 3.
        num_columns: images in a row. Empty places of the last row are white.
        padding: width of the lines, in pixels of the result.
        scale: whole number by which each image is enlarged.

    Returns:
        (rows * (H * scale + padding) + padding, num_columns * (W * scale + padding) + padding, C)
        uint8.

    Raises:
        ValueError: `images` is empty, or has another shape or type.
    """
    images = np.asarray(images)
    _check_images(images)
    tiles = enlarge(images, scale)
    num_images, height, width, num_channels = tiles.shape
    num_rows = -(-num_images // num_columns)
    row_pitch, column_pitch = height + padding, width + padding
    shape = (num_rows * row_pitch + padding, num_columns * column_pitch + padding, num_channels)
    grid = np.full(shape, WHITE, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, num_columns)
        top, left = padding + row * row_pitch, padding + column * column_pitch
        grid[top : top + height, left : left + width] = tile
    return grid


def _check_images(images):
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise ValueError(
            "Images must be (N, H, W, C), not empty, with 1 or 3 channels. "
            f"Received: an array of shape {images.shape}"
        )
    if images.dtype != np.uint8:
        raise ValueError(f"Images must be uint8 (see to_uint8). Received: {images.dtype}")


def interleave_rows(image_sets, num_columns):
    """Order several sets of images so that a grid shows them one above the other.

    With originals and their reconstructions, each row of originals is followed by the row of
    their reconstructions. White images fill the last row of each set.

    Args:
        image_sets: sequence of uint8 arrays, each (N, H, W, C): see `to_uint8`.
        num_columns: columns of the grid that the result is meant for.

    Returns:
        (len(image_sets) * rows * num_columns, H, W, C) uint8, rows = ceil(N / num_columns).
    """
    sets = np.stack(image_sets)
    num_sets, num_images, *image_shape = sets.shape
    num_rows = -(-num_images // num_columns)
    padded = np.full((num_sets, num_rows * num_columns, *image_shape), WHITE, np.uint8)
    padded[:, :num_images] = sets
    rows = padded.reshape(num_sets, num_rows, num_columns, *image_shape)
    return rows.swapaxes(0, 1).reshape(-1, *image_shape)


def save_image_grid(
    path,
    images,
    value_range,
    num_columns,
    *,
    title=None,
    widest_title=None,
    column_captions=(),
    row_captions=(),
):
    """Write images, enlarged to be seen well, as one PNG grid, whole or not at all.

    Args:
        path: the PNG file; its folder must exist.
        images: (N, H, W, C), C = 1 or 3; floats in `value_range`, or uint8 pixels.
        value_range: (low, high) of the floats.
        num_columns: images in a row.
        title, widest_title: as for `add_captions`.
        column_captions: texts above the columns, from the left ("0%", "10%", ...).
        row_captions: texts left of the rows, from the top (names of classes, say).

    Raises:
        ValueError: pixels are not finite, or the array is not a non-empty batch of images.
    """
    pixels = to_uint8(images, value_range)
    grid = image_grid(pixels, num_columns, scale=display_scale(pixels.shape[2]))
    if title or column_captions or row_captions:
        grid = add_captions(
            grid,
            num_columns=num_columns,
            num_rows=-(-len(pixels) // num_columns),
            title=title,
            widest_title=widest_title,
            column_captions=column_captions,
            row_captions=row_captions,
        )
    save_png(path, grid)
