"""The report as one HTML file that carries everything in itself."""

import re
from importlib import resources
from string import Template
from typing import NamedTuple

from gan_vs_vae import exhibits
from gan_vs_vae.figures import color_of
from gan_vs_vae.findings import find_all
from gan_vs_vae.markup import details, paragraph, section, text_of
from gan_vs_vae.pooling import Entry, pooled_rows
from gan_vs_vae.tables import configuration_table, score_table, trained_table
from gan_vs_vae.words import listed

DATASETS = {
    "mnist": "MNIST digits",
    "fashion_mnist": "Fashion-MNIST",
    "orl_faces": "ORL faces",
    "image_folder": "Images of a folder",
}
"""Data set -> what a reader calls it."""


class Material(NamedTuple):
    """All that a report is made of.

    Attributes:
        runs: list of `Run`.
        entries: list of `Entry`, the same runs pooled.
        networks: title of a run -> dict of name -> loaded network.
        drawn: title of a run -> `Drawn`.
        qualities: title of a run -> `Quality`.
        seed: of the pictures and scores.
    """

    runs: list
    entries: list
    networks: dict
    drawn: dict
    qualities: dict
    seed: int


def build_page(material):
    """The report's HTML.

    Args:
        material: `Material`.

    Returns:
        str. The same material gives the same text.
    """
    runs, entries = material.runs, material.entries
    colors = colors_of(entries)
    scores = {title: quality.scores for title, quality in material.qualities.items()}
    rows = pooled_rows(entries, scores)
    parts = sections_of(material, rows, colors)
    return Template(_read("page.html")).substitute(
        title=text_of(f"{_heading(entries)}: {listed([entry.title for entry in entries])}"),
        kicker=text_of(_kicker(runs)),
        heading=text_of(_heading(entries)),
        subject=text_of(_subject(entries)),
        findings=shown(find_all(entries, rows), [entry.title for entry in entries]),
        contents="".join(f'<li><a href="#{one[0]}">{text_of(one[1])}</a></li>' for one in parts),
        sections="".join(section(*one) for one in parts),
        footer=paragraph(_footer(material)),
        style=_read("page.css"),
        script=_read("page.js"),
    )


def _read(name):
    return resources.files("gan_vs_vae").joinpath(name).read_text(encoding="utf-8")


def colors_of(entries):
    """Title of an entry, and of each of its runs -> its colour."""
    colors = {}
    for index, entry in enumerate(entries):
        colors |= dict.fromkeys([entry.title, *(run.title for run in entry.runs)], color_of(index))
    return colors


def sections_of(material, rows, colors):
    """The parts of the page below the findings: list of (anchor, title, HTML)."""
    runs, drawn = material.runs, material.drawn
    trained = trained_table(runs, material.networks, colors) + configuration_table(runs, colors)
    noun = exhibits.noun_of(runs[0])
    return [
        ("trained", "What was trained", trained),
        ("samples", "Samples", exhibits.samples(runs, drawn, colors)),
        ("progress", "While training", exhibits.progress(runs, drawn, colors)),
        (
            "neighbours",
            f"The nearest training {noun}",
            exhibits.neighbours(runs, drawn, colors),
        ),
        ("between", "Between two latents", exhibits.strips(runs, drawn, colors)),
        ("losses", "Loss curves", exhibits.losses(runs, colors)),
        ("time", "Quality against time", exhibits.quality_and_time(runs, colors)),
        ("scores", "Scores", scores_of(material, rows, colors)),
    ]


def shown(sentences, titles):
    """What the numbers show, as HTML; the titles of entries stand out."""
    if not sentences:
        return paragraph("Nothing that can be told from these numbers.")
    items = "".join(f"<li>{_with_titles(sentence, titles)}</li>" for sentence in sentences)
    how = (
        "These sentences are computed from the numbers below. A difference is stated only where "
        "95% intervals do not overlap; an interval tells how far other samples of the same "
        "network would move a score, not how far another training would."
    )
    return f"<ul>{items}</ul>{paragraph(how, 'note')}"


def _with_titles(sentence, titles):
    longest_first = sorted((re.escape(text_of(title)) for title in titles), key=len, reverse=True)
    pattern = rf"(?<![\w-])({'|'.join(longest_first)})(?![\w-])"
    return re.sub(pattern, r"<b>\1</b>", text_of(sentence))


def scores_of(material, rows, colors):
    """The table of scores, what is missing there and why, and each seed by itself."""
    content = paragraph(SCORES_LEAD, "lead")
    content += score_table("Scores with 95% intervals", material.entries, rows, colors)
    content += "".join(paragraph(note, "note") for note in notes_of(material))
    if len(material.entries) < len(material.runs):
        alone = [Entry(run.title, (run,)) for run in material.runs]
        scores = {title: quality.scores for title, quality in material.qualities.items()}
        table = score_table("Scores of each run", alone, pooled_rows(alone, scores), colors)
        content += paragraph(POOLED, "note") + details("Each seed by itself", table)
    return content


SCORES_LEAD = (
    "Below each score its 95% interval, by resampling the images it was computed from. Under "
    "“real images”: what training images get in place of the samples; nothing can be expected "
    "to do better. Bold: better than all others, beyond the intervals. Only scores under the same "
    "grey line were computed the same way and can be compared."
)

POOLED = (
    "Several seeds of one configuration are one column: the mean ± the standard deviation between "
    "them, and from the lowest to the highest end of their n intervals."
)


def notes_of(material):
    """What is missing in the table of scores and why: list of sentences, each once."""
    told, notes = [], {}
    for run in material.runs:
        about = material.qualities[run.title].about
        for note in map(str, about.get("notes", ())):
            if note == about.get("without_classifier"):
                told = [without_classifier(run)]
            else:
                notes.setdefault(note, []).append(run.title)
    return told + [f"{listed(titles)}: {note}." for note, titles in notes.items()]


def without_classifier(run):
    """Why the scores of a run that see images by a classifier are missing."""
    noun = exhibits.noun_of(run)
    why = f"There is no classifier of these {noun} to see them by"
    if run.spec.num_classes is None:
        why = f"These {noun} have no class labels, so no classifier can learn to see them"
    return (
        f"{why}. Fréchet and kernel distance, precision and recall, density and coverage, and all "
        "that counts classes need one and are left out; what compares pixels remains."
    )


def _heading(entries):
    families = list(dict.fromkeys(entry.family for entry in entries))
    if len(families) == 2:
        return "GAN versus VAE"
    return f"{families[0]}s compared" if len(entries) > 1 else f"A {families[0]}"


def _kicker(runs):
    spec = runs[0].spec
    height, width, channels = spec.image_shape
    kind = "grey" if channels == 1 else "colour"
    name = DATASETS.get(runs[0].settings.data.dataset, runs[0].settings.data.dataset)
    return f"{name}: {spec.num_train:,} {kind} training images of {height}×{width} pixels"


def _subject(entries):
    of = listed([f"the {entry.family} {entry.title}" for entry in entries])
    of = of[0].upper() + of[1:]
    if len(entries) == 1:
        return f"{of}: what it draws, how it came to it, what it is worth."
    return f"{of}, side by side: what they draw, how they came to it, what it is worth."


def _footer(material):
    folders = " ".join(run.folder_name for run in material.runs)
    return (
        f"Written by python -m gan_vs_vae --seed {material.seed} from the run folders {folders}. "
        "This file needs no network: everything is in it."
    )
