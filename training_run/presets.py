"""Where the presets are, and what they say of themselves."""

import difflib
from pathlib import Path

from training_run.yaml_source import ConfigError, Problem, read_yaml


def presets_dir():
    """The folder of presets: inside the package in a wheel, `configs/` in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "presets"
    return inside if inside.is_dir() else package.parent / "configs"


def find_config(name_or_path):
    """Path of a preset by its name, or of a user's own file.

    Raises:
        ConfigError: naming the nearest preset, if there is neither.
    """
    path = Path(name_or_path)
    preset = presets_dir() / f"{name_or_path}.yaml"
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if path.is_file():
            return path
        message = "expected a configuration file, received a path where there is none"
        raise ConfigError([Problem(str(path), "", message)])
    if preset.is_file():
        return preset
    names = sorted(found.stem for found in presets_dir().glob("*.yaml"))
    close = difflib.get_close_matches(str(name_or_path), names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f" ({', '.join(names)})"
    message = f"expected a preset's name or a path, received {name_or_path!r}{hint}"
    raise ConfigError([Problem("--config", "", message)])


def list_presets(family):
    """Name and self-description of each preset of a family.

    Args:
        family: "gan", "vae", ...: the value of the presets' `family` key.

    Returns:
        A list of (name, lines of the leading comment without the '#').
    """
    found = []
    for path in sorted(presets_dir().glob("*.yaml")):
        if read_yaml(path).values.get("family") == family:
            found.append((path.stem, _leading_comment(path)))
    return found


def _leading_comment(path):
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# yaml-language-server"):
            lines.append(line.removeprefix("#").strip())
    return lines
