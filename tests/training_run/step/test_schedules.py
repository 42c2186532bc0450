import numpy as np
import pytest
import tensorflow as tf

from training_run.step.schedules import Transition, decay_between, growing_decay, half_life


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("constant", [2.0, 2.0, 2.0, 2.0, 2.0]),
        ("linear", [2.0, 2.0, 1.25, 0.5, 0.5]),
        # A quarter of the way: 0.5 + 1.5 (0.5 + 0.5 cos(pi / 4)) at step 4.
        ("cosine", [2.0, 2.0, 1.25, 0.5, 0.5]),
    ],
)
def test_values_by_hand(shape, expected):
    transition = Transition(shape, num_steps=10, warmup_steps=2)
    values = [float(transition.value(2.0, 0.5, step)) for step in (0, 2, 6, 10, 99)]
    assert values == pytest.approx(expected, abs=1e-6)


def test_a_cosine_is_slow_at_both_ends():
    transition = Transition("cosine", num_steps=8)
    assert float(transition.left(2)) == pytest.approx(0.5 + np.sqrt(0.5) / 2, abs=1e-6)
    assert float(transition.left(6)) == pytest.approx(0.5 - np.sqrt(0.5) / 2, abs=1e-6)


def test_the_warm_up_rises_in_equal_steps():
    transition = Transition("constant", num_steps=10, warmup_steps=3)
    shares = [float(transition.warmup(step)) for step in (0, 1, 2, 3, 4)]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_half_of_an_average_is_left_after_its_half_life():
    assert 0.9 ** half_life(0.9) == pytest.approx(0.5)
    assert half_life(0.0) == 0.0


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_half_life_of_an_average_grows_from_nothing(jit_compile):
    decay = decay_between(Transition("linear", num_steps=100), 0.0, 0.99)
    decay = tf.function(decay, jit_compile=jit_compile)
    life = half_life(0.99)
    values = [float(decay(tf.constant(step, tf.int64))) for step in (0, 50, 100)]
    assert values == pytest.approx([0.0, 0.5 ** (2 / life), 0.99], abs=1e-6)


def test_the_half_life_of_an_average_is_at_most_a_share_of_the_steps():
    decay = growing_decay(0.5**0.01, 0.1)  # a half-life of 100 steps
    values = [float(decay(tf.constant(step, tf.int64))) for step in (9, 499, 999, 5000)]
    expected = [0.5, 0.5 ** (1 / 50), 0.5 ** (1 / 100), 0.5 ** (1 / 100)]
    assert values == pytest.approx(expected, abs=1e-6)
