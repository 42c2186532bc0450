"""The wheel, built and installed into an environment of its own, is used from another folder.

Only the dependencies come from this test's environment: they are found after the wheel's files.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.soak import tiny

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "training_run", "sample_quality", "gan_mnist", "vae_mnist", "gan_vs_vae", "latent_explorer",
)  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the sources, so that nothing is written beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "outputs", "build", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=unwanted)
    pip(["wheel", "--no-deps", "--wheel-dir", str(folder), str(source)])
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def bin_folder(wheel, tmp_path_factory):
    """The folder of commands of an environment with the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    pip(["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)])
    (site_packages,) = folder.glob("lib/python*/site-packages")
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (site_packages / "dependencies.pth").write_text("\n".join(dependencies))
    return python.parent


def pip(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def clean_environment():
    """The environment of a user who has no path to the sources."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def run(bin_folder, folder, *words):
    """What a command prints; it must succeed."""
    done = subprocess.run(
        [bin_folder / words[0], *words[1:]],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_every_file_of_the_packages(wheel):
    expected = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    presets = [*(ROOT / "configs").glob("*.yaml"), *(ROOT / "configs").glob("*.json")]
    expected |= {f"training_run/presets/{path.name}" for path in presets}
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert found == expected


def test_importing_a_package_brings_nothing_heavy(bin_folder, tmp_path):
    code = (
        "import sys, gan_mnist, vae_mnist, sample_quality\n"
        "print(gan_mnist.__file__)\n"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'pydantic'} & sys.modules.keys()))"
    )
    place, heavy = run(bin_folder, tmp_path, "python", "-c", code).splitlines()
    assert Path(place).is_relative_to(bin_folder.parent)
    assert heavy == "[]"


def test_every_script_answers(bin_folder, tmp_path):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) == {package.replace("_", "-") for package in PACKAGES[1:]}
    for script in scripts:
        assert run(bin_folder, tmp_path, script, "--help").strip()
    assert "gan_mlp_smoke" in run(bin_folder, tmp_path, "gan-mnist", "train", "--list")


def test_a_bundled_model_draws(bin_folder, tmp_path):
    words = ["gan-mnist", "sample", "bundled:gan_mlp", "--num", "4", "--out", "digits.png"]
    assert run(bin_folder, tmp_path, *words) == "digits.png\n"
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_a_training_that_is_interrupted_saves_as_the_module_does(bin_folder, tmp_path, tiny_data):
    words = [*tiny.gan_arguments(tiny_data, "runs"), "quality.every=null", "training.steps=1000000"]
    training = subprocess.Popen(
        [bin_folder / "gan-mnist", "train", *words],
        cwd=tmp_path, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        folder = tmp_path / "runs/00001-gan_mlp_smoke"
        while not (folder / "samples/step_000010.png").is_file():
            assert training.poll() is None, training.stderr.read().decode()
            time.sleep(0.05)
        training.send_signal(signal.SIGINT)
        output, errors = training.communicate()
    finally:
        training.kill()
    assert training.returncode == 130, errors.decode()
    assert b"SIGINT: saving, then stopping" in output
    assert (folder / "generator.keras").is_file()
    assert any((folder / "checkpoints").iterdir())
