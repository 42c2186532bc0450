"""The fused Adam is Keras's Adam: by hand, step by step, and in what it stores."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from training_run.config.sections import AdamConfig
from training_run.step.optimizers import ScheduledRate, build_adam
from training_run.step.schedules import Transition

SETTINGS = AdamConfig(learning_rate=0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3)


def keras_adam():
    return keras.optimizers.Adam(**SETTINGS.model_dump())


def gradients(num_steps, shape):
    return np.random.default_rng(0).normal(size=(num_steps, *shape)).astype("float32")


def descend(optimizer, variable, steps, jit_compile=False):
    """Apply one gradient after the other, in a compiled function as in training."""
    if not optimizer.built:
        optimizer.build([variable])
    apply = tf.function(lambda g: optimizer.apply([g], [variable]), jit_compile=jit_compile)
    for gradient in steps:
        apply(tf.constant(gradient))
    return variable.numpy()


def test_the_first_two_updates_are_those_of_the_paper():
    variable = keras.Variable([1.0])
    optimizer = build_adam(SETTINGS)
    # m = 1, v = 0.4 after the corrections of step 1: m_hat = 2, v_hat = 4.
    first = 1.0 - 0.1 * np.sqrt(0.1) / 0.5 * 1.0 / (np.sqrt(0.4) + 1e-3)
    np.testing.assert_allclose(descend(optimizer, variable, [[2.0]]), [first], atol=1e-6)
    m, v = 0.5 * 1.0 + 0.5 * -1.0, 0.9 * 0.4 + 0.1 * 1.0
    second = first - 0.1 * np.sqrt(1 - 0.81) / 0.75 * m / (np.sqrt(v) + 1e-3)
    np.testing.assert_allclose(descend(optimizer, variable, [[-1.0]]), [second], atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_hundred_updates_agree_with_keras(jit_compile):
    steps = gradients(100, (7, 5))
    ours, theirs = (keras.Variable(np.ones((7, 5), "float32")) for _ in range(2))
    end = descend(build_adam(SETTINGS), ours, steps, jit_compile)
    expected = descend(keras_adam(), theirs, steps, jit_compile)
    np.testing.assert_allclose(end, expected, atol=2e-5)
    assert np.abs(end - 1.0).max() > 0.5, "it must move to compare"


def test_either_goes_on_from_the_state_of_the_other():
    steps = gradients(20, (4,))
    straight = descend(keras_adam(), keras.Variable(np.ones(4, "float32")), steps)
    variable = keras.Variable(np.ones(4, "float32"))
    optimizer = keras_adam()
    descend(optimizer, variable, steps[:5])
    for other, part in ((build_adam(SETTINGS), steps[5:12]), (keras_adam(), steps[12:])):
        other.build([variable])
        assert [v.name for v in other.variables] == [v.name for v in optimizer.variables]
        for target, source in zip(other.variables, optimizer.variables, strict=True):
            target.assign(source)
        optimizer = other
        end = descend(optimizer, variable, part)
    np.testing.assert_allclose(end, straight, atol=1e-5)
    assert int(optimizer.iterations) == 20


def test_the_learning_rate_may_change_while_training():
    variable = keras.Variable([1.0])
    optimizer = build_adam(SETTINGS)
    descend(optimizer, variable, [[1.0]])
    optimizer.learning_rate = 0.0
    before = variable.numpy()
    assert descend(optimizer, variable, [[1.0], [1.0]]) == before


def test_the_learning_rate_rises_and_then_falls_along_half_a_cosine():
    rate = ScheduledRate(0.5, Transition("cosine", num_steps=12, warmup_steps=4))
    values = [float(rate(step)) for step in (0, 1, 3, 4, 8, 10, 12, 99)]
    expected = [0.1, 0.2, 0.4, 0.5, 0.25, 0.25 * (1 - np.sqrt(0.5)), 0.0, 0.0]
    assert values == pytest.approx(expected, abs=1e-7)


def test_a_scheduled_learning_rate_scales_each_update():
    """Constant gradients make every update of Adam as large as the learning rate."""
    settings = SETTINGS.model_copy(update={"epsilon": 1e-12})
    optimizer = build_adam(settings, ScheduledRate(0.4, Transition("cosine", 2, warmup_steps=1)))
    variable = keras.Variable([1.0])
    descend(optimizer, variable, np.ones((2, 1), "float32"))
    assert float(variable[0]) == pytest.approx(1.0 - 0.2 - 0.4, abs=1e-5)


def test_a_learning_rate_ends_at_its_share_and_a_constant_one_only_warms_up():
    rate = ScheduledRate(0.4, Transition("linear", num_steps=10, warmup_steps=2), 0.25)
    values = [float(rate(step)) for step in (0, 1, 2, 6, 10)]
    assert values == pytest.approx([0.4 / 3, 0.8 / 3, 0.4, 0.25, 0.1], abs=1e-7)
    constant = ScheduledRate(0.4, Transition("constant", num_steps=10, warmup_steps=1))
    assert [float(constant(step)) for step in (0, 1, 9)] == pytest.approx([0.2, 0.4, 0.4])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_beta_2_may_follow_a_schedule(jit_compile):
    beta_2_at = partial(Transition("linear", 2).value, 0.5, 0.9)
    optimizer = build_adam(SETTINGS, beta_2_at=beta_2_at)
    variable = keras.Variable([1.0])
    # Update 0 with beta_2 0.5: v = 2, corrected by 0.5 to 4; m_hat = 2.
    first = 1.0 - 0.1 * 2 / (2 + 1e-3 / np.sqrt(0.5))
    assert descend(optimizer, variable, [[2.0]], jit_compile)[0] == pytest.approx(first, abs=1e-6)
    # Update 1 with 0.7: v = 0.7 * 2 + 0.3 * 1, corrected by 1 - 0.7^2; m = 0.5 - 0.5, so 0.
    m, v = 0.5 * 1.0 + 0.5 * 1.0, 0.7 * 2 + 0.3 * 1.0
    second = first - 0.1 * np.sqrt(1 - 0.49) / 0.75 * m / (np.sqrt(v) + 1e-3)
    assert descend(optimizer, variable, [[1.0]], jit_compile)[0] == pytest.approx(second, abs=1e-6)
