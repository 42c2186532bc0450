"""Pieces of HTML. Whatever comes from a run's files is escaped here, and only here."""

import re
from html import escape
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell of a table: a text, a smaller one below it, and whether it stands out."""

    text: str
    note: str = ""
    stands_out: bool = False


class Head(NamedTuple):
    """A head of a table's column or row: a text, a smaller one below it, and a colour or none."""

    text: str
    note: str = ""
    color: str = ""


class Group(NamedTuple):
    """Rows of a table that belong together: their title, or "", and (`Head`, cells) for each."""

    title: str
    rows: list


def text_of(text):
    """Text as HTML."""
    return escape(str(text))


def swatch(color):
    """A dot in the colour that a run has all over the page."""
    return f'<i class="swatch" style="background:{escape(color)}"></i>' if color else ""


def image(picture, alt, css_class=""):
    """An `img` of a `Picture`; `alt` says what is to be seen."""
    classes = " ".join(filter(None, [css_class, "pixels" if picture.is_pixels else ""]))
    return (
        f'<img src="{picture.uri}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(alt)}"' + (f' class="{classes}"' if classes else "") + ">"
    )


def figure(head, content, note="", attributes=""):
    """A `figure` with its title above and a note below the content, which is HTML."""
    below = f'<p class="note">{text_of(note)}</p>' if note else ""
    tag = f' <small class="tag">{text_of(head.note)}</small>' if head.note else ""
    return (
        f"<figure{attributes}><figcaption>{swatch(head.color)}<b>{text_of(head.text)}</b>{tag}"
        f"</figcaption>{content}{below}</figure>"
    )


def side_by_side(figures):
    """Figures beside each other where there is room, else one below the other."""
    columns = 2 if len(figures) in (1, 2, 4) else 3
    return f'<div class="side" style="--columns:{columns}">{"".join(figures)}</div>'


def section(anchor, title, content):
    """A part of the page; `content` is HTML."""
    return (
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">'
        f'<h2 id="{anchor}-title">{text_of(title)}</h2>{content}</section>'
    )


def paragraph(text, css_class=""):
    """A `p` of text."""
    return f'<p class="{css_class}">{text_of(text)}</p>' if css_class else f"<p>{text_of(text)}</p>"


def details(summary, content):
    """HTML that is shown on demand."""
    return f"<details><summary>{text_of(summary)}</summary>{content}</details>"


def table(caption, corner, columns, groups):
    """A table that scrolls by itself where it is too wide.

    Neighbouring cells that say the same are drawn as one.

    Args:
        caption: text above it.
        corner: head of the column of row heads.
        columns: list of `Head`.
        groups: list of `Group`; each row has a `Cell` for each column.
    """
    head = "".join(_head(column, "col") for column in columns)
    bodies = "".join(_body(group, 1 + len(columns)) for group in groups)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f'<caption>{text_of(caption)}</caption><thead><tr><th scope="col">{text_of(corner)}</th>'
        f"{head}</tr></thead>{bodies}</table></div>"
    )


def _body(group, num_columns):
    title = ""
    if group.title:
        title = (
            f'<tr class="group"><th scope="rowgroup" colspan="{num_columns}">'
            f"<span>{text_of(group.title)}</span></th></tr>"
        )
    rows = "".join(
        f"<tr>{_head(head, 'row')}{''.join(_merged(cells))}</tr>" for head, cells in group.rows
    )
    return f"<tbody>{title}{rows}</tbody>"


def _head(head, scope):
    return f'<th scope="{scope}">{swatch(head.color)}{text_of(head.text)}{_small(head.note)}</th>'


def _breakable(text):
    """A name, or a dotted key, that may go on in the next line where a word of it ends."""
    return re.sub(r"(?<=[._-])(?=\w)", "<wbr>", text_of(text))


def _merged(cells):
    """Cells as HTML; all of a row are one if they are equal texts without notes."""
    if len(cells) > 1 and len(set(cells)) == 1 and not cells[0].note:
        yield f'<td colspan="{len(cells)}">{text_of(cells[0].text)}</td>'
        return
    for cell in cells:
        text = text_of(cell.text)
        text = f"<strong>{text}</strong>" if cell.stands_out else text
        yield f"<td>{text}{_small(cell.note)}</td>"


def _small(note):
    return f"<small>{text_of(note)}</small>" if note else ""
