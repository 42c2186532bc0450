"""Executing a notebook, for tests: a cell that raises fails the test with its traceback."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]

SECONDS_A_CELL = 1800
"""A cell that takes longer hangs, even on a busy machine."""


def execute(name, folder):
    """The executed notebook of that name; it runs in a folder, where its runs land.

    Args:
        name: such as "1_gan_from_scratch".
        folder: an empty one.
    """
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    # The kernel imports the packages beside these tests, wherever it starts.
    return client.execute(env=os.environ | {"PYTHONPATH": str(ROOT)})


def printed(notebook, cell_id):
    """What a cell of an executed notebook has printed."""
    outputs = outputs_of(notebook, cell_id)
    return "".join(each.text for each in outputs if each.output_type == "stream")


def shown(notebook, cell_id):
    """MIME types of what a cell of an executed notebook has shown."""
    outputs = outputs_of(notebook, cell_id)
    return {mime for each in outputs if each.output_type != "stream" for mime in each.data}


def outputs_of(notebook, cell_id):
    """The outputs of one cell."""
    (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
    return cell.outputs
