"""The tables of a report as plain values: what was trained, what differs, and the scores."""

from typing import NamedTuple

from gan_vs_vae.ranking import rank
from gan_vs_vae.runs import config_differences
from gan_vs_vae.wording import duration, interval, number
from sample_quality.protocol import EACH_IMAGE, METRICS, PIXELS

MEANINGS = {
    "frechet_distance": "distance between the features of samples and of real images",
    "kernel_distance": "the same, without taking the features for a Gaussian",
    "classifier_score": "high if each sample has a clear class and all classes are equally many",
    "precision": "share of samples inside the reference's neighbourhoods",
    "recall": "share of real images close to samples",
    "density": "number of real images near a sample, relative to the expected number",
    "coverage": "share of real images with a sample nearby",
    "class_imbalance": "share of samples that would have to change class for equal classes",
    "missing_classes": "number of classes with hardly any samples, as the classifier sees them",
    "conditional_accuracy": "share of samples that the classifier assigns to the requested label",
    "sharpness": "slope of edges: share of an image's contrast that an edge crosses in a pixel",
    "fine_detail": "share of an image's variance that repeats within 4 pixels; noise has most",
    "contrast": "brightest minus darkest pixel of an image, black 0, white 1",
    "modes": "combinations of three digits, of 1,000, that are drawn at all",
    "mode_divergence": "KL divergence of those combinations from equal shares, nats",
    "memorized": "share of samples that are copies of a training image",
    "duplicated": "share of samples nearly equal to another sample",
    "reconstruction_error": "squared error, sum over all pixels, black 0, white 1",
    "negative_elbo": "upper bound on −log p(x), nats per image",
    "elbo_reconstruction": "reconstruction part of the bound",
    "elbo_kl": "KL part of the bound",
    "negative_log_likelihood": "estimate of −log p(x), nats per image",
    "negative_log_likelihood_learned_prior": "the same with the learned prior as p(z)",
    "frechet_distance_normal_prior": "what samples of N(0, I) have in place of the learned prior's",
    "precision_normal_prior": "share of samples of N(0, I) close to real images",
    "recall_normal_prior": "share of real images close to samples of N(0, I)",
    "coverage_normal_prior": "share of real images with a sample of N(0, I) nearby",
}
"""Name of a score to what it measures."""

BETTER = {
    "lower": "lower is better",
    "higher": "higher is better",
    "near floor": "best if equal to that of real images",
}


UP_TO_REAL = ("precision", "recall", "coverage")
"""Scores that are no merit beyond those of real images: blurred samples can have more precision."""


class Cell(NamedTuple):
    """A cell of a table: its text, a smaller text below it, and True if it is bold."""

    text: str
    note: str = ""
    is_bold: bool = False


class Row(NamedTuple):
    """A row of a table: its head, a smaller text below the head, and its `Cell`s."""

    head: str
    note: str
    cells: list


class Group(NamedTuple):
    """Rows of a table below a title of their own; without one, the title is ""."""

    title: str
    rows: list


class Table(NamedTuple):
    """A table: a `Cell` for the head of each column, and `Group`s of rows."""

    columns: list
    groups: list


def training_table(runs, networks):
    """What was trained: a `Table` with a column for each run (arguments as in `build_page`)."""
    properties = {
        "family": lambda run: Cell(run.family),
        "preset": lambda run: Cell(run.name),
        "run": lambda run: Cell(run.folder_name),
        "seed": lambda run: Cell(str(run.seed)),
        "data": _data,
        "trained": _trained_steps,
        "batch": lambda run: Cell(f"{run.values['training']['batch_size']} images"),
        "training time": _training_time,
        "networks": lambda run: _network_sizes(networks[run.title]),
        "hardware": _hardware,
        "software": _software,
    }
    rows = [Row(name, "", [cell(run) for run in runs]) for name, cell in properties.items()]
    return Table([Cell(run.title) for run in runs], [Group("", rows)])


def _data(run):
    return Cell(
        run.spec.title, f"SHA-256 of the training images {run.data_checksum or 'not recorded'}"
    )


def _trained_steps(run):
    if run.step is None:
        return Cell("no log")
    steps = f"{run.step:,} steps"
    if not run.is_unfinished:
        return Cell(steps)
    return Cell(steps, f"of {run.total_steps:,}; pictures and scores use the last saved networks")


def _training_time(run):
    if not run.seconds:
        return Cell("not recorded")
    each = number(1000 * run.seconds / run.step)
    return Cell(duration(run.seconds), f"{each} ms per step, pictures and log included")


def _network_sizes(networks):
    sizes = [f"{name} {network.count_params():,}" for name, network in networks.items()]
    return Cell(", ".join(sizes), "parameters of each saved network")


def _hardware(run):
    hardware = run.environment and run.environment.hardware
    if not hardware:
        return Cell("not recorded")
    gpus = hardware.gpus or ["no GPU"]
    return Cell(", ".join([hardware.processor, f"{hardware.cpu_count or '?'} CPU cores", *gpus]))


def _software(run):
    versions = run.environment and run.environment.versions
    if not versions:
        return Cell("not recorded")
    names = {"tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy"}
    texts = [f"{label} {versions[name]}" for name, label in names.items() if name in versions]
    return Cell(", ".join([f"Python {run.environment.python}", *texts]))


def configuration_table(runs):
    """Keys of the configuration that differ: a `Table` with a column for each run."""
    differences = config_differences(runs)
    rows = [Row(key, "", [_value(value) for value in values]) for key, values in differences]
    return Table([Cell(run.title) for run in runs], [Group("", rows)])


def _value(value):
    if value is None:
        return Cell("–")
    return Cell(str(value).lower() if isinstance(value, bool) else str(value))


def score_table(entries, rows):
    """`ScoreRow`s of entries, grouped by protocol: a `Table` with a column for each entry and one
    for real images."""
    groups = {}
    for row in rows:
        title = f"{describe_protocol(row.protocol)}; seed {row.protocol.seed}"
        cells = _score_row(row, [entry.title for entry in entries])
        groups.setdefault(title, Group(title, [])).rows.append(cells)
    columns = [Cell(entry.title, entry.family) for entry in entries]
    return Table([*columns, Cell("real images", "for comparison")], list(groups.values()))


def _score_row(row, titles):
    metric = METRICS[row.name]
    best = _clearly_best(row, metric.better)
    cells = [_score_cell(row.scores.get(title), title == best) for title in titles]
    label = metric.label.strip().replace("-log", "−log").replace("-ELBO", "−ELBO")
    better = BETTER[metric.better]
    if row.name in UP_TO_REAL:
        better += ", up to that of real images"
    note = f"{MEANINGS[row.name]}; {better}"
    return Row(label, note, [*cells, Cell(number(row.floor))])


def _score_cell(score, is_bold):
    if score is None:
        return Cell("–")
    if score.spread is None:
        return Cell(number(score.value), interval(score), is_bold)
    text = f"{number(score.value)} ± {number(score.spread, 2)}"
    return Cell(text, f"{interval(score)}; n = {score.num_runs}", is_bold)


def _clearly_best(row, better):
    """Title of the entry that is better than all others beyond the intervals, or None."""
    if len(row.scores) < 2 or better == "near floor":
        return None
    best, tied, _ = rank(row.scores, better)
    is_beyond = row.name in UP_TO_REAL and row.scores[best].low > row.floor
    return None if tied or is_beyond else best


def describe_protocol(protocol):
    """A protocol as text, without its seed. Short checksums identify images and features."""
    if protocol.features == EACH_IMAGE:
        return f"{protocol.num_generated:,} samples, {EACH_IMAGE}"
    if not protocol.num_real:
        return f"{protocol.num_generated:,} samples, compared pixel by pixel with each other"
    split = "training" if protocol.split == "train" else protocol.split
    real = f"{protocol.num_real:,} {split} images ({protocol.real_sha256[:8]})"
    by_pixel = protocol.features == PIXELS
    if not protocol.num_generated:
        how = "encoded, decoded and compared pixel by pixel" if by_pixel else protocol.features
        return f"{real}, {how}"
    how = "compared pixel by pixel"
    if not by_pixel:
        checksum = f" ({protocol.features_sha256[:8]})" if protocol.features_sha256 else ""
        how = f"compared in the features of the {protocol.features}{checksum}"
    return f"{protocol.num_generated:,} samples and {real}, {how}"
