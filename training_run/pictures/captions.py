"""Titles and captions around pictures."""

import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training_run.pictures.pixels import PAPER, to_pillow

INK = 45


MARGIN = 10


MIN_FONT_SIZE, MAX_FONT_SIZE = 14, 26


SMALLEST_FITTED_FONT_SIZE = 9


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
