"""Lets pages link to files of the repository as GitHub does, `../outputs/gallery/x.gif`.

In the site a picture is copied, and a text file becomes a page of its own that shows it.
"""

import os
import re
from pathlib import PurePosixPath

from mkdocs.structure.files import File

LINK = re.compile(r"(?<=\]\()(\.\./[^)#\s]+)")
"""The target of a Markdown link that leads upwards."""

PICTURES = {".gif", ".png"}

LANGUAGES = {".py": "python", ".yaml": "yaml", ".md": "markdown"}


def on_files(files, config):
    """Add what the pages link to outside of docs/."""
    root = PurePosixPath(config.config_file_path).parent
    for page in files.documentation_pages():
        for link in LINK.findall(page.content_string):
            path = target(page.src_uri, link)
            if path.startswith("../") and not files.get_file_from_path(place_of(path)):
                files.append(generated(path[3:], str(root / path[3:]), config))
    return files


def on_page_markdown(markdown, page, config, files):
    """Lead those links to where `on_files` put their files."""

    def moved(match):
        path = target(page.file.src_uri, match[0])
        if not path.startswith("../"):
            return match[0]
        return os.path.relpath(place_of(path), PurePosixPath(page.file.src_uri).parent)

    return LINK.sub(moved, markdown)


def target(page, link):
    """Path of a link's target relative to docs/: `../README.md` for a file beside the folder."""
    return os.path.normpath(PurePosixPath(page).parent / link)


def place_of(path):
    """Where in the site a file of the repository is, from its path relative to docs/."""
    path = PurePosixPath(path[3:])
    suffix = "" if path.suffix in PICTURES else ".md"
    return f"repository/{path}{suffix}"


def generated(path, source, config):
    """The `File` of one file of the repository."""
    place = place_of(f"../{path}")
    if not place.endswith(".md"):
        return File.generated(config, place, abs_src_path=source)
    with open(source, encoding="utf-8") as file:
        text = file.read()
    language = LANGUAGES.get(PurePosixPath(path).suffix, "text")
    head = f"---\ntitle: {path}\nsearch: {{exclude: true}}\nhide: [navigation]\n---\n# {path}\n\n"
    fence = "`" * 4
    return File.generated(config, place, content=f"{head}{fence} {language}\n{text}{fence}\n")
