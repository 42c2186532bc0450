"""Text around images: titles and captions in Pillow's own scalable font, dark grey on white."""

import functools
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training_run.pictures.pixels import to_pillow

BACKGROUND, TEXT_COLOR = "white", "#2d2d2d"

MARGIN = 10

MIN_FONT_SIZE, MAX_FONT_SIZE = 14, 26

SMALLEST_FITTED_FONT_SIZE = 9

LONGEST_NAME = 20
"""Characters of a class's name in a caption."""


def add_captions(
    grid,
    *,
    num_columns,
    num_rows,
    padding=2,
    title=None,
    widest_title=None,
    column_captions=(),
    row_captions=(),
):
    """Write a title, and captions of columns and rows, around a grid.

    Captions that do not fit get a smaller font, down to `SMALLEST_FITTED_FONT_SIZE`.

    Args:
        grid: (H, W, C) uint8 from `image_grid` with the same `padding`.
        num_columns, num_rows: cells of the grid.
        title: a line above the grid.
        widest_title: the picture is wide enough for this one, too; so pictures with other titles
            get one size.
        column_captions, row_captions: as for `save_image_grid`.

    Returns:
        (H', W', C) uint8, larger than the grid by margins and text.
    """
    height, width = grid.shape[:2]
    row_pitch = (height - padding) / num_rows
    column_pitch = (width - padding) / num_columns
    title_font = _font(_font_size(width))
    row_font = _fitting_font(row_captions, width, row_pitch)
    column_font = _fitting_font(column_captions, column_pitch - 4, row_pitch)

    left = MARGIN + _text_width(row_captions, row_font) + (MARGIN if row_captions else 0)
    title_height = _line_height(title_font) + MARGIN // 2 if title else 0
    top = MARGIN + title_height + (_line_height(column_font) if column_captions else 0)
    title_width = _text_width([each for each in (title, widest_title) if each], title_font)
    picture = to_pillow(grid)
    size = (left + max(width, title_width) + MARGIN, top + height + MARGIN)
    canvas = Image.new(picture.mode, size, BACKGROUND)
    canvas.paste(picture, (left, top))

    draw = ImageDraw.Draw(canvas)
    if title:
        draw.text((left + padding, MARGIN), title, TEXT_COLOR, title_font, anchor="la")
    for column, caption in enumerate(column_captions):
        center = left + padding / 2 + (column + 0.5) * column_pitch
        draw.text((round(center), top - 3), caption, TEXT_COLOR, column_font, anchor="ms")
    for row, caption in enumerate(row_captions):
        middle = top + padding / 2 + (row + 0.5) * row_pitch
        draw.text((left - MARGIN, round(middle)), caption, TEXT_COLOR, row_font, anchor="rm")
    return np.atleast_3d(canvas)


def caption_below(image, caption, min_width):
    """An image with a caption in a white strip below it.

    Args:
        image: (H, W, 1) or (H, W, 3) uint8.
        caption: a short text, such as "step 12,400".
        min_width: the result is at least that wide, with the image in the middle; see
            `caption_width`. So images with captions of different lengths get one width.

    Returns:
        (H', max(W, min_width), C) uint8, H' > H.
    """
    picture = to_pillow(image)
    font = _font(_font_size(picture.width))
    width = max(picture.width, min_width)
    canvas = Image.new(picture.mode, (width, picture.height + round(1.9 * font.size)), BACKGROUND)
    canvas.paste(picture, ((width - picture.width) // 2, 0))
    baseline = picture.height + round(1.25 * font.size)
    ImageDraw.Draw(canvas).text((MARGIN, baseline), caption, TEXT_COLOR, font, anchor="ls")
    return np.atleast_3d(canvas)


def short_names(names):
    """Names cut to `LONGEST_NAME` characters, for captions of rows and columns."""
    return [f"{name[: LONGEST_NAME - 1]}…" if len(name) > LONGEST_NAME else name for name in names]


def label_captions(labels, class_names=None):
    """A caption for each label: the name of its class, cut as `short_names` does, or its number."""
    if class_names is None:
        return [str(label) for label in labels]
    return short_names([class_names[label] for label in labels])


def caption_width(caption, image_width):
    """Pixels that `caption_below` needs for the caption of an image of that width."""
    return _text_width([caption], _font(_font_size(image_width))) + 2 * MARGIN


@functools.cache
def _font(size):
    return ImageFont.load_default(size=size)


def _font_size(width):
    """Wide images get larger letters, since a small screen shows them smaller."""
    return min(max(width // 32, MIN_FONT_SIZE), MAX_FONT_SIZE)


def _fitting_font(texts, max_width, max_height):
    """The largest font, up to `MIN_FONT_SIZE`, in which every text fits."""
    for size in range(MIN_FONT_SIZE, SMALLEST_FITTED_FONT_SIZE, -1):
        if _text_width(texts, _font(size)) <= max_width and size <= max_height:
            return _font(size)
    return _font(SMALLEST_FITTED_FONT_SIZE)


def _text_width(texts, font):
    return max((math.ceil(font.getlength(text)) for text in texts), default=0)


def _line_height(font):
    return sum(font.getmetrics()) + 2
