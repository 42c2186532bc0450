"""Imports go one way: training_run <- sample_quality <- the model packages and the comparison."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

MAY_IMPORT = {
    "training_run": set(),
    "sample_quality": {"training_run"},
    "gan_mnist": {"training_run", "sample_quality"},
    "vae_mnist": {"training_run", "sample_quality"},
    "gan_vs_vae": {"training_run", "sample_quality"},
}


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package):
    for path in Path(package).rglob("*.py"):
        ours = set(imported_packages(path)) & MAY_IMPORT.keys() - {package}
        assert ours <= MAY_IMPORT[package], f"{path} imports {ours - MAY_IMPORT[package]}"


COMMANDS = {
    "gan_mnist.train": ["training.steps=0"],
    "vae_mnist.train": ["training.steps=0"],
    "gan_mnist.train_denoiser": ["training.steps=0"],
    "gan_mnist.sample": ["1", "--outputs", "nowhere"],
    "vae_mnist.sample": ["1", "--outputs", "nowhere"],
    "gan_mnist.denoise": ["1", "--denoiser", "2", "--outputs", "nowhere"],
    "gan_mnist.interpolate": ["1", "--outputs", "nowhere"],
    "vae_mnist.interpolate": ["1", "--outputs", "nowhere"],
    "vae_mnist.reconstruct": ["1", "--outputs", "nowhere"],
    "vae_mnist.manifold": ["1", "--outputs", "nowhere"],
    "gan_vs_vae.command": ["1", "--outputs", "nowhere"],
}
"""Every command, with arguments that it must refuse."""


@pytest.mark.parametrize(("module", "wrong"), COMMANDS.items())
def test_help_and_wrong_arguments_do_not_wait_for_tensorflow(module, wrong):
    code = (
        f"import sys, {module} as command\n"
        "try: command.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"assert command.main({wrong}) == 2\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & sys.modules.keys(), 'too early'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
