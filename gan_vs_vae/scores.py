"""The scores of runs: those in their folders where they will do, else computed."""

from sample_quality.protocol import MAX_REAL, Protocol, read_quality, write_quality
from sample_quality.score_run import find_classifier, measure_run
from training_run.errors import UserError
from training_run.files import sha256_of_file


def qualities_of(runs, data, num, seed, report):
    """The `Quality` of each run, all by one protocol.

    What is computed is kept in the run's quality.json, unless there are scores of the same
    network by another protocol, or the folder cannot be written to.

    Args:
        runs: list of `Run`.
        data: the `ImageData` of all of them.
        num: samples to a score.
        seed: of the protocol.
        report: receives a line for each run that has to be scored.

    Returns:
        dict of title -> `Quality`.

    Raises:
        UserError: if a run cannot be scored.
    """
    wanted = wanted_protocols(data, runs[0].settings.data, num, seed)
    found = {}
    for run in runs:
        quality = stored_quality(run)
        if quality is None or not answers(quality, wanted):
            report(f"scoring {run.folder.path} (about a minute)")
            fresh = measure_run(run.folder, run.network, run.settings, num, seed)
            if quality is None:
                _keep(run, fresh)
            quality = fresh
        found[run.title] = quality
    return found


def wanted_protocols(data, data_config, num, seed):
    """Protocols that scores of these images must have: name of a score -> `Protocol`.

    Args:
        data: `ImageData`.
        data_config: the `data` section that it was loaded by.
        num: samples to a score; fewer where there are fewer training images.
        seed: of the protocol.
    """
    pixels = Protocol.against(data.x_test[:MAX_REAL], min(num, len(data.x_train)), seed)
    classifier = find_classifier(data, data_config, note=lambda _: None)
    if classifier is None:
        return {"duplicated": pixels}
    return {"duplicated": pixels, "frechet_distance": pixels.by_classifier(classifier)}


def stored_quality(run):
    """What quality.json says of the network as it is now, or None."""
    path = run.folder.path / "quality.json"
    if not path.is_file():
        return None
    try:
        quality = read_quality(path)
    except UserError:  # damaged, or of another version: scored anew
        return None
    checksum = sha256_of_file(run.folder.network(run.network))
    return quality if quality.about.get("network_sha256") == checksum else None


def answers(quality, wanted):
    """Whether scores were computed by the protocols that are wanted."""
    return all(
        name in quality.scores and quality.scores[name].protocol == protocol
        for name, protocol in wanted.items()
    )


def _keep(run, quality):
    try:
        write_quality(run.folder.path / "quality.json", quality)
    except OSError:
        return  # a folder to look at only; the report has the scores
