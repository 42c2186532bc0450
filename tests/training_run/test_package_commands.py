import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("gan_mnist", "vae_mnist")
SCRIPTS = (*PACKAGES, "gan_vs_vae", "sample_quality", "latent_explorer")


def run(*words):
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=60
    )


def is_door(path):
    """True if a module of a package may be run by `python -m`."""
    conditions = [
        node.test for node in ast.parse(path.read_text()).body if isinstance(node, ast.If)
    ]
    return any("__main__" in ast.unparse(condition) for condition in conditions)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_list_has_every_command_of_the_package(package):
    commands = importlib.import_module(f"{package}.__main__").COMMANDS
    doors = {path.stem for path in Path(package).glob("*.py") if is_door(path)}
    assert set(commands) == doors - {"__main__"}
    done = run("-m", package)
    assert done.returncode == 0, done.stderr
    listed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert listed == list(commands)


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_command_is_refused_with_the_nearest(package):
    done = run("-m", package, "trian", "--config", "x")
    script = package.replace("_", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{script}: expected one of the commands train, sample")
    assert done.stderr.endswith("received 'trian'; did you mean 'train'?\n")


def test_the_list_does_not_wait_for_anything():
    code = (
        "import sys; sys.argv = ['gan-mnist']\n"
        "from gan_mnist.__main__ import main\n"
        "assert main() == 0\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'pydantic', 'matplotlib'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["gan_mnist", "train"], "gan_mnist.train"),
        (["gan_mnist", "train-denoiser"], "gan_mnist.train_denoiser"),
        (["vae_mnist", "fit_prior"], "vae_mnist.fit_prior"),
    ],
)
def test_a_command_of_the_package_is_the_module(words, module):
    by_name, by_module = run("-m", *words, "--help"), run("-m", module, "--help")
    assert by_name.returncode == 0
    assert by_name.stdout == by_module.stdout


def test_wrong_arguments_get_the_same_sentence_and_code():
    wrong = ["--config", "gan_mlp", "training.batch_sise=64"]
    by_name, by_module = (
        run("-m", "gan_mnist", "train", *wrong),
        run("-m", "gan_mnist.train", *wrong),
    )
    assert by_name.returncode == by_module.returncode == 2
    assert by_name.stderr == by_module.stderr


@pytest.mark.parametrize("package", SCRIPTS)
def test_a_signal_while_modules_are_imported_ends_a_script_with_one_word(package):
    code = (
        f"import os, signal, sys; sys.argv = ['{package}', 'train', '--help']\n"
        f"from {package}.__main__ import main\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in ('{package}.command', '{package}.train'):\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "main()"
    )
    done = run("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
