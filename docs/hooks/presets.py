"""Writes the presets of a family, from their files, in the place of `<!-- presets: gan -->`."""

import re

from training_run.config.load import list_presets, preset_files

PLACE = re.compile(r"<!-- presets: (\w+) -->")

TIME = re.compile(r"((?:About |Under |At most )?(?:a|\d+) (?:minute|second)s?) on 2 CPU cores")

SENTENCE = re.compile(r"(?<!et al)\.(?= |$)|: python -m")
"""The end of a sentence, or a command at its end."""


def on_page_markdown(markdown, **_):
    """Put the presets into a page."""
    return PLACE.sub(lambda match: family_presets(match[1]), markdown)


def family_presets(family):
    """A table of a family's presets, then each with its comment and its file, as Markdown."""
    files = {path.stem: path for path in preset_files()}
    found = list_presets(family)
    lines = ["| preset | what it is | on 2 CPU cores |", "|---|---|---|"]
    for name, comment in found:
        purpose, time = summary(comment)
        lines.append(f"| [`{name}`](#{name}) | {purpose} | {time} |")
    for name, (command, *comment) in found:
        text = files[name].read_text(encoding="utf-8")
        about = TIME.sub(r"\n\n\g<0>", " ".join(comment), count=1)
        lines += [f"\n### {name}\n", about, f"\n```sh\n{command}\n```\n"]
        lines += [f'??? note "{name}.yaml"\n', *indented(["```yaml", *text.splitlines(), "```"])]
    return "\n".join(lines)


def summary(comment):
    """What a preset is, and how long it takes, from the lines of its comment."""
    text = " ".join(comment[1:])  # without the command
    time = TIME.search(text)
    purpose = SENTENCE.split(text[: time.start()] if time else text)[0].rstrip(": ")
    return purpose, time[1].lower().replace("about ", "") if time else ""


def indented(lines):
    """Lines of a block that belongs to the one above it."""
    return [f"    {line}" for line in lines]
