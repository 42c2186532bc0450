"""Puts the tables of all YAML keys in the place of `<!-- keys: gan -->`, from the typed classes."""

import json
import re

from gan_mnist.config import GANConfig
from gan_mnist.denoiser.config import DenoiserConfig
from vae_mnist.config import VAEConfig

CONFIGS = {"gan": GANConfig, "vae": VAEConfig, "denoiser": DenoiserConfig}

PLACE = re.compile(r"<!-- keys: (\w+) -->")

BOUNDS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "exclusiveMaximum": "to below",
}
"""Bounds of a JSON Schema in words: the lower ones, then the upper ones."""

WORDS = {"integer": "integer", "number": "number", "string": "text", "null": "`null`"}


def on_page_markdown(markdown, **_):
    """Put the tables into a page."""
    return PLACE.sub(lambda match: family_tables(CONFIGS[match[1]]), markdown)


def family_tables(config_class):
    """A heading and a table for each section of a configuration, as Markdown."""
    schema = config_class.model_json_schema()
    sections, single = {}, {}
    for name, field in schema["properties"].items():
        parts = sections_of(field, schema["$defs"])
        for part in parts:
            kind = part["properties"].get("kind", {}).get("const", "your own")
            sections[f"{name}, kind: {kind}" if len(parts) > 1 else name] = (name, part)
        if not parts:
            single[name] = field
    first = {"properties": single, "required": schema["required"]}
    text = ["## Of the run as a whole\n", *table("", first, schema["$defs"])]
    for title, (name, part) in sections.items():
        text += [f"\n## {title}\n", f"{first_line(part)}\n", *table(name, part, schema["$defs"])]
    return "\n".join(text)


def sections_of(field, definitions):
    """The schemas of sections that a field may be: none for a plain value, several for a choice."""
    references = [field, *field.get("oneOf", []), *field.get("allOf", [])]
    names = [each["$ref"].rpartition("/")[2] for each in references if "$ref" in each]
    return [definitions[name] for name in names]


def first_line(section):
    """What a section is, as a sentence: the first paragraph of its class's docstring."""
    return " ".join(section["description"].split("\n\n")[0].split())


def table(parent, section, definitions):
    """Lines of a Markdown table with a row for each key of a section, subsections included."""
    head = ["| key | what it does | values | default |", "|---|---|---|---|"]
    return [*head, *rows(parent, section, definitions)]


def rows(parent, section, definitions):
    """The rows of `table`."""
    found = []
    for name, field in section["properties"].items():
        key = f"{parent}.{name}" if parent else name
        parts = sections_of(field, definitions)
        if parts:
            found += rows(key, parts[0], definitions)
            continue
        default = "required" if name in section.get("required", ()) else default_of(field)
        cells = [f"`{key}`", field.get("description", ""), values(field), default]
        found.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return found


def default_of(field):
    """A default as YAML writes it; empty where it follows from other keys."""
    return f"`{json.dumps(field['default'])}`" if "default" in field else ""


def values(field):
    """Which values a key may have, in words."""
    if "pattern" in field and "epochs" in field["pattern"]:
        return "steps or epochs"
    if isinstance(field.get("type"), list):
        field = {"anyOf": [{"type": kind} for kind in field["type"]]}
    if "anyOf" in field:
        choices = [values(choice) for choice in field["anyOf"]]
        return "steps or epochs" if "steps or epochs" in choices[1:] else " or ".join(choices)
    if "enum" in field or "const" in field:
        choices = field["enum"] if "enum" in field else [field["const"]]
        return ", ".join(f"`{in_yaml(choice)}`" for choice in choices)
    if field["type"] == "array":
        return list_of(field)
    if field["type"] == "boolean":
        return "`true`, `false`"
    bounds = [f"{word} {number(field[bound])}" for bound, word in BOUNDS.items() if bound in field]
    return " ".join([WORDS[field["type"]], *bounds])


def in_yaml(choice):
    """One of several choices as YAML writes it: `true` for True, a text without quotes."""
    return choice if isinstance(choice, str) else json.dumps(choice)


def number(value):
    """A number as people write it: 2 for 2.0."""
    return f"{value:,}".removesuffix(".0")


def list_of(field):
    """A list's values in words."""
    if "prefixItems" in field:
        return "list of two: " + " and ".join(values(item) for item in field["prefixItems"])
    return f"list of: {values(field['items'])}"
