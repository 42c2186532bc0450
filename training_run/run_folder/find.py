"""The run folder that a user means: a path, a number, `latest` or `bundled:NAME`."""

from pathlib import Path

from training_run.config.messages import nearest
from training_run.config.yaml_source import ConfigError, read_yaml
from training_run.errors import UserError
from training_run.run_folder.networks import check_network
from training_run.run_folder.paths import RunDir, is_number, numbered_runs

PREFIX = "bundled:"

BUNDLED_FOLDER = Path(__file__).resolve().parent.parent / "models"
"""The trained models that ship with the package: each a run folder, called by its name alone."""


def find_run(reference, output_dir, family=None):
    """The run that a user means.

    Args:
        reference: a run folder, a number, "latest", or "bundled:NAME".
        output_dir: where numbers and "latest" are looked up.
        family: the family whose runs "latest" chooses from; None for any.

    Returns:
        A `RunDir`.

    Raises:
        UserError: if there is none.
    """
    if str(reference).startswith(PREFIX):
        return RunDir(find_bundled(str(reference)))
    path = Path(reference)
    if reference == "latest":
        path = _latest(Path(output_dir), family)
    elif is_number(str(reference)) and not path.is_dir():
        path = _by_number(Path(output_dir), int(reference))
    if not str(reference) or not _is_file(path / "config.yaml"):
        kind = "a folder without one" if path.is_dir() else "a path where there is none"
        raise UserError(
            f"{reference or repr('')}: expected a run folder (with a config.yaml), a run's number, "
            f"'latest' or 'bundled:NAME', received {kind if str(reference) else 'an empty name'}"
        )
    return RunDir(path)


def reference_of(run):
    """What `find_run` finds a run by, as text.

    Args:
        run: a `Run` of `training_run.python`, its folder, its number, "latest" or "bundled:NAME".
    """
    return str(getattr(run, "path", run))


def _is_file(path):
    """True if `path` names an existing file. Names too long for the file system give False."""
    try:
        return path.is_file()
    except OSError:
        return False


def _latest(output_dir, family):
    for _, path in reversed(numbered_runs(output_dir)):
        if (path / "config.yaml").is_file() and family in (None, run_family(RunDir(path))):
            return path
    kind = f"{family} " if family else ""
    raise UserError(f"{output_dir}: expected at least one {kind}run, received a folder without any")


def _by_number(output_dir, number):
    runs = dict(numbered_runs(output_dir))
    if number in runs:
        return runs[number]
    newest = ", ".join(map(str, list(runs)[-5:])) or "none"
    raise UserError(
        f"{output_dir}: expected the number of a run (newest: {newest}), received {number}"
    )


def resolve_initial_run(config, output_dir):
    """The configuration with `init.run` as an absolute path, so that it goes on to name one run.

    Args:
        config: a `RunConfig`.
        output_dir: as for `find_run`.

    Returns:
        A configuration; the same one where `init.run` is not set, or names a bundled model.

    Raises:
        UserError: there is no such run of this family, or its networks are missing or damaged.
    """
    if config.init.run is None:
        return config
    reference = config.init.run
    try:
        run = find_run(reference, output_dir, config.family)
        check_family(run, config.family)
        saved = [path.stem for path in run.path.glob("*.keras")]
        if not saved:
            raise UserError(f"{run.path}: expected a run with saved networks, received none")
        for name in saved:
            check_network(run, name)
    except ConfigError:
        raise
    except UserError as error:
        raise UserError(f"init.run: {error}") from None
    if not reference.startswith(PREFIX):
        reference = str(run.path.resolve())
    return config.model_copy(update={"init": config.init.model_copy(update={"run": reference})})


def run_family(run):
    """The `family` key of a run's configuration."""
    values = read_yaml(run.config).values
    return values.get("family") if isinstance(values, dict) else None


def check_family(run, family):
    """Refuse a run of another family.

    Raises:
        UserError: if the `family` key is not `family`.
    """
    source = read_yaml(run.config)
    if source.values is None and source.problems:
        raise ConfigError(source.problems)
    found = source.values.get("family") if isinstance(source.values, dict) else None
    if found != family:
        received = f"one of family {found!r}" if isinstance(found, str) else "one without a family"
        raise UserError(f"{run.path}: expected a run of family {family!r}, received {received}")


def bundled_names():
    """Names of the models that ship with the package."""
    return sorted(path.parent.name for path in BUNDLED_FOLDER.glob("*/config.yaml"))


def find_bundled(reference):
    """The folder of a bundled model.

    Args:
        reference: "bundled:NAME".

    Raises:
        UserError: naming the nearest one, if there is none of that name.
    """
    name, names = reference.removeprefix(PREFIX), bundled_names()
    if name in names:
        return BUNDLED_FOLDER / name
    choices = [PREFIX + known for known in names]
    raise UserError(
        f"{reference}: expected one of {', '.join(choices) or 'none'}, "
        f"received {name!r}{nearest(reference, choices)}"
    )


def is_bundled(run):
    """True for a model that ships with the package, whose folder is not to be written to."""
    return run.path.resolve().parent == BUNDLED_FOLDER
