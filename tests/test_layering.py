"""Imports go one way: between packages, between the rooms of a package, and between files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FLOORS = {
    "training_run/errors.py": 1,
    "training_run/files.py": 1,
    "training_run/interrupts.py": 1,
    "training_run/notebook.py": 1,
    "training_run/tensorflow_import.py": 1,
    "training_run/config": 2,
    "training_run/data": 2,
    "training_run/data/image_folder": 2,
    "training_run/pictures": 2,
    "training_run/step": 3,
    "training_run/devices": 3,
    "training_run/run_folder": 4,
    "training_run/family.py": 4,
    "training_run/loop": 5,
    "training_run/python": 6,
    "training_run/export": 5,
    "training_run/cli": 7,
    "training_run/export/command.py": 8,
    "training_run/package_commands.py": 8,
    "training_run/export/__main__.py": 9,
    "sample_quality/numerics": 8,
    "sample_quality/features": 9,
    "sample_quality/scores": 9,
    "sample_quality": 10,
    "gan_mnist": 11,
    "gan_mnist/denoiser": 11,
    "vae_mnist": 11,
    "latent_explorer": 11,
    "gan_vs_vae": 12,
}
"""Each room and the floor it stands on. A room imports from lower floors and from its own files."""

SAME_PACKAGE = {
    ("gan_mnist", "gan_mnist/denoiser"),
    ("gan_mnist/denoiser", "gan_mnist"),
    ("training_run/data", "training_run/data/image_folder"),
    ("training_run/data/image_folder", "training_run/data"),
    ("training_run/data/image_folder", "training_run/config"),
}
"""Rooms of one floor that may import each other, as long as no two files do."""

MAX_FILES = 9
"""Files in a room of training_run, beside its `__init__.py`."""

PACKAGES = sorted({room.partition("/")[0] for room in FLOORS})
FILES = {path for package in PACKAGES for path in Path(package).rglob("*.py")}
FILES.remove(Path("training_run/__init__.py"))


def room_of(path):
    """The room of a file: itself, or the nearest folder in `FLOORS`."""
    places = [path, *path.parents]
    return next(str(place) for place in places if str(place) in FLOORS)


def imports_of(path):
    """(file, names) of each import from our packages; names are empty for a whole module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported = [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            imported = [(f"{node.module}.{name}", ()) for name in names]
            imported.append((node.module, names))
        else:
            continue
        for module, names in imported:
            base = Path(module.replace(".", "/"))
            for file in (base.with_suffix(".py"), base / "__init__.py"):
                if file in FILES:
                    yield file, names


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_from_lower_floors_and_from_itself(room):
    for path in FILES:
        if room_of(path) != room:
            continue
        for imported, _ in imports_of(path):
            other = room_of(imported)
            if other == room or (room, other) in SAME_PACKAGE:
                continue
            assert FLOORS[other] < FLOORS[room], f"{path} imports {imported}"


def test_no_file_imports_itself_over_others():
    graph = {path: {imported for imported, _ in imports_of(path)} - {path} for path in FILES}
    while leaves := {path for path, imported in graph.items() if not imported}:
        graph = {path: found - leaves for path, found in graph.items() if path not in leaves}
    assert not graph, f"circle among {sorted(map(str, graph))}"


def test_private_names_stay_in_their_room():
    for path in FILES:
        for imported, names in imports_of(path):
            if room_of(imported) != room_of(path):
                private = [name for name in names if name.startswith("_")]
                assert not private, f"{path} imports {private} from {imported}"


def test_rooms_are_small_and_say_what_they_are_for():
    for room in (room for room in FLOORS if Path(room).is_dir()):
        text = (Path(room) / "__init__.py").read_text(encoding="utf-8")
        assert 3 <= len(ast.get_docstring(ast.parse(text)).splitlines()) <= 6, room
        if room.startswith("training_run/"):
            files = [path for path in Path(room).glob("*.py") if path.name != "__init__.py"]
            assert len(files) <= MAX_FILES, room


def test_the_search_finds_an_import():
    assert Path("training_run/errors.py") in dict(imports_of(Path("training_run/cli/train.py")))


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
    "vae_mnist.fit_prior": ["1", "--outputs", "nowhere"],
    "training_run.export.command": ["1", "--format", "onnx", "--outputs", "nowhere"],
    "gan_vs_vae.command": ["1", "--outputs", "nowhere"],
    "latent_explorer.command": ["1", "--outputs", "nowhere"],
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
