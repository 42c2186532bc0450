"""The public names: few, documented, and quick to import."""

import importlib
import inspect
import subprocess
import sys

import pytest

NAMES = {
    "gan_mnist": ["load", "presets", "resume", "train"],
    "vae_mnist": ["load", "presets", "resume", "train"],
    "sample_quality": ["score", "score_arrays"],
    "gan_vs_vae": ["report"],
    "latent_explorer": ["explore"],
    "training_run": ["Run", "UserError"],
}


@pytest.mark.parametrize("package", NAMES)
def test_public_names_are_documented_with_types(package):
    module = importlib.import_module(package)
    assert module.__all__ == NAMES[package]
    for name in module.__all__:
        public = getattr(module, name)
        assert inspect.getdoc(public), name
        if inspect.isfunction(public):
            signature = inspect.signature(public)
            hints = [parameter.annotation for parameter in signature.parameters.values()]
            assert inspect.Signature.empty not in [*hints, signature.return_annotation], name


def test_a_type_checker_agrees_with_their_use():
    options = ["--follow-imports=silent", "--ignore-missing-imports", "--no-incremental"]
    command = [sys.executable, "-m", "mypy", *options, "tests/public_types.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "Success: no issues found in 1 source file\n", done.stdout + done.stderr


def test_importing_the_packages_imports_nothing_heavy():
    heavy = ["tensorflow", "keras", "numpy", "pydantic", "matplotlib", "scipy"]
    code = f"import sys, {', '.join(NAMES)}; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
