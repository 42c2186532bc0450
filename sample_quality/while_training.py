"""The YAML key `quality.every`, which scores a run while it trains: what the families call.

Nothing here imports TensorFlow before `find_classifier` or `callbacks` is called.
"""

from typing import Annotated

from pydantic import Field

from training_run.config.intervals import Interval
from training_run.config.load import problems_between_rows
from training_run.config.sections import Section
from training_run.config.yaml_source import Problem
from training_run.errors import UserError

MIN_SAMPLES, MAX_SAMPLES = 1000, 50_000


class QualityConfig(Section):
    """The samples' Fréchet distance while training, in log.csv; best/ holds the best networks."""

    every: Interval | None = Field(None, description="a multiple of log.every; null: never")
    num_images: Annotated[int, Field(ge=MIN_SAMPLES, le=MAX_SAMPLES)] = Field(
        5000, description="samples to a score; few make it larger than it is"
    )


def intervals(config):
    """Name to interval of the scores, as `Family.intervals` gives them."""
    return {"quality": config.quality.every} if config.quality.every else {}


def log_columns(config):
    """Names of the scores in log.csv."""
    return ("frechet_distance",) if config.quality.every else ()


def quality_problems(config, spec, path):
    """What is wrong with the section `quality`.

    Args:
        config: a `RunConfig` with a `quality` section.
        spec: the data set's `DataSpec`.
        path: the configuration's file, for the message.

    Returns:
        A list of at most one `Problem`: stacked images are scored by their modes alone, or scores
        would fall between the rows of the log.
    """
    if not config.quality.every:
        return []
    if getattr(config.data, "stacked", False):  # a key of some families
        message = (
            "expected null with data.stacked, whose modes python -m sample_quality counts, "
            f"received {config.quality.every}"
        )
        return [Problem(str(path), "quality.every", message)]
    return problems_between_rows(config, spec, path, "quality.every", config.quality.every)


def find_classifier(config, data):
    """The `Classifier` of the run's `ImageData` as they were read; None where scores are off.

    Images without labels have `RandomConvolutions`.

    Raises:
        UserError: if there is none; the sentence names the command that trains it.
    """
    if not config.quality.every:
        return None
    if data.num_classes is None:
        from sample_quality.features.random_convolutions import RandomConvolutions

        return RandomConvolutions(data.x_train)
    from sample_quality.features.classifier import classifier_for

    try:
        return classifier_for(data, config.data)
    except UserError as error:
        raise UserError(f"quality.every: {error}") from None


def callbacks(context, name):
    """The callback that scores a run, in a list; an empty one where scores are off.

    Args:
        context: a `RunContext` whose `helper` is the result of `find_classifier`.
        name: of the network that draws the samples, "generator" or "decoder".
    """
    config = context.config
    if not config.quality.every:
        return []
    from sample_quality.keep_best import FrechetScore, KeepBest

    score = FrechetScore(
        context.model.networks()[name],
        context.helper,
        context.source_data.x_train,
        value_range=config.model.value_range,
        num_images=config.quality.num_images,
        seed=config.seed,
        find_prior=lambda: getattr(context.model, "prior", None),
    )
    every = context.schedule.extra["quality"]
    return [KeepBest(context.clock, every, score, context.run.path / "best")]
