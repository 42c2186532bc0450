"""Nothing is unpickled and no code from a file is run: the source says so where it loads files."""

import ast
from pathlib import Path

import pytest

PACKAGES = (
    "training_run", "sample_quality", "gan_mnist", "vae_mnist", "gan_vs_vae", "latent_explorer",
    "benchmarks",
)  # fmt: skip
FILES = [path for package in PACKAGES for path in sorted(Path(package).rglob("*.py"))]

NO_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "yaml"}
NO_CALLS = {"eval", "exec", "compile_command", "enable_unsafe_deserialization", "unsafe_load"}
REQUIRED = {
    ("np", "load"): ("allow_pickle", False),
    ("numpy", "load"): ("allow_pickle", False),
    ("saving", "load_model"): ("safe_mode", True),
    ("models", "load_model"): ("safe_mode", True),
}
"""Functions that may unpickle or run code, and the argument that keeps them from it.

Scripts in benchmarks/ load networks they have just written; there the default, the same, will do.
"""


def unsafe_calls(path):
    """(line, what) of everything in a file that might run what it reads."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                if name.partition(".")[0] in NO_MODULES:
                    yield node.lineno, f"import of {name}"
        elif isinstance(node, ast.Call):
            yield from unsafe_call(node, path)


def unsafe_call(node, path):
    function = node.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    owner = function.value if isinstance(function, ast.Attribute) else None
    owner = getattr(owner, "attr", getattr(owner, "id", ""))
    if name in NO_CALLS:
        yield node.lineno, f"call of {name}"
    for keyword in node.keywords:
        if (keyword.arg, getattr(keyword.value, "value", None)) in (
            ("allow_pickle", True),
            ("safe_mode", False),
        ):
            yield node.lineno, f"{keyword.arg}={keyword.value.value}"
    argument, value = REQUIRED.get((owner, name), (None, None))
    if argument and not (path.parts[0] == "benchmarks" and name == "load_model"):
        given = {keyword.arg: getattr(keyword.value, "value", None) for keyword in node.keywords}
        if given.get(argument) is not value:
            yield node.lineno, f"{owner}.{name} without {argument}={value}"
    if name == "YAML" and not any(
        keyword.arg == "typ" and getattr(keyword.value, "value", None) == "safe"
        for keyword in node.keywords
    ):
        yield node.lineno, "YAML without typ='safe'"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_file_is_loaded_by_anything_that_could_run_it(path):
    assert list(unsafe_calls(path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "np.load('x.npz')",
        "np.load('x.npz', allow_pickle=True)",
        "keras.saving.load_model('x.keras', safe_mode=False)",
        "keras.saving.load_model('x.keras')",
        "YAML()",
        "eval('1')",
        "keras.config.enable_unsafe_deserialization()",
    ],
)
def test_the_search_finds(tmp_path, line):
    path = tmp_path / "x.py"
    path.write_text(line + "\n")
    assert list(unsafe_calls(path))


def test_there_is_something_to_search():
    assert len(FILES) > 60
