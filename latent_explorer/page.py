"""The page: one HTML file with its styles, its scripts, its networks and their weights inside."""

import base64
import hashlib
import json
import re
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

STATIC = files("latent_explorer") / "static"

MODULES = (
    "layers", "weights", "network", "random", "vectors", "prior", "model", "picture", "store",
    "controls", "typical", "planes", "link", "pad", "latents", "stage", "critic", "walk",
    "samples", "sketch", "tour", "app",
)  # fmt: skip
"""The JavaScript modules in `static/`, each after those that it imports."""


def build_page(runs, images):
    """The HTML of a page.

    Args:
        runs: list of `latent_explorer.export.Entry`; `record["images"]` is an index of `images`.
        images: list of (record, base64) from `latent_explorer.material.pack_images`.

    Returns:
        str. The same arguments give the same text.
    """
    script, style = join_modules(MODULES), (STATIC / "page.css").read_text("utf-8")
    environment = Environment(
        loader=PackageLoader("latent_explorer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = json_for_html
    return environment.get_template("page.html").render(
        runs=runs,
        images=images,
        families={entry.record["family"] for entry in runs},
        has_judge=any(entry.record["judge"] for entry in runs),
        script=Markup(script),
        style=Markup(style),
        script_hash=csp_hash(script),
        style_hash=csp_hash(style),
    )


def join_modules(names):
    """The modules of `static/` as one script.

    A page opened from a disk may not import one script from another, so each module becomes a
    function that returns what it exports, and an import becomes a look at what was returned.
    """
    return "\n".join(["const modules = {};", *map(_as_function, names)])


def _as_function(name):
    text = (STATIC / f"{name}.mjs").read_text("utf-8")
    exported = ", ".join(re.findall(r"^export (?:const|function|class) (\w+)", text, re.MULTILINE))
    text = re.sub(
        r"^import (\{.*?\}) from \"\./(\w+)\.mjs\";$",
        r"const \1 = modules.\2;",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    return f"modules.{name} = (() => {{\n{text}return {{ {exported} }};\n}})();"


def csp_hash(text):
    """The source expression by which a Content-Security-Policy allows this very text, inline."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def json_for_html(value):
    """JSON that no HTML parser takes for a tag, for use inside of a script element."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
