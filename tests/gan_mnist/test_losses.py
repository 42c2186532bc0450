import math

import numpy as np
import pytest
import tensorflow as tf

from gan_mnist.losses import get_loss, losses

REAL = np.array([[2.0], [-1.0], [0.5]])
FAKE = np.array([[-0.5], [1.5]])
PAIRED = np.array([[-0.5], [1.5], [0.5]])
every_loss = pytest.mark.parametrize("name", losses())
CROSS_ENTROPIES = ("non_saturating", "minimax")
cross_entropies = pytest.mark.parametrize("name", CROSS_ENTROPIES)


def inputs_of(name):
    """Real and generated logits, then what the generator's loss takes."""
    if losses()[name].compares_pairs:
        return (REAL, PAIRED), (PAIRED, REAL)
    return (REAL, FAKE), (FAKE,)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def log_d(logits):
    return np.log(sigmoid(logits)).mean()


def log_not_d(logits):
    return np.log(1 - sigmoid(logits)).mean()


# By hand, from probabilities and the papers' formulas.
BY_HAND = {
    "non_saturating": (-log_d(REAL) - log_not_d(FAKE), -log_d(FAKE)),
    "minimax": (-log_d(REAL) - log_not_d(FAKE), log_not_d(FAKE)),
    # ((1^2 + 2^2 + 0.5^2) / 3 + (0.5^2 + 1.5^2) / 2) / 2 and (1.5^2 + 0.5^2) / 4
    "least_squares": ((5.25 / 3 + 1.25) / 2, 0.625),
    # (0 + 2 + 0.5) / 3 + (0.5 + 2.5) / 2 and -(1.0) / 2
    "hinge": (2.5 / 3 + 1.5, -0.5),
    # 0.5 - 0.5 and -0.5
    "wasserstein": (0.0, -0.5),
    # differences 2.5, -2.5 and 0: log(1 + e^-2.5) + log(1 + e^2.5) + log 2, over 3, for both
    "relativistic": (
        (np.log1p(np.exp(-2.5)) + np.log1p(np.exp(2.5)) + np.log(2)) / 3,
        (np.log1p(np.exp(-2.5)) + np.log1p(np.exp(2.5)) + np.log(2)) / 3,
    ),
}


def test_every_loss_is_checked_by_hand():
    assert BY_HAND.keys() == losses().keys()


@every_loss
def test_values_by_hand(name):
    loss = get_loss(name)
    d_loss, g_loss = BY_HAND[name]
    for_discriminator, for_generator = inputs_of(name)
    value = loss.discriminator(*map(tf.constant, for_discriminator))
    assert float(value) == pytest.approx(d_loss, abs=1e-12)
    value = loss.generator(*map(tf.constant, for_generator))
    assert float(value) == pytest.approx(g_loss, abs=1e-12)


@cross_entropies
def test_the_cross_entropy_of_an_undecided_discriminator_is_two_log_two(name):
    undecided, sure = tf.zeros((4, 1)), tf.fill((4, 1), 50.0)
    loss = get_loss(name).discriminator
    assert float(loss(undecided, undecided)) == pytest.approx(2 * math.log(2), abs=1e-6)
    assert float(loss(sure, -sure)) == pytest.approx(0.0, abs=1e-6)


def gradients(function, *arrays):
    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        value = function(*tensors)
    return [np.array(gradient) for gradient in tape.gradient(value, tensors)]


def finite_differences(function, *arrays, step=1e-5):
    result = [np.zeros_like(array) for array in arrays]
    for k, array in enumerate(arrays):
        for index in np.ndindex(array.shape):
            values = []
            for sign in (1, -1):
                moved = [other.copy() for other in arrays]
                moved[k][index] += sign * step
                values.append(float(function(*map(tf.constant, moved))))
            result[k][index] = (values[0] - values[1]) / (2 * step)
    return result


@pytest.mark.parametrize(
    ("name", "label_smoothing"),
    [(name, 0.0) for name in losses()]
    + [(name, 0.1) for name in (*CROSS_ENTROPIES, "least_squares")],
)
def test_gradients_by_finite_differences(name, label_smoothing):
    loss = get_loss(name, label_smoothing=label_smoothing)
    for function, arrays in zip((loss.discriminator, loss.generator), inputs_of(name), strict=True):
        expected = finite_differences(function, *arrays)
        for one, two in zip(gradients(function, *arrays), expected, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-8)


@every_loss
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_extreme_logits_keep_values_and_gradients_finite(name, jit_compile):
    loss = get_loss(name)

    @tf.function(jit_compile=jit_compile)
    def evaluate(real, fake):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([real, fake])
            pair = [real] if loss.compares_pairs else []
            d_loss, g_loss = loss.discriminator(real, fake), loss.generator(fake, *pair)
        return d_loss, g_loss, *tape.gradient(d_loss, [real, fake]), tape.gradient(g_loss, fake)

    for real in (-1e4, 0.0, 1e4):
        for fake in (-1e4, 0.0, 1e4):
            values = evaluate(tf.constant([[real]]), tf.constant([[fake]]))
            assert all(np.isfinite(value).all() for value in values), (real, fake, values)
    if name in CROSS_ENTROPIES:
        d_loss, _, real_slope, fake_slope, _ = evaluate(tf.constant([[-1e4]]), tf.constant([[1e4]]))
        assert float(d_loss) == pytest.approx(2e4, rel=1e-6)
        np.testing.assert_allclose([real_slope[0, 0], fake_slope[0, 0]], [-1.0, 1.0])


@every_loss
def test_the_discriminator_parts_the_two_and_the_generator_climbs(name):
    # Away from the minima of the least squares: all logits between the labels.
    real, fake = np.full((3, 1), 0.4), np.full((3, 1), 0.3)
    loss = get_loss(name)
    real_slope, fake_slope = gradients(loss.discriminator, real, fake)
    pair = [real] if loss.compares_pairs else []
    generator_slope, *_ = gradients(loss.generator, fake, *pair)
    assert (real_slope < 0).all() and (fake_slope > 0).all() and (generator_slope < 0).all()


def test_only_the_minimax_generator_saturates_on_a_sure_discriminator():
    told = np.array([[-10.0]])
    (minimax,) = gradients(get_loss("minimax").generator, told)
    (non_saturating,) = gradients(get_loss("non_saturating").generator, told)
    assert float(minimax[0, 0]) == pytest.approx(-sigmoid(-10.0), rel=1e-9)
    assert float(non_saturating[0, 0]) == pytest.approx(-sigmoid(10.0), rel=1e-9)


def test_only_differences_count_in_pairs_and_gradients_are_by_hand():
    loss = get_loss("relativistic")
    moved = [tf.constant(logits + 100.0) for logits in (REAL, PAIRED)]
    value = float(loss.discriminator(*moved))
    assert value == pytest.approx(BY_HAND["relativistic"][0], abs=1e-9)
    # d softplus(b - a) / da = -sigmoid(b - a), over 3 pairs
    slopes = sigmoid(PAIRED - REAL) / 3
    real_slope, fake_slope = gradients(loss.discriminator, REAL, PAIRED)
    np.testing.assert_allclose(real_slope, -slopes, atol=1e-12)
    np.testing.assert_allclose(fake_slope, slopes, atol=1e-12)
    generator_slope, _ = gradients(loss.generator, PAIRED, REAL)
    np.testing.assert_allclose(generator_slope, -sigmoid(REAL - PAIRED) / 3, atol=1e-12)


@cross_entropies
def test_smoothed_cross_entropy_by_hand_and_at_its_optimum(name):
    loss = get_loss(name, label_smoothing=0.1).discriminator
    expected = -0.9 * log_d(REAL) - 0.1 * log_not_d(REAL) - log_not_d(FAKE)
    assert float(loss(tf.constant(REAL), tf.constant(FAKE))) == pytest.approx(expected, abs=1e-12)
    optimum = np.array([[math.log(0.9 / 0.1)]])  # where D(x) = 0.9
    np.testing.assert_allclose(gradients(loss, optimum, FAKE)[0], 0.0, atol=1e-12)
    assert get_loss(name, label_smoothing=0.1).generator is get_loss(name).generator


def test_smoothed_least_squares_by_hand():
    loss = get_loss("least_squares", label_smoothing=0.1)
    # ((1.1^2 + 1.9^2 + 0.4^2) / 3 + 1.25) / 2: the fake label stays 0
    value = loss.discriminator(tf.constant(REAL), tf.constant(FAKE))
    assert float(value) == pytest.approx((4.98 / 3 + 1.25) / 2, abs=1e-12)


# log(a / (2 - a)) for the cross-entropies, a / 2 for the least squares, with a = 1 - smoothing.
BOUNDARIES = [
    *((name, 0.0, 0.0) for name in losses() if name not in ("least_squares", "relativistic")),
    *((name, 0.1, -0.2007) for name in CROSS_ENTROPIES),
    *((name, 0.3, -0.6190) for name in CROSS_ENTROPIES),
    *((name, 0.5, -1.0986) for name in CROSS_ENTROPIES),
    ("least_squares", 0.0, 0.5),
    ("least_squares", 0.1, 0.45),
    ("least_squares", 0.5, 0.25),
]


@pytest.mark.parametrize(("name", "label_smoothing", "expected"), BOUNDARIES)
def test_the_decision_boundary_by_hand(name, label_smoothing, expected):
    loss = get_loss(name, label_smoothing=label_smoothing)
    assert loss.decision_boundary == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("name", [*CROSS_ENTROPIES, "least_squares"])
def test_the_best_discriminator_is_right_about_half_of_equal_distributions(name, label_smoothing):
    """Real and generated images are the same: one constant logit is best, up to noise."""
    loss = get_loss(name, label_smoothing=label_smoothing)
    logit = tf.Variable([[0.0]])
    for _ in range(60):
        with tf.GradientTape() as tape:
            value = loss.discriminator(logit, logit)
        logit.assign_sub(0.9 * tape.gradient(value, logit))
    noisy = logit + 0.01 * tf.random.stateless_normal((1000, 1), (1, 2))
    accuracy_real = np.mean(noisy > loss.decision_boundary)
    accuracy_fake = np.mean(noisy < loss.decision_boundary)
    assert accuracy_real == pytest.approx(0.5, abs=0.05)
    assert accuracy_fake == pytest.approx(0.5, abs=0.05)
