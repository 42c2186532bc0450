"""Lets pages link to files of the repository as they do there, `../outputs/gallery/gan_fast.gif`.

In the site these files are under `repository/`: a picture is copied, a Markdown file is a page, and
code becomes a page that shows it.
"""

import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.structure.files import File

CODE_OR_LINK = re.compile(
    r"^(`{3,}).*?^\1$|(?<=\]\()(?![a-z]+:|#|/)(?P<link>[^)#\s]+)", re.MULTILINE | re.DOTALL
)
"""A block of code, whose brackets are no links, or the target of a Markdown link to a file."""

PICTURES = {".gif", ".png"}

LANGUAGES = {".py": "python", ".yaml": "yaml", ".cff": "yaml"}


def on_files(files, config):
    """Add the files outside of docs/ that pages link to, and those that these link to."""
    root = Path(config.config_file_path).parent
    pages = list(files.documentation_pages())
    while pages:
        page = pages.pop()
        links = (match["link"] for match in CODE_OR_LINK.finditer(page.content_string))
        for path in [target(page.src_uri, link) for link in links if link]:
            if files.get_file_from_path(place_of(path)) or not (root / path).is_file():
                continue  # what leads nowhere is told by mkdocs
            file = shown_file(path, root, config)
            files.append(file)
            if path.endswith(".md"):
                pages.append(file)
    return files


def on_page_markdown(markdown, page, config, files):
    """Lead links to where `on_files` put their files."""
    here = page.file.src_uri

    def moved(match):
        if not match["link"]:
            return match[0]
        return os.path.relpath(place_of(target(here, match["link"])), PurePosixPath(here).parent)

    return CODE_OR_LINK.sub(moved, markdown)


def target(page, link):
    """Path of a link's target in the repository.

    Args:
        page: path of the page in the site.
        link: as it is written there.
    """
    is_outside = page.startswith("repository/")
    home = page.removeprefix("repository/") if is_outside else f"docs/{page}"
    return os.path.normpath(PurePosixPath(home).parent / link)


def place_of(path):
    """Path in the site of a file of the repository."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    suffix = PurePosixPath(path).suffix
    return f"repository/{path}" + ("" if suffix in PICTURES | {".md"} else ".md")


def shown_file(path, root, config):
    """The `File` of the site for a file of the repository."""
    suffix = PurePosixPath(path).suffix
    if suffix in PICTURES | {".md"}:
        return File.generated(config, place_of(path), abs_src_path=str(root / path))
    text, fence = (root / path).read_text("utf-8"), "`" * 4
    head = f"---\ntitle: {path}\nsearch: {{exclude: true}}\n---\n# {path}\n"
    code = f"{fence} {LANGUAGES.get(suffix, 'text')}\n{text}{fence}\n"
    return File.generated(config, place_of(path), content=f"{head}\n{code}")
