"""What a look at samples would show, told by their scores: blur, noise, copies, one image for all.

A fault is stated only where the whole 95% interval is on the wrong side of what real images have,
and blur and noise only where two scores say so. What the classifier says of classes is left out
where it sees images unlike those it has learned from.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gan_vs_vae.pooling import PooledScore
from gan_vs_vae.wording import number, percent

SAME_LOOK = 0.1
"""Sharpness and contrast that differ by less than this part of those of real images look equal."""

SOFT, NO_SHAPE = 0.8, 0.5
"""Parts of the sharpness of real images: above the first, samples are soft rather than blurred;
below the second, the classifier has not learned such images."""

GRAINY = 1.25
"""Fine detail as a multiple of that of real images, from which samples are grainy."""

NOISY = 0.5
"""Share of the variance that is fine detail, from which samples look like noise; independent pixels
have about 0.8."""

BLANK = 0.1
"""Contrast of an image that is nearly of one colour."""

OUTSIDE = 0.5
"""Part of the precision of real images below which most samples are unlike real images."""

FEW_TWINS, MOST_TWINS = 0.01, 0.5
"""Shares of samples nearly equal to another: below the first nobody would notice; above the second,
fine detail is that of a few images, which says nothing of noise."""

ONE_CLASS = 0.9
"""Share of a class from which the other classes are not worth a word."""


class Reading(NamedTuple):
    """A `PooledScore`, the score of real images or None, and names of the classes or None."""

    score: PooledScore
    floor: float | None
    class_names: Sequence[str] | None

    def name_of(self, number):
        """The name of a class; its number where it has none."""
        return self.class_names[number] if self.class_names else str(number)


def read(rows, class_names=None):
    """The scores of each entry: title to dict of name to `Reading`, from `ScoreRow`s."""
    found = {}
    for row in rows:
        for title, score in row.scores.items():
            reading = Reading(score, row.floor, class_names)
            found.setdefault(title, {}).setdefault(row.name, reading)
    return found


def find_faults(rows, class_names=None):
    """The faults of each entry: title to dict of kind (a key of `FAULTS`) to its sentence.

    Args:
        rows: list of `ScoreRow`.
        class_names: of the images' classes; None where they go by their numbers.
    """
    return {title: _faults_of(title, scores) for title, scores in read(rows, class_names).items()}


def _faults_of(title, scores):
    sentences = {kind: fault(title, scores) for kind, fault in FAULTS.items()}
    found = {kind: sentence for kind, sentence in sentences.items() if sentence}
    if not has_classes(scores):
        found = {kind: found[kind] for kind in found if kind not in ("one class", "missing")}
    hidden = {
        "blank": {"blurred"},
        "one class": {"missing"},
        "noise": {"grainy", "hard edges", "pale"},
    }
    if "duplicates" in found and scores["duplicated"].score.low > MOST_TWINS:
        hidden["duplicates"] = {"grainy", "hard edges"}
    hide = set().union(*(hidden[kind] for kind in hidden.keys() & found.keys()))
    return {kind: sentence for kind, sentence in found.items() if kind not in hide}


def has_classes(scores):
    """True if the classifier's classes mean something: its images look like those it has learned.

    Args:
        scores: name to `Reading`, of one entry.
    """
    sharpness = scores.get("sharpness")
    has_shape = sharpness is None or sharpness.score.value > NO_SHAPE * sharpness.floor
    return has_shape and not any(look("", scores) for look in (_outside, _blank, _noise))


def _blank(title, scores):
    contrast = scores.get("contrast")
    if contrast and contrast.score.high < min(BLANK, contrast.floor):
        return f"The samples of {title} are nearly of one colour: {_contrast(contrast)}."
    return None


def _pale(title, scores):
    contrast = scores.get("contrast")
    if contrast and BLANK <= contrast.score.high < (1 - SAME_LOOK) * contrast.floor:
        return f"The samples of {title} are paler than real images: {_contrast(contrast)}."
    return None


def _contrast(contrast):
    return (
        f"their darkest and brightest pixel are {number(contrast.score.value, 2)} apart, those of "
        f"real images {number(contrast.floor, 2)} (black 0, white 1)"
    )


def _blurred(title, scores):
    sharp, fine = scores.get("sharpness"), scores.get("fine_detail")
    if not (sharp and fine and fine.score.high < fine.floor):
        return None
    if sharp.score.high >= (1 - SAME_LOOK) * sharp.floor:
        return None
    is_soft = sharp.score.value > SOFT * sharp.floor
    word = "softer than real images" if is_soft else "blurred"
    return (
        f"The samples of {title} are {word}: an edge crosses {_beside(sharp)} of the contrast in "
        f"a pixel, and fine detail makes {_beside(fine)} of the variance."
    )


def _hard(title, scores):
    sharp, fine = scores.get("sharpness"), scores.get("fine_detail")
    is_hard = sharp and sharp.score.low > (1 + SAME_LOOK) * sharp.floor
    if not (is_hard and fine and fine.score.low > fine.floor):
        return None
    return (
        f"The samples of {title} have harder edges than real images: an edge crosses "
        f"{_beside(sharp)} of the contrast in a pixel."
    )


def _noise(title, scores):
    fine = scores.get("fine_detail")
    if not fine or fine.score.low <= max(NOISY, 2 * fine.floor):
        return None
    return (
        f"The samples of {title} are mostly noise: fine detail makes {_beside(fine)} of the "
        "variance."
    )


def _grainy(title, scores):
    sharp, fine = scores.get("sharpness"), scores.get("fine_detail")
    is_grainy = fine and fine.score.low > GRAINY * fine.floor
    if not (is_grainy and sharp and sharp.score.high < (1 + SAME_LOOK) * sharp.floor):
        return None
    return (
        f"The samples of {title} are grainy: fine detail makes {_beside(fine)} of the variance, "
        "and edges are no sharper for it, which is a sign of noise."
    )


def _outside(title, scores):
    precision = scores.get("precision")
    if not precision or precision.score.high >= OUTSIDE * precision.floor:
        return None
    return (
        f"Most samples of {title} are unlike real images: {_beside(precision)} lie inside the "
        "reference's neighbourhoods."
    )


def _duplicates(title, scores):
    duplicated = scores.get("duplicated")
    if not duplicated or duplicated.score.low <= duplicated.floor + FEW_TWINS:
        return None
    return f"Of the samples of {title}, {_beside(duplicated)} are nearly equal to another sample."


def _copies(title, scores):
    memorized = scores.get("memorized")
    if not memorized or memorized.score.low <= memorized.floor:
        return None
    return f"Of the samples of {title}, {_beside(memorized)} are copies of training images."


def _one_class(title, scores):
    imbalance = scores.get("class_imbalance")
    shares = imbalance.score.parts if imbalance else ()
    if not shares or max(shares) < ONE_CLASS:
        return None
    most = max(shares)
    name = imbalance.name_of(shares.index(most))
    return f"Of the samples of {title}, {percent(most)} are of one class: {name}."


def _missing(title, scores):
    missing = scores.get("missing_classes")
    if not missing or missing.score.low <= 0:
        return None
    few = 0.1 / len(missing.score.parts)
    shares = enumerate(missing.score.parts)
    names = [missing.name_of(number) for number, share in shares if share < few]
    return (
        f"{title} hardly generates {number(missing.score.value)} of {len(missing.score.parts)} "
        f"classes ({', '.join(names)}): each has less than a tenth of an equal share."
    )


FAULTS = {
    "copies": _copies,
    "duplicates": _duplicates,
    "one class": _one_class,
    "missing": _missing,
    "blank": _blank,
    "blurred": _blurred,
    "noise": _noise,
    "grainy": _grainy,
    "hard edges": _hard,
    "pale": _pale,
    "outside": _outside,
}
"""Kind of a fault to a function of (title, name to `Reading`) giving a sentence or None."""

LOOKS = ("blank", "blurred", "noise", "grainy", "hard edges", "pale", "outside")
"""Kinds that show in a single sample."""


def _beside(reading):
    """A share, with that of real images in brackets."""
    return f"{percent(reading.score.value)} (real images: {percent(reading.floor)})"
