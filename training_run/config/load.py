"""From a preset's name or a path, and overrides, to a checked configuration and back to YAML."""

import io
from pathlib import Path
from typing import get_args

from pydantic import ValidationError
from ruamel.yaml import YAML

from training_run.config.intervals import interval_to_steps
from training_run.config.messages import explain, nearest
from training_run.config.yaml_source import (
    ConfigError,
    Problem,
    join_key,
    parse_yaml,
    read_yaml,
    shorten,
)


def load_config(config_class, path, overrides=(), place="command line"):
    """Read, override and check a configuration.

    Args:
        config_class: the family's `RunConfig`.
        path: YAML file.
        overrides: texts "dotted.key=value", the value in YAML.
        place: where these were given, for messages.

    Returns:
        An instance of `config_class`.

    Raises:
        ConfigError: with every problem found, a line each.
    """
    source = read_yaml(path)
    _check_family(config_class, source, path)
    for override in overrides:
        _apply_override(source, override, place)
    problems = list(source.problems)
    try:
        config = config_class.model_validate(source.values)
    except ValidationError as error:
        problems += explain(error, config_class, source)
    if problems:
        raise ConfigError(problems)
    return config


def _check_family(config_class, source, path):
    """Refuse a file of another family by one sentence that names its command.

    Its keys are no mistakes, so a hint for each of them would be of no help.
    """
    expected = get_args(config_class.model_fields["family"].annotation)
    family = source.values.get("family") if isinstance(source.values, dict) else None
    program = None if family in expected else _program_of(family)
    if not expected or program is None:
        return
    if Path(path) in preset_files():
        message = f"{Path(path).stem} is a preset of {program}"
        raise ConfigError([Problem("--config", "", message)])
    message = f"expected {expected[0]!r}, received {family!r}, which {program} trains"
    raise ConfigError([Problem(source.places["family"], "family", message)])


def _program_of(family):
    """The module that trains a family, "vae_mnist.train", from the comment of a preset of it.

    None for a family without presets.
    """
    for _, (command, *_) in list_presets(family):
        return command.split()[2]  # python -m MODULE ...
    return None


def _apply_override(source, override, where):
    key, separator, text = override.partition("=")
    if not separator or not all(key.split(".")):
        message = f"expected an override of the form key=value, received {shorten(override)}"
        raise ConfigError([Problem(where, "", message)])
    try:
        value = parse_yaml(text, f"{where}: {key}")
    except ConfigError as error:
        source.problems += error.problems
        return
    source.problems += value.problems
    *parents, last = key.split(".")
    section, place = source.values, ""
    for parent in parents:
        place = join_key(place, parent)
        if not isinstance(section.get(parent), dict):
            section[parent] = {}
            _blame_override(source, place, where)
        section = section[parent]
    section[last] = value.values
    _blame_override(source, key, where)


def _blame_override(source, key, where):
    """Note that a key and all below it are no longer those of the file."""
    for place in [place for place in source.places if place.startswith(f"{key}.")]:
        del source.places[place]
    source.places[key] = where


def find_config(name_or_path):
    """Path of a preset by its name, or of a user's own file.

    Raises:
        ConfigError: naming the nearest preset, if there is neither.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if path.is_file():
            return path
        message = "expected a configuration file, received a path where there is none"
        raise ConfigError([Problem(str(path), "", message)])
    presets = {preset.stem: preset for preset in preset_files()}
    if str(name_or_path) in presets:
        return presets[str(name_or_path)]
    hint = nearest(str(name_or_path), presets) or f" ({', '.join(presets)})"
    message = f"expected a preset's name or a path, received {name_or_path!r}{hint}"
    raise ConfigError([Problem("--config", "", message)])


def list_presets(family):
    """Name and description of each preset of a family.

    Args:
        family: the value of the presets' `family` key.

    Returns:
        A list of (name, lines of the leading comment without the '#').
    """
    return [
        (path.stem, _leading_comment(path))
        for path in preset_files()
        if read_yaml(path).values.get("family") == family
    ]


def describe_presets(family):
    """Name of each preset of a family to its leading comment."""
    return {name: "\n".join(lines) for name, lines in list_presets(family)}


def preset_files():
    """Paths of all presets, by name: in `presets/` of a wheel, in `configs/` of a checkout."""
    package = Path(__file__).resolve().parent.parent
    in_wheel = package / "presets"
    folder = in_wheel if in_wheel.is_dir() else package.parent / "configs"
    return sorted(folder.glob("*.yaml"))


def _leading_comment(path):
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        if not line.startswith("# yaml-language-server"):
            lines.append(line.removeprefix("#").strip())
    return lines


def config_to_yaml(config):
    """The resolved configuration as YAML text that `load_config` reads back to an equal object."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False
    text = io.StringIO()
    writer.dump(config.model_dump(mode="json"), text)
    return text.getvalue()


def check_against_data(config, spec, path):
    """Refuse a batch that is larger than the training set, and labels where there are none.

    Args:
        config: a `RunConfig`.
        spec: the data set's `DataSpec`.
        path: the configuration's file, for the message.

    Raises:
        ConfigError: naming the key.
    """
    problems = []
    if config.training.batch_size > spec.num_train:
        left_out = "".join(f"; {note}" for note in spec.notes if "left out" in note)
        message = (
            f"expected at most the {spec.num_train:,} training images of "
            f"{config.data.dataset!r}, received {config.training.batch_size}{left_out}"
        )
        problems.append(Problem(str(path), "training.batch_size", message))
    if spec.num_classes is None:
        why = "".join(f"; {note}" for note in spec.notes if note.startswith("no labels"))
        received = f"received {config.data.dataset!r} without{why}"
        message = f"expected a data set with labels, {received}"
        wanted = {
            "model.conditional": getattr(getattr(config, "model", None), "conditional", False),
            "data.balance": config.data.balance,
        }
        problems += [Problem(str(path), key, message) for key, is_set in wanted.items() if is_set]
    if problems:
        raise ConfigError(problems)


def problems_between_rows(config, spec, path, key, every):
    """The problem of an interval that falls between the rows of log.csv.

    Args:
        config, spec, path: as for `check_against_data`.
        key: dotted key of the interval.
        every: its value.

    Returns:
        A list of one `Problem` if the interval is no multiple of `log.every`, else an empty one.
    """
    steps_per_epoch = spec.num_train // config.training.batch_size
    log_every = interval_to_steps(config.log.every, steps_per_epoch)
    steps = interval_to_steps(every, steps_per_epoch)
    if steps % log_every == 0:
        return []
    message = f"expected a multiple of log.every ({log_every} steps), received {steps} steps"
    return [Problem(str(path), key, message)]
