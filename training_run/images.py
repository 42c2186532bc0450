"""Arrays of images as pictures on disk: grids, captions, one PNG writer for all of them.

Everything is drawn on white paper with dark grey letters in Pillow's own scalable font, so
the pictures look the same in every part of the project. Enlargement is by whole numbers and
without interpolation: a pixel of a digit stays a crisp square. The same input gives the
same bytes.
"""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training_run.files import atomic_path

PAPER = 255
INK = 45
MARGIN = 10
MIN_IMAGE_WIDTH = 56
CHANNELS = ((), (1,), (3,))  # what may follow (H, W) in the shape of a picture
MIN_FONT_SIZE, MAX_FONT_SIZE = 14, 26
SMALLEST_FITTED_FONT_SIZE = 9


def to_uint8(images, value_range):
    """Pixels from numbers in `value_range`: low becomes 0, high 255, what lies outside is clipped.

    Args:
        images: array of any shape. uint8 arrays are pixels already and come back unchanged.
        value_range: (low, high), the numbers that mean black and white.

    Returns:
        uint8 array of the same shape, rounded to the nearest level (halves to the even one).

    Raises:
        ValueError: a number is NaN or infinite, or the range is empty.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    low, high = value_range
    if not low < high:
        raise ValueError(
            f"value_range must be (low, high) with low < high. Received: {value_range}"
        )
    images = images.astype(np.float32)
    num_bad = images.size - np.count_nonzero(np.isfinite(images))
    if num_bad:
        raise ValueError(
            f"Pixels must be finite numbers. Received: {num_bad} NaN or infinite of {images.size}"
        )
    levels = (images - low) * (255.0 / (high - low))
    return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)


def display_scale(width, min_width=MIN_IMAGE_WIDTH):
    """The smallest whole number that enlarges `width` pixels to `min_width` or more."""
    return max(1, -(-min_width // width))


def enlarge(images, scale):
    """Every pixel of (N, H, W, C) images as a `scale` x `scale` square."""
    return images.repeat(scale, axis=1).repeat(scale, axis=2)


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


def save_png(path, pixels):
    """Write (H, W), (H, W, 1) or (H, W, 3) uint8 pixels as PNG, whole or not at all."""
    with atomic_path(path) as temporary:
        to_pillow(pixels).save(temporary, format="PNG")


def to_pillow(pixels):
    """Pillow's image, mode L or RGB, of (H, W), (H, W, 1) or (H, W, 3) uint8 pixels."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in CHANNELS:
        raise ValueError(
            "A picture must be uint8 of shape (H, W), (H, W, 1) or (H, W, 3). "
            f"Received: {pixels.dtype} of shape {pixels.shape}"
        )
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def add_captions(
    grid,
    *,
    num_columns,
    num_rows,
    padding=2,
    title=None,
    column_captions=(),
    row_captions=(),
):
    """Write a title, and captions of columns and rows, on paper around a grid.

    Column captions shrink, and in the end are cut short with an ellipsis, rather than run
    into each other.

    Args:
        grid: (H, W, C) uint8 from `image_grid` with the same `padding`.
        num_columns, num_rows: cells of the grid.
        title, column_captions, row_captions: as for `save_image_grid`.

    Returns:
        (H', W', C) uint8, larger than the grid by margins and text.
    """
    _check_captions(column_captions, num_columns, "columns")
    _check_captions(row_captions, num_rows, "rows")
    height, width = grid.shape[:2]
    row_pitch = (height - padding) / num_rows
    column_pitch = (width - padding) / num_columns
    title_font = _font(_font_size(width))
    row_font = _fitting_font(row_captions, width, row_pitch)
    column_font = _fitting_font(column_captions, column_pitch - 4, row_pitch)

    left = MARGIN + _text_width(row_captions, row_font) + (MARGIN if row_captions else 0)
    title_height = _line_height(title_font) + MARGIN // 2 if title else 0
    top = MARGIN + title_height + (_line_height(column_font) if column_captions else 0)
    text_width = _text_width([title] if title else [], title_font)
    canvas_width = left + max(width, text_width) + MARGIN
    canvas = _blank(canvas_width, top + height + MARGIN, grid)
    canvas.paste(to_pillow(grid), (left, top))

    draw = ImageDraw.Draw(canvas)
    ink = _ink(canvas)
    if title:
        draw.text((left + padding, MARGIN), title, ink, title_font, anchor="la")
    for column, caption in enumerate(column_captions):
        center = left + padding / 2 + (column + 0.5) * column_pitch
        text = _shortened(caption, column_font, column_pitch - 4)
        draw.text((round(center), top - 3), text, ink, column_font, anchor="ms")
    for row, caption in enumerate(row_captions):
        middle = top + padding / 2 + (row + 0.5) * row_pitch
        draw.text((left - MARGIN, round(middle)), caption, ink, row_font, anchor="rm")
    return _to_array(canvas)


def frame_with_caption(image, caption, *, min_width=0):
    """A picture with a strip of paper below it that bears a caption, at a fixed place.

    Args:
        image: (H, W), (H, W, 1) or (H, W, 3) uint8.
        caption: a short text, such as "step 12,400".
        min_width: the result is at least that wide, with the picture in the middle: for
            frames of one film whose captions differ in length.

    Returns:
        (H', W', C) uint8, H' > H, W' >= W.
    """
    picture = to_pillow(image)
    font = _font(_font_size(picture.width))
    width = max(picture.width, caption_width(caption, picture.width), min_width)
    strip_height = round(1.9 * font.size)
    canvas = _blank(width, picture.height + strip_height, np.asarray(image))
    canvas.paste(picture, ((width - picture.width) // 2, 0))
    baseline = picture.height + round(1.25 * font.size)
    draw = ImageDraw.Draw(canvas)
    draw.text((MARGIN, baseline), caption, _ink(canvas), font, anchor="ls")
    return _to_array(canvas)


def caption_width(caption, picture_width):
    """Pixels that `frame_with_caption` needs for the caption under a picture of that width."""
    return _text_width([caption], _font(_font_size(picture_width))) + 2 * MARGIN


def _check_images(images):
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Images must be (N, H, W, C) with 1 or 3 channels. "
            f"Received: an array of shape {images.shape}"
        )
    if 0 in images.shape:
        raise ValueError(f"There must be an image to show. Received: shape {images.shape}")
    if images.dtype != np.uint8:
        raise ValueError(f"Images must be uint8 (see to_uint8). Received: {images.dtype}")


def _check_captions(captions, num_cells, cells):
    if len(captions) > num_cells:
        raise ValueError(
            f"There are more captions than {cells} ({num_cells}). Received: {list(captions)}"
        )


@functools.cache
def _font(size):
    return ImageFont.load_default(size=size)


def _font_size(width):
    """Letters grow with the picture: a wide one is shown shrunk on a phone."""
    return min(max(width // 32, MIN_FONT_SIZE), MAX_FONT_SIZE)


def _fitting_font(texts, max_width, max_height):
    """The largest font up to the smallest standard one in which no text is wider than that."""
    for size in range(MIN_FONT_SIZE, SMALLEST_FITTED_FONT_SIZE, -1):
        font = _font(size)
        if _text_width(texts, font) <= max_width and size <= max_height:
            return font
    return _font(SMALLEST_FITTED_FONT_SIZE)


def _text_width(texts, font):
    return max((int(np.ceil(font.getlength(text))) for text in texts), default=0)


def _line_height(font):
    return sum(font.getmetrics()) + 2


def _shortened(text, font, max_width):
    if font.getlength(text) <= max_width:
        return text
    kept = len(text) - 1
    while kept > 1 and font.getlength(text[:kept] + "…") > max_width:
        kept -= 1
    return text[:kept] + "…"


def _blank(width, height, like):
    """Empty paper, grey or colour as the array `like` is."""
    mode = "RGB" if like.shape[2:] == (3,) else "L"
    return Image.new(mode, (width, height), (PAPER,) * 3 if mode == "RGB" else PAPER)


def _ink(canvas):
    return (INK,) * 3 if canvas.mode == "RGB" else INK


def _to_array(picture):
    array = np.asarray(picture)
    return array if array.ndim == 3 else array[..., None]
