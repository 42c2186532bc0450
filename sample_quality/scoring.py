"""Scores from Python, and what the command makes of them.

Nothing here imports TensorFlow before the arguments have been checked.
"""

from collections.abc import Iterator, Mapping

from sample_quality.protocol import MAX_REAL, Quality, Score, write_quality
from sample_quality.run_settings import (
    USUAL_EFFORT,
    LikelihoodEffort,
    image_network,
    read_settings,
)
from sample_quality.table import format_scores
from training_run.cli.arguments import check_seed
from training_run.errors import UserError
from training_run.run_folder.find import find_run, is_bundled, reference_of
from training_run.tensorflow_import import import_tensorflow

MIN_IMAGES, MAX_IMAGES = 100, 100_000

MAX_SAMPLES = 1_000_000
"""Codes of an image in an estimate of its log p(x)."""


class Scores(Mapping[str, Score]):
    """Scores by name; printed, or as the last line of a notebook's cell, they are a table.

    `scores["frechet_distance"]` has `value`, `interval` (95%), `floor` (the score of as many
    training images in place of the samples) and `protocol`.

    Args:
        quality: the `Quality`.

    Attributes:
        about: dict of what was scored: data, run, network, checksums, notes.
    """

    def __init__(self, quality: Quality):
        self._scores, self.about = quality.scores, quality.about

    def __getitem__(self, name: str) -> Score:
        return self._scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __repr__(self):
        return format_scores(self._scores, self.about.get("class_names"))


def score_run(run, num=None, seed=0, effort=USUAL_EFFORT, outputs="outputs"):
    """Score a run's samples, as `python -m sample_quality` does.

    Args:
        run: a `Run` object, a run folder, a number, "latest" or "bundled:NAME".
        num: how many samples; None for 10,000 or, of stacked digits, 25,600.
        seed: of latents and protocol.
        effort: the `LikelihoodEffort` of a VAE.
        outputs: folder in which a number or "latest" is looked up.

    Returns:
        `Scores`; quality.json in the run folder has them too, but for a bundled model's.

    Raises:
        UserError: an argument is wrong, or the run, its images or its network cannot be read.
    """
    folder = find_run(reference_of(run), outputs)
    quality = measure(folder, num, seed, effort)
    if not is_bundled(folder):
        write_quality(folder.path / "quality.json", quality)
    return Scores(quality)


def measure(folder, num, seed, effort):
    """The `Quality` of the `RunDir`; other arguments and errors as for `score_run`."""
    check_numbers(MIN_IMAGES if num is None else num, seed)
    check_effort(effort)
    settings, name = read_settings(folder), image_network(folder)
    import_tensorflow()
    from sample_quality.score_run import measure_run

    return measure_run(folder, name, settings, num or settings.usual_num, seed, effort)


def score_arrays(samples, real, train=None, *, digits=None, seed=0):
    """Score images that came from anywhere against real ones.

    Args:
        samples: (M, H, W, C) or (M, H, W) uint8.
        real: (N, H, W, C) or (N, H, W) uint8, real images that the model has not seen.
        train: (T, H, W, C) or (T, H, W) uint8, those that it has learned from, T at least M; None
            takes the second half of `real` in their place.
        digits: True to look at the images by the digits' classifier that ships with the package,
            which knows 28x28 grey digits; False for random convolutions, which suit any images;
            None for the classifier where the images have its shape.
        seed: of the protocol.

    Returns:
        `Scores`.

    Raises:
        UserError: the arrays are no images of one shape, or too few.
    """
    samples, real = as_images(samples, "samples"), as_images(real, "real")
    if train is None:
        real, train = real[: len(real) // 2], real[len(real) // 2 :]
    train = as_images(train, "train")
    check_arrays(samples, real, train)
    import_tensorflow()
    from sample_quality.features.classifier import SHIPPED, load_classifier, read_record
    from sample_quality.features.random_convolutions import RandomConvolutions
    from sample_quality.image_scores import score_images

    fits = samples.shape[1:] == read_record(SHIPPED).image_shape
    if digits and not fits:
        raise UserError(
            f"digits: expected images of shape {read_record(SHIPPED).image_shape} with True, "
            f"received {samples.shape[1:]}"
        )
    use_classifier = fits if digits is None else digits
    features = load_classifier(SHIPPED) if use_classifier else RandomConvolutions(train)
    scores = score_images(samples, real[:MAX_REAL], train, features, seed=seed)
    return Scores(Quality(scores, {"data": f"{len(real):,} images", "notes": []}))


def as_images(images, name):
    """(N, H, W, C) uint8 of an array, with a channel where it has none.

    Raises:
        UserError: if it is no array of images.
    """
    import numpy as np

    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise UserError(
            f"{name}: expected uint8 images (N, H, W) or (N, H, W, C), received {images.dtype} "
            f"{images.shape}"
        )
    return images[..., np.newaxis] if images.ndim == 3 else images


def check_arrays(samples, real, train):
    """Raise `UserError` unless these are images of one shape, and enough to be scored."""
    shapes = {images.shape[1:] for images in (samples, real, train)}
    if len(shapes) > 1:
        received = ", ".join(map(str, sorted(shapes)))
        raise UserError(f"samples, real, train: expected images of one shape, received {received}")
    for name, images in (("samples", samples), ("real", real)):
        if len(images) < MIN_IMAGES:
            raise UserError(f"{name}: expected at least {MIN_IMAGES}, received {len(images):,}")
    if len(train) < len(samples):
        raise UserError(
            f"train: expected at least as many images as samples, {len(samples):,}, received "
            f"{len(train):,}; without train, the second half of real is taken"
        )


def check_effort(effort: LikelihoodEffort):
    """Raise `UserError` for a --likelihood-images or an --importance-samples out of range."""
    limits = {
        "--likelihood-images": (effort.num_images, MAX_REAL, "images"),
        "--importance-samples": (effort.num_samples, MAX_SAMPLES, "samples"),
    }
    for option, (received, most, what) in limits.items():
        if not 1 <= received <= most:
            raise UserError(f"{option}: expected 1 to {most:,} {what}, received {received}")


def check_numbers(num, seed, option="--num"):
    """Refuse a number of samples or a --seed that scores cannot be computed with.

    Raises:
        UserError: unless they are `MIN_IMAGES` to `MAX_IMAGES`, and 0 to 2^31 - 1.
    """
    if not MIN_IMAGES <= num <= MAX_IMAGES:
        raise UserError(f"{option}: expected {MIN_IMAGES} to {MAX_IMAGES:,} images, received {num}")
    check_seed(seed)
