"""Shows blocks of LaTeX, ```math as on GitHub, as MathML: browsers draw it without a script."""

from latex2mathml.converter import convert


def on_config(config):
    """Teach the code fences the language `math`."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": to_mathml}]


def to_mathml(source, *_, **__):
    """A formula in a line of its own."""
    return convert(source, display="block")
