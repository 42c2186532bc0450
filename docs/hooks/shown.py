"""How formulas and pieces of code are shown.

A block of LaTeX, ```math as on GitHub, becomes MathML, which needs no script to be drawn; so does
`#!math x^2` within a line. The source code of a method is open, not folded.
"""

import re
from functools import partial

from latex2mathml.converter import convert

SIGN = re.compile(r"(<mo[^>]*>(?:&#x0003D;|&#x00028;|\[)</mo>)<mo>&#x02212;</mo>")
"""A minus after =, ( or [: it belongs to what follows, so no space is between."""

LIMIT = re.compile(r"\\(min|max)_(\w)")
"""What a minimum is over, which the converter would write beside it."""

LOGARITHM = "<mi>log</mi>"
"""The converter leaves no space between it and a letter: log D, not logD."""

DISTRIBUTED = "<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>"
"""The sign of z ~ N: a letter, as the converter writes it, and a relation, with space around it."""


def on_config(config):
    """Teach blocks and pieces of code the language `math`."""
    for extension, key, display in (
        ("pymdownx.superfences", "custom_fences", "block"),
        ("pymdownx.inlinehilite", "custom_inline", "inline"),
    ):
        language = {"name": "math", "class": "math", "format": partial(to_mathml, display=display)}
        config.mdx_configs.setdefault(extension, {})[key] = [language]


def to_mathml(source, *_, display, **__):
    """A formula: "block" in a line of its own, "inline" within a line."""
    if display == "block":
        source = LIMIT.sub(r"\\underset{\2}{\\\1}", source)
    formula = SIGN.sub(r'\1<mo form="prefix">&#x02212;</mo>', convert(source, display=display))
    apart = f'{LOGARITHM}<mspace width="0.167em" /><mi>'
    return formula.replace(f"{LOGARITHM}<mi>", apart).replace(*DISTRIBUTED)


def on_page_content(html, **_):
    """Unfold the source code."""
    return html.replace(
        '<details class="mkdocstrings-source">', '<details class="mkdocstrings-source" open>'
    )
