"""The notebooks in git: without outputs, and able to start on any machine."""

import copy
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted(Path("notebooks").glob("*.ipynb"))


def leftovers(notebook):
    """What an execution or an editor has left in a notebook: (cell, what) of each."""
    for name in notebook.metadata.keys() - {"kernelspec", "language_info"}:
        yield "notebook", f"metadata {name}"
    if set(notebook.metadata.get("language_info", {})) - {"name"}:
        yield "notebook", "a version of Python"
    for cell in notebook.cells:
        for name in cell.metadata:
            yield cell.id, f"metadata {name}"
        if cell.get("outputs"):
            yield cell.id, "outputs"
        if cell.get("execution_count") is not None:
            yield cell.id, "an execution count"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_are_five():
    assert [path.stem.split("_")[0] for path in NOTEBOOKS] == list("12345")


def test_nothing_of_an_execution_is_kept(notebook):
    nbformat.validate(notebook)
    assert list(leftovers(notebook)) == []


def test_leftovers_are_found(notebook):
    executed = copy.deepcopy(notebook)
    executed.metadata["widgets"] = {}
    executed.metadata.language_info["version"] = "3.12.3"
    code = next(cell for cell in executed.cells if cell.cell_type == "code")
    code.metadata["scrolled"] = True
    code.execution_count = 1
    code.outputs = [nbformat.v4.new_output("stream", text="hello")]
    assert [what for _, what in leftovers(executed)] == [
        "metadata widgets",
        "a version of Python",
        "metadata scrolled",
        "outputs",
        "an execution count",
    ]


def test_it_installs_the_package_where_it_is_missing(notebook):
    first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert first.startswith("try:\n    import ")
    assert "%pip install --quiet gan-vae-mnist" in first


def test_it_names_no_folder_of_a_machine(notebook):
    sources = "\n".join(cell.source for cell in notebook.cells)
    assert not [root for root in ("/tmp", "/home", "/work", "/Users", "C:\\") if root in sources]


@pytest.mark.parametrize(
    "path, first, last, most",
    [
        ("notebooks/1_gan_from_scratch.ipynb", "random", "loop", 60),
        ("notebooks/2_vae_from_scratch.ipynb", "networks", "loop", 50),
    ],
)
def test_from_scratch_is_as_short_as_it_says(path, first, last, most):
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    ids = [cell.id for cell in code]
    cells = code[ids.index(first) : ids.index(last) + 1]
    # The plot between the losses and the step is no part of the training.
    lines = [line for cell in cells if cell.id != "saturation" for line in cell.source.split("\n")]
    assert sum(bool(line.strip()) for line in lines) <= most
