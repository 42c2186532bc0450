"""The report as one HTML file that needs no other file."""

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import gan_vs_vae.wording as wording
from gan_vs_vae.figures import colors_of, loss_curves, quality_chart, quality_curves
from gan_vs_vae.findings import find_all
from gan_vs_vae.pictures import NUM_NEIGHBOURS, NUM_STRIPS, STRIP_FRAMES
from gan_vs_vae.pooling import Entry, pool_runs, pooled_rows
from gan_vs_vae.tables import configuration_table, describe_protocol, score_table, training_table
from training_run.pictures.interpolation import percentages


def build_page(runs, networks, pictures, real, qualities, seed, *, explorer=None):
    """The report's HTML.

    Args:
        runs: list of `Run`.
        networks: title of a run to dict of name to loaded network.
        pictures: title of a run to `RunPictures`.
        real: the `RealPictures` of its images.
        qualities: title of a run to `Quality`.
        seed: seed of the pictures and scores.
        explorer: name of a page beside the report in which these networks run; None without one.

    Returns:
        str. The same arguments give the same text.
    """
    entries = pool_runs(runs)
    rows, colors = pooled_rows(entries, qualities), colors_of(entries)
    values = {
        "runs": runs,
        "entries": entries,
        "spec": runs[0].spec,
        "seed": seed,
        "real": real,
        "explorer": explorer,
        "findings": find_all(entries, rows),
        "colors": colors,
        "pictures": pictures,
        "training": training_table(runs, networks),
        "configuration": configuration_table(runs),
        "loss_curves": {run.title: loss_curves(run) for run in runs},
        "films": [_film(pictures[run.title].frames) for run in runs if pictures[run.title].frames],
        "charts": quality_charts(runs, colors),
        "scores": score_table(entries, rows),
        "scores_by_seed": _scores_by_seed(runs, qualities) if len(entries) < len(runs) else None,
        "notes": _notes(runs, qualities),
        "without_classifier": [
            run.title for run in runs if "class_imbalance" not in qualities[run.title].scores
        ],
        "num_neighbours": NUM_NEIGHBOURS,
        "num_strips": NUM_STRIPS,
        "ticks": percentages(STRIP_FRAMES),
    }
    return make_environment().get_template("page.html").render(values)


def make_environment():
    """The Jinja environment of the templates: it escapes all values and knows `wording`."""
    environment = Environment(
        loader=PackageLoader("gan_vs_vae"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bold_titles": bold_titles,
        "join_with_and": wording.join_with_and,
        "thousands": "{:,}".format,
    }
    return environment


def bold_titles(sentence, titles):
    """A sentence as HTML, with the titles of entries in bold."""
    longest_first = "|".join(sorted(map(re.escape, titles), key=len, reverse=True))
    parts = re.split(rf"(?<![\w-])({longest_first})(?![\w-])", sentence)
    parts[1::2] = [Markup("<b>{}</b>").format(title) for title in parts[1::2]]
    return Markup("").join(parts)


def quality_charts(runs, colors):
    """Charts of the Fréchet distance while training, one for each protocol: list of (description
    of the protocol, titles of its runs, `Picture`)."""
    return [
        (
            describe_protocol(protocol) if protocol else "The protocol was not recorded",
            [curve.run.title for curve in curves],
            quality_chart(curves, colors),
        )
        for protocol, curves in quality_curves(runs).items()
    ]


def _scores_by_seed(runs, qualities):
    entries = [Entry(run.title, (run,)) for run in runs]
    return score_table(entries, pooled_rows(entries, qualities))


def _film(frames):
    """The frames of a run as the script of the page reads them."""
    return [
        {
            "fraction": one.fraction,
            "src": one.picture.uri,
            "alt": one.picture.alt,
            "caption": one.caption,
        }
        for one in frames
    ]


def _notes(runs, qualities):
    """What scoring noted, each note once: list of sentences."""
    notes = {}
    for run in runs:
        about = qualities[run.title].about
        for note in about.get("notes", ()):
            if note != about.get("without_classifier"):  # the page has a sentence of its own
                notes.setdefault(note, []).append(run.title)
    return [f"{wording.join_with_and(titles)}: {note}." for note, titles in notes.items()]
