"""The tables of a report: what was trained, and what it scored."""

from gan_vs_vae.findings import rank
from gan_vs_vae.markup import Cell, Group, Head, details, table
from gan_vs_vae.runs import config_differences, section
from gan_vs_vae.words import duration, number, range_of
from sample_quality.protocol import METRICS, PIXELS

MEANINGS = {
    "frechet_distance": "how far samples, taken together, are from real images",
    "kernel_distance": "the same question, asked without taking features for a Gaussian",
    "classifier_score": "each sample of a certain class, all classes alike",
    "precision": "share of samples that lie among real images",
    "recall": "share of real images that lie among samples",
    "density": "how many real images a sample lies among, for each expected",
    "coverage": "share of real images with a sample nearby",
    "class_imbalance": "share that would have to change class for equal classes",
    "missing_classes": "classes that hardly ever come",
    "conditional_accuracy": "share of samples of the class that was asked for",
    "memorized": "share of samples that are copies of a training image",
    "duplicated": "share of samples with a twin among the others",
    "reconstruction_error": "squared error of all pixels, black 0, white 1",
    "negative_elbo": "bound on −log p(x), nats an image",
    "elbo_reconstruction": "what of the bound is the price of the pixels",
    "elbo_kl": "what of the bound is the price of the latents",
    "negative_log_likelihood": "estimate of −log p(x), nats an image",
}
"""Name of a score -> what it says, in a few words."""


def trained_table(runs, networks_of, colors):
    """What was trained, a column for each run.

    Args:
        runs: list of `Run`.
        networks_of: title -> dict of name -> loaded network.
        colors: title -> colour.
    """
    properties = {
        "family": lambda run: run.family,
        "preset": lambda run: run.name,
        "run": lambda run: run.folder_name,
        "seed": lambda run: str(run.seed),
        "trained": _progress,
        "batch": lambda run: f"{section(run.values, 'training').get('batch_size', '–')} images",
        "training time": _time,
        "networks": lambda run: _sizes(networks_of[run.title]),
        "hardware": _hardware,
        "software": _software,
    }
    rows = [
        (Head(name), [_as_cell(tell(run)) for run in runs]) for name, tell in properties.items()
    ]
    columns = [Head(run.title, color=colors[run.title]) for run in runs]
    return table("What was trained", "", columns, [Group("", rows)])


def _as_cell(told):
    return told if isinstance(told, Cell) else Cell(told)


def _progress(run):
    if run.step is None:
        return "no log"
    if run.is_unfinished:
        return Cell(
            f"{run.step:,} steps",
            f"of {run.total_steps:,}; pictures and scores are of the networks saved last",
        )
    return f"{run.step:,} steps"


def _time(run):
    if not run.seconds or not run.step:
        return "not recorded"
    each = number(1000 * run.seconds / run.step)
    return Cell(duration(run.seconds), f"{each} ms a step, pictures and log included")


def _sizes(networks):
    sizes = [f"{name} {network.count_params():,}" for name, network in networks.items()]
    return Cell(", ".join(sizes), "parameters of each saved network")


def _hardware(run):
    hardware = section(run.environment, "hardware")
    if not hardware:
        return "not recorded"
    gpus = hardware.get("gpus") or ["no GPU"]
    cores = f"{hardware.get('cpu_count', '?')} CPU cores"
    return ", ".join(map(str, [hardware.get("processor", "?"), cores, *gpus]))


def _software(run):
    versions = section(run.environment, "versions")
    if not versions:
        return "not recorded"
    names = {"tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy"}
    told = [f"{word} {versions[name]}" for name, word in names.items() if name in versions]
    return ", ".join([f"Python {run.environment.get('python', '?')}", *told])


def configuration_table(runs, colors):
    """The keys of the configuration that differ, to be opened; nothing for one run."""
    differences = config_differences(runs)
    if not differences:
        return ""
    rows = [(Head(key), [Cell(_value(value)) for value in values]) for key, values in differences]
    columns = [Head(run.title, color=colors[run.title]) for run in runs]
    summary = f"Configuration: {len(rows)} keys that differ"
    return details(summary, table("Keys that differ", "key", columns, [Group("", rows)]))


def _value(value):
    if value is None:
        return "–"
    return str(value).lower() if isinstance(value, bool) else str(value)


def score_table(caption, entries, rows, colors):
    """Scores, a column for each entry and one for real images, grouped by protocol.

    Args:
        caption: text above.
        entries: list of `Entry`.
        rows: list of `Row` of these entries.
        colors: title of an entry -> its colour.
    """
    groups = {}
    for row in rows:
        groups.setdefault(row.protocol, []).append(row)
    columns = [Head(entry.title, entry.family, colors[entry.title]) for entry in entries]
    columns.append(Head("real images", "the floor"))
    titles = [entry.title for entry in entries]
    return table(
        caption,
        "score",
        columns,
        [
            Group(
                f"{protocol_in_words(protocol)}; seed {protocol.seed}",
                [_score_row(row, titles) for row in found],
            )
            for protocol, found in groups.items()
        ],
    )


def _score_row(row, titles):
    metric = METRICS[row.name]
    better = {"lower": "lower is better", "higher": "higher is better"}.get(
        metric.better, "as for real images is best"
    )
    winner = _clear_winner(row, metric.better)
    cells = [_score_cell(row.cells.get(title), title == winner) for title in titles]
    label = metric.label.strip().replace("-log", "−log").replace("-ELBO", "−ELBO")
    head = Head(label, f"{MEANINGS[row.name]}; {better}")
    return head, [*cells, Cell(number(row.floor))]


def _score_cell(measured, stands_out):
    if measured is None:
        return Cell("–")
    if measured.spread is None:
        return Cell(number(measured.value), range_of(measured), stands_out)
    text = f"{number(measured.value)} ± {number(measured.spread, 2)}"
    return Cell(text, f"{range_of(measured)}; n = {measured.num_runs}", stands_out)


def _clear_winner(row, better):
    """Title of the entry that is better than all others beyond the intervals, or None."""
    if len(row.cells) < 2 or better not in ("lower", "higher"):
        return None
    ranking = rank(row.cells, better)
    return None if ranking.tied else ranking.best


def protocol_in_words(protocol):
    """A protocol without its seed, for a reader; with the checksums that tell it from others."""
    real = f"{protocol.num_real:,} {_split(protocol.split)} images ({protocol.real_sha256[:8]})"
    if not protocol.num_generated:
        how = "encoded, decoded and compared pixel by pixel"
        return f"{real}, {how if protocol.features == PIXELS else protocol.features}"
    if protocol.features == PIXELS:
        seen = "compared pixel by pixel"
    else:
        seen = f"seen through the features of the {protocol.features}"
        seen += f" ({protocol.features_sha256[:8]})" if protocol.features_sha256 else ""
    return f"{protocol.num_generated:,} samples against {real}, {seen}"


def _split(split):
    return {"train": "training"}.get(split, split)
