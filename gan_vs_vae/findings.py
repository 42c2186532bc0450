"""What a comparison shows, in sentences that follow from its numbers.

A difference is stated only where 95% intervals do not overlap. (That asks for more than a test at
5% would, which is right for a handful of comparisons read at once.) Of several seeds the interval
reaches from the lowest to the highest of theirs, so a difference then holds for every one.
"""

from typing import NamedTuple

from gan_vs_vae.runs import section
from gan_vs_vae.words import duration, listed, number, percent, range_of

SAME_TIME = 1.1
"""Times within ten percent are about the same: a machine's own differences are as large."""


class Ranking(NamedTuple):
    """Entries by one score.

    Attributes:
        best: title of the best one.
        tied: titles of those whose intervals overlap the best one's.
        behind: titles of the others, the better first.
    """

    best: str
    tied: tuple
    behind: tuple


def rank(cells, better):
    """The `Ranking` of entries.

    Args:
        cells: title -> `Measured`, at least one.
        better: "lower" or "higher".
    """
    sign = 1 if better == "lower" else -1
    first, *others = sorted(cells, key=lambda title: sign * cells[title].value)
    best = cells[first]

    def overlaps(other):
        return other.low <= best.high and best.low <= other.high

    return Ranking(
        first,
        tuple(title for title in others if overlaps(cells[title])),
        tuple(title for title in others if not overlaps(cells[title])),
    )


def find_all(entries, rows):
    """All that can be said, in the order of importance.

    Args:
        entries: list of `Entry`.
        rows: list of `Row`.

    Returns:
        List of sentences.
    """
    return [
        *unfinished(entries),
        *frechet(rows),
        *precision_and_recall(rows),
        *classes(rows),
        *copies(entries, rows),
        *times(entries),
    ]


def rows_of(rows, name):
    """The rows of one score; several where runs were scored by different protocols."""
    return [row for row in rows if row.name == name]


def unfinished(entries):
    """A warning for each entry that is not trained to its end."""
    return [
        f"{entry.title} is not trained to its end: step {run.step:,} of {run.total_steps:,}."
        for entry in entries
        for run in entry.runs
        if run.is_unfinished
    ]


def frechet(rows):
    """Whose samples are, taken together, nearest to real ones."""
    sentences = []
    for row in rows_of(rows, "frechet_distance"):
        sentences.append(_nearest(row.cells, rank(row.cells, "lower")))
        if row.floor is not None:
            sentences.append(_against_floor(row))
    return sentences


def _nearest(cells, ranking):
    def scored(titles):
        return listed([f"{title}, {_with_interval(cells[title])}" for title in titles])

    best, tied, behind = ranking
    if tied:
        text = f"In Fréchet distance {listed([best, *tied])} cannot be told apart: "
        text += "their intervals overlap, "
        text += f"{listed([_with_interval(cells[title]) for title in (best, *tied)])}."
        return text + (f" Farther from real images: {scored(behind)}." if behind else "")
    if not behind:
        return f"The Fréchet distance of {best} is {_with_interval(cells[best])}."
    lower, nearer = ("lower", "nearer") if len(behind) == 1 else ("lowest", "nearest")
    return (
        f"{best} has the {lower} Fréchet distance, {_with_interval(cells[best])}, against "
        f"{scored(behind)}: its samples, taken together, are {nearer} to real images."
    )


def _against_floor(row):
    floor = f"Real training images in place of samples get {number(row.floor)}"
    above = [title for title, cell in row.cells.items() if cell.low > row.floor]
    if len(above) == len(row.cells):
        return (
            f"{floor}: {'neither' if len(above) == 2 else 'none'} comes to that."
            if (len(above) > 1)
            else f"{floor}: it does not come to that."
        )
    return f"{floor}."


def precision_and_recall(rows):
    """Who draws what looks real, and who draws all that is real: often not the same."""
    pairs = [
        (precision, recall)
        for precision in rows_of(rows, "precision")
        for recall in rows_of(rows, "recall")
        if precision.protocol == recall.protocol and len(precision.cells) > 1
    ]
    return [sentence for pair in pairs for sentence in _contrast(*pair)]


def _contrast(precision, recall):
    looks, covers = rank(precision.cells, "higher"), rank(recall.cells, "higher")
    if looks.tied or covers.tied:
        return [_one_of_two(precision, looks), _one_of_two(recall, covers)]
    of_looks = f"precision {_against(precision.cells, looks)}"
    of_covers = f"recall {_against(recall.cells, covers)}"
    if looks.best == covers.best:
        return [
            f"{looks.best} is ahead both in how real its samples look ({of_looks}) and in how "
            f"much of the variety they have ({of_covers})."
        ]
    return [
        f"More of what {looks.best} draws looks real ({of_looks}); {covers.best} has more of the "
        f"variety of real images ({of_covers})."
    ]


def _one_of_two(row, ranking):
    best, tied, behind = ranking
    if tied:
        values = listed([number(row.cells[title].value) for title in (best, *tied)])
        rest = [f"{title} ({number(row.cells[title].value)})" for title in behind]
        text = f"In {row.name} {listed([best, *tied])} cannot be told apart ({values})"
        return f"{text}; {listed(rest)} {_is(rest)} lower." if rest else f"{text}."
    meaning = {
        "precision": "more of what it draws looks real",
        "recall": "it has more of the variety of real images",
    }[row.name]
    word = "higher" if len(behind) == 1 else "highest"
    return f"{best} has the {word} {row.name}, {_against(row.cells, ranking)}: {meaning}."


def _against(cells, ranking):
    others = listed([number(cells[title].value) for title in ranking.behind])
    return f"{number(cells[ranking.best].value)} against {others}"


def classes(rows):
    """Which classes are missing or uneven."""
    sentences = []
    for row in rows_of(rows, "missing_classes"):
        none = [title for title, cell in row.cells.items() if cell.high == 0]
        if none:
            sentences.append(f"Every class appears among the samples of {listed(none)}.")
        sentences += [
            f"{title} misses {number(cell.value)} of {len(cell.parts)} classes."
            for title, cell in row.cells.items()
            if cell.low > 0
        ]
    for row in rows_of(rows, "class_imbalance"):
        uneven = [
            _uneven(title, cell.parts)
            for title, cell in row.cells.items()
            if cell.low > row.floor and cell.parts
        ]
        if uneven:
            text = listed(uneven)
            sentences.append(f"Classes come less evenly than among real images: {text}.")
    return sentences


def _uneven(title, shares):
    most, least = max(shares), min(shares)
    return (
        f"{title} draws class {shares.index(most)} most often ({percent(most)}), class "
        f"{shares.index(least)} least often ({percent(least)})"
    )


def copies(entries, rows):
    """Whether samples are copies of training images, or of one another."""
    sentences = []
    for row in rows_of(rows, "memorized"):
        clean = [title for title, cell in row.cells.items() if cell.value == 0]
        if clean:
            each = "each of" if len(clean) > 1 else "of"
            sentences.append(
                f"None of {row.protocol.num_generated:,} samples {each} {listed(clean)} is a copy "
                f"of a training image.{_unseen_copies(entries, clean)}"
            )
        sentences += _more_than_real(row, "are copies of training images")
    for row in rows_of(rows, "duplicated"):
        sentences += _more_than_real(row, "have a twin among its samples")
    return sentences


def _unseen_copies(entries, titles):
    """What a comparison of pixels misses where images were changed before they were learned."""
    changed = [
        entry
        for entry in entries
        if entry.title in titles and entry.runs[0].settings.data.mirror_and_shift is not None
    ]
    text = " (They learned from mirrored and shifted images: such a copy would not be noticed.)"
    return text if changed else ""


def _more_than_real(row, what):
    return [
        f"{percent(cell.value)} of the samples of {title} {what} (of real images "
        f"{percent(row.floor)})."
        for title, cell in row.cells.items()
        if cell.low > row.floor
    ]


def times(entries):
    """How long the trainings took, if they can be compared."""
    told = [entry for entry in entries if entry.seconds and not _is_unfinished(entry)]
    if len(told) < 2:
        return []
    took = listed([f"{duration(entry.seconds)} for {entry.title}" for entry in told])
    machines = {repr(section(run.environment, "hardware")) for e in told for run in e.runs}
    if len(machines) > 1:
        return [f"Training took {took}, on different machines: times that cannot be compared."]
    quick, *_, slow = sorted(told, key=lambda entry: entry.seconds)
    ratio = slow.seconds / quick.seconds
    if ratio < SAME_TIME:
        return [f"Training took about the same time: {took}."]
    return [f"Training took {took}; {slow.title} {ratio:.1f} times as long as {quick.title}."]


def _is_unfinished(entry):
    return any(run.is_unfinished for run in entry.runs)


def _with_interval(cell):
    return f"{number(cell.value)} ({range_of(cell)})"


def _is(items):
    return "is" if len(items) == 1 else "are"
