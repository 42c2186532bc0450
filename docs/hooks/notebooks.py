"""Shows the notebooks of notebooks/ as pages; with DOCS_NOTEBOOKS=1 they are run first.

To run them all takes minutes, so without it the pages have no outputs, and say so.
"""

import os
import re
import tempfile
from pathlib import Path

import nbformat
from mkdocs.structure.files import File
from nbconvert import MarkdownExporter
from nbconvert.preprocessors import ExecutePreprocessor

SECTION = "Notebooks"
"""Its entry in the navigation, which has a page for each notebook."""

MINUTES = 10
"""For one cell."""

MATH = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL)

NOT_RUN = """!!! note
    These pages were built without running the notebooks, so there are no outputs.
    `DOCS_NOTEBOOKS=1 make docs` runs them, and so does any Jupyter.

"""


def notebooks(config):
    """Paths of the notebooks, in their order."""
    return sorted((Path(config.config_file_path).parent / "notebooks").glob("*.ipynb"))


def on_config(config):
    """Put the notebooks into the navigation."""
    pages = [f"notebooks/{path.stem}.md" for path in notebooks(config)]
    if pages:
        config.nav.insert(2, {SECTION: pages})


def on_files(files, config):
    """Add a page for each notebook, and its pictures."""
    is_run = bool(os.environ.get("DOCS_NOTEBOOKS"))
    for path in notebooks(config):
        text, pictures = to_markdown(nbformat.read(path, as_version=4), path.stem, is_run)
        head, body = text.split("\n", 1)  # the title comes first
        content = text if is_run else f"{head}\n\n{NOT_RUN}{body}"
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=content))
        for name, data in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=data))
    return files


def to_markdown(notebook, name, is_run):
    """A notebook as Markdown, and its pictures: dict of file name to bytes."""
    if is_run:
        with tempfile.TemporaryDirectory() as folder:  # its runs are made there
            runner = ExecutePreprocessor(
                timeout=60 * MINUTES, kernel_name="python3", coalesce_streams=True
            )
            runner.preprocess(notebook, {"metadata": {"path": folder}})
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = MATH.sub(marked_math, cell.source)
        for output in cell.get("outputs", []):
            inline_gif(output.get("data", {}))
    notebook.metadata.setdefault("language_info", {"name": "python"})
    resources = {"unique_key": name, "output_files_dir": "."}
    text, resources = MarkdownExporter().from_notebook_node(notebook, resources)
    return text.lstrip(), {
        os.path.basename(file): data for file, data in resources["outputs"].items()
    }


def marked_math(match):
    """LaTeX between dollars as `docs/hooks/shown.py` knows it."""
    if match["block"]:
        return f"\n\n```math\n{match['block'].strip()}\n```\n\n"
    return f"`#!math {match['inline']}`"


def inline_gif(data):
    """Let a page show a GIF, which the exporter does not know."""
    if "image/gif" in data:
        data["text/html"] = f'<img src="data:image/gif;base64,{data["image/gif"].strip()}">'
