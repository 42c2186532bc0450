"""A `Request` becomes a run."""

import json
import os
from functools import partial

from training_run.config.load import check_against_data, find_config, load_config
from training_run.config.yaml_source import is_one_of
from training_run.devices.cluster import check_batch_size, check_distribution
from training_run.python.own import array_settings, network_settings
from training_run.python.request import Overrides, request_new_run, request_resume
from training_run.python.run import OUTCOMES
from training_run.run_folder.find import reference_of
from training_run.run_folder.paths import check_output_dir
from training_run.step.precision import resolve_for_machine
from training_run.tensorflow_import import import_tensorflow, without_retracing_warnings


def start(family, request):
    """Train what a `Request` asks for, to its end or until it is interrupted.

    Args:
        family: the `Family`.
        request: its `Request`.

    Returns:
        The `Ended` run.

    Raises:
        UserError: before anything is written, if the images or this machine do not suit; later, if
            something cannot be written. What has been written is whole.
    """
    cluster = check_distribution(request.config, request.path)
    import_tensorflow()
    config = resolve_for_machine(request.config)
    from training_run.devices.strategy import open_devices, watched_workers
    from training_run.loop.fit import resume, train

    with watched_workers(cluster), without_retracing_warnings():
        devices = open_devices(config.distribution.strategy, cluster)
        check_batch_size(config, devices.num_replicas, request.path)
        data = request.dataset.read(partial(print, flush=True))
        check_against_data(config, data.spec, request.path)  # it may lack unreadable images
        if request.run is None:
            return train(family, config, data, devices)
        may_change_data = is_one_of("data", request.allowed)
        run, checkpoint, changes = request.run, request.checkpoint, request.changes
        return resume(family, config, data, devices, run, checkpoint, changes, may_change_data)


def train(run_class, family, config=None, settings=None, seed=None, own=None):
    """Train in a new run folder, as `python -m <family.program>` does.

    Args:
        run_class: the family's subclass of `Run`.
        family: the `Family` to train, of the kind that `run_class` is of.
        config: a preset's name or the path of a YAML file; None for the family's default preset.
        settings: keys of the YAML to their values, `{"training.steps": 2000}` or
            `{"training": {"steps": 2000}}`.
        seed: the key `seed`; None for the configuration's.
        own: what is given in Python, as an `Own`; None for nothing.

    Returns:
        The run. Its `outcome` says whether the training came to its end. An interrupt (Ctrl-C, or
        the stop button of a notebook) ends it cleanly and gives the run back, too.

    Raises:
        UserError: something in it is wrong; the sentence says what.
    """
    settings = dict(settings or {}) | ({} if seed is None else {"seed": seed})
    overrides = overrides_from(settings)
    if own is not None:
        overrides = with_own_parts(family, config, overrides, own)
    request = request_new_run(family, config, overrides)
    return _ended_run(run_class, start(family, request))


def resume(run_class, family, run="latest", settings=None, allow_change=(), outputs="outputs"):
    """Go on with a run, as `--resume` does.

    Args:
        run_class, family: as for `train`.
        run: a `Run`, its folder, its number, or "latest".
        settings: as for `train`, such as `{"training.steps": 60_000}`.
        allow_change: keys and sections of the configuration that are changed on purpose although
            they make it another training.
        outputs: folder that a number or "latest" is looked up in.

    Returns:
        The run, as `train` does.

    Raises:
        UserError: something in it is wrong; the sentence says what.
    """
    overrides = overrides_from(settings or {})
    request = request_resume(family, reference_of(run), outputs, overrides, allow_change)
    return _ended_run(run_class, start(family, request))


def with_own_parts(family, config, overrides, own):
    """The `Overrides` with those that name what an `Own` brings; this is kept in files.

    Raises:
        UserError: the rest of the configuration is wrong, which is found out first, or a part is.
    """
    path = find_config(family.default_preset if config is None else config)
    plain = load_config(family.config_class, path, *overrides)
    check_output_dir(plain.output_dir)
    texts = []
    if own.networks:
        texts.append(f"model={json.dumps(network_settings(own.networks, plain.output_dir))}")
    if own.images is not None:
        kept = array_settings(own.images, own.labels, own.class_names, plain.output_dir)
        texts += overrides_from(kept).texts
    return Overrides([*texts, *overrides.texts], overrides.place)


def overrides_from(settings):
    """The `Overrides` of a dict of dotted keys, or nested dicts, to values."""
    texts = [
        f"{key}={json.dumps(value, default=plain_value)}" for key, value in flat_items(settings)
    ]
    return Overrides(texts, "settings")


def flat_items(settings, prefix=""):
    """(dotted key, value) of each value in nested dicts."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from flat_items(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def plain_value(value):
    """What is written for a value that JSON does not know: numbers and lists of numpy, paths."""
    return value.tolist() if hasattr(value, "tolist") else os.fspath(value)


def _ended_run(run_class, ended):
    return ended.run and run_class(ended.run, OUTCOMES[ended.exit_code])
