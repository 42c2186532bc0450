import pytest
from pydantic_core import PydanticCustomError

from gan_mnist.config import GANConfig
from training_run.config.intervals import (
    interval_to_steps,
    largest_block,
    parse_interval,
    resolve_schedule,
)
from training_run.config.load import load_config


@pytest.mark.parametrize(
    ("value", "canonical"),
    [(200, 200), ("200", 200), ("200 steps", 200), ("1 step", 1), ("30 epochs", "30 epochs"),
     ("1 epoch", "1 epoch"), (" 7epochs ", "7 epochs")],
)  # fmt: skip
def test_intervals_have_one_canonical_form(value, canonical):
    assert parse_interval(value) == canonical
    assert parse_interval(canonical) == canonical


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None, "0 steps", "-3", "x", "3 days", [1], ""])
def test_everything_else_is_refused(value):
    with pytest.raises(PydanticCustomError, match="steps or epochs"):
        parse_interval(value)


def test_epochs_are_full_batches():
    assert interval_to_steps("30 epochs", 468) == 14040
    assert interval_to_steps(70, 468) == 70


@pytest.mark.parametrize(
    ("common", "block"), [(30000, 50), (200, 50), (468, 39), (937, 1), (120, 40), (7, 7)]
)
def test_block_is_the_largest_divisor_up_to_50(common, block):
    assert largest_block(common) == block


def schedule(*overrides, num_train=60000, **options):
    config = load_config(GANConfig, "configs/gan_mlp.yaml", overrides)
    return resolve_schedule(config, num_train, **options)


def test_the_default_run_goes_in_blocks_of_50():
    assert schedule().block == 50
    assert schedule().steps == 30000
    assert schedule().gif_every == schedule().samples_every == 200


def test_the_block_divides_every_interval_and_where_a_resume_starts():
    assert (
        schedule(
            "training.steps=1 epoch", "training.batch_size=128", "log.every=39", "samples.every=234"
        ).block
        == 39
    )
    assert schedule("samples.every=130").block == 10
    assert schedule("training.steps=210", "log.every=70", "samples.every=70").block == 35
    assert schedule(first_step=35).block == 5
    assert schedule(extra={"validation": 30}).block == 10


def test_an_interval_longer_than_the_run_does_not_shorten_the_block():
    assert schedule("checkpoints.every=31001").block == 50
