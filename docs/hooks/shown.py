"""How formulas and pieces of code are shown.

A block of LaTeX, ```math as on GitHub, becomes MathML, which browsers draw without a script. The
source code of a method is open, not folded.
"""

from latex2mathml.converter import convert


def on_config(config):
    """Teach the code fences the language `math`."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": to_mathml}]


def to_mathml(source, *_, **__):
    """A formula in a line of its own."""
    return convert(source, display="block")


def on_page_content(html, **_):
    """Unfold the source code."""
    return html.replace(
        '<details class="mkdocstrings-source">', '<details class="mkdocstrings-source" open>'
    )
