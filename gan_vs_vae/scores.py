"""The scores of runs: read from their folders where they fit, else computed."""

from sample_quality.image_scores import OF_EACH_IMAGE
from sample_quality.priors import prior_checksum
from sample_quality.protocol import (
    MAX_REAL,
    METRICS,
    Protocol,
    Quality,
    read_quality,
    write_quality,
)
from sample_quality.score_run import find_classifier, measure_each_image, measure_run
from training_run.errors import UserError
from training_run.files import sha256_of_file


def score_runs(runs, data, num, seed, report):
    """The `Quality` of each run, all by the same protocol.

    New scores are saved in the run's quality.json, but never over scores of the same network by
    another protocol. Scores of an older version of the package are kept, and what it did not
    measure is added. A folder that cannot be written to is left as it is.

    Args:
        runs: list of `Run`.
        data: the `ImageData` of all of them.
        num: number of samples of a score.
        seed: seed of the protocol.
        report: a function that receives a line for each run that has to be scored.

    Returns:
        dict of title to `Quality`.

    Raises:
        UserError: a run cannot be scored.
    """
    protocols = wanted_protocols(data, runs[0].settings.data, num, seed)
    found = {}
    for run in runs:
        quality = stored_quality(run)
        if quality is None or not has_protocols(quality, protocols):
            report(f"scoring {run.folder.path} (about a minute)")
            may_save = quality is None
            quality = measure_run(run.folder, run.network, run.settings, num, seed)
        elif may_save := not quality.scores.keys() >= OF_EACH_IMAGE.keys():
            report(f"measuring the sharpness of {run.folder.path}")
            quality = _add_scores_of_each_image(run, quality, data, num, seed)
        if may_save:
            _save(run, quality)
        found[run.title] = quality
    return found


def _add_scores_of_each_image(run, quality, data, num, seed):
    more = measure_each_image(run.folder, run.network, run.settings, data, num, seed)
    scores = quality.scores | more
    return Quality({name: scores[name] for name in METRICS if name in scores}, quality.about)


def wanted_protocols(data, data_config, num, seed):
    """Protocols that the scores of these images must have: name of a score to `Protocol`.

    The number of samples is limited to the number of training images.
    """
    num = min(num, len(data.x_train))
    among = {"duplicated": Protocol.among(num, seed)}
    classifier = find_classifier(data, data_config, note=lambda _: None)
    if classifier is None:
        return among
    against = Protocol.against(data.x_test[:MAX_REAL], num, seed)
    return among | {"frechet_distance": against.by_classifier(classifier)}


def stored_quality(run):
    """The `Quality` in quality.json, or None if there is none of the network and its learned prior
    as they are now."""
    try:
        quality = read_quality(run.folder.path / "quality.json")
    except UserError:  # missing, damaged, or of another version
        return None
    checksum = sha256_of_file(run.folder.network(run.network))
    scored = quality.about.get("network_sha256"), quality.about.get("prior_sha256")
    prior = prior_checksum(run.folder) if run.network == "decoder" else None
    return quality if scored == (checksum, prior) else None


def has_protocols(quality, protocols):
    """True if a `Quality` has each of these scores by its protocol (see `wanted_protocols`)."""
    return all(
        name in quality.scores and quality.scores[name].protocol == protocol
        for name, protocol in protocols.items()
    )


def _save(run, quality):
    try:
        write_quality(run.folder.path / "quality.json", quality)
    except OSError:
        return  # a read-only folder; the report has the scores
