"""The page: one HTML file with its styles, its scripts, its networks and their weights inside."""

import base64
import hashlib
import json
import re
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

STATIC = files("latent_explorer") / "static"

IMPORT = re.compile(r"^import (\{.*?\}) from \"\./(\w+)\.mjs\";$", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export ((?:const|function|class) (\w+))", re.MULTILINE)


def build_page(runs, images):
    """The HTML of a page.

    Args:
        runs: list of `latent_explorer.export.Entry`; `record["images"]` is an index of `images`.
        images: list of (record, base64) from `latent_explorer.material.pack_images`.

    Returns:
        str. The same arguments give the same text.
    """
    script, style = join_modules("app"), (STATIC / "page.css").read_text("utf-8")
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
        script=Markup(script),
        style=Markup(style),
        script_hash=csp_hash(script),
        style_hash=csp_hash(style),
    )


def join_modules(name):
    """A module of `static/` and all that it imports, as one script.

    A page opened from a disk may not import one script from another, so each module becomes a
    function that returns what it exports, and an import becomes a look at what was returned.
    """
    texts = {}

    def read(name):
        text = (STATIC / f"{name}.mjs").read_text("utf-8")
        for _, imported in IMPORT.findall(text):
            if imported not in texts:
                read(imported)
        texts[name] = text  # after all that it imports

    read(name)
    return "\n".join(["const modules = {};", *(_as_function(*item) for item in texts.items())])


def _as_function(name, text):
    exported = ", ".join(found for _, found in EXPORT.findall(text))
    text = EXPORT.sub(r"\1", IMPORT.sub(r"const \1 = modules.\2;", text))
    return f"modules.{name} = (() => {{\n{text}return {{ {exported} }};\n}})();"


def csp_hash(text):
    """The source expression by which a Content-Security-Policy allows this very text, inline."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def json_for_html(value):
    """JSON that no HTML parser takes for a tag, for use inside of a script element."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))
