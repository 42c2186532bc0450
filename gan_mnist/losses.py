"""The adversarial losses, as small functions on logits.

D(x) = sigmoid(l(x)) is the probability the discriminator gives to x being real, and l(x) its logit.
All the logarithms of the sources follow from two identities, which are exact for any finite logit
where log(sigmoid(l)) would overflow:

    -log D       = -log sigmoid(l)       = softplus(-l)
    -log (1 - D) = -log (1 - sigmoid(l)) = softplus(l)

The value function of the game (Goodfellow et al. 2014, arXiv:1406.2661, equation 1; sources 000,
001 and 002) is

    min_G max_D V(G, D) = E[log D(x)] + E[log(1 - D(G(z)))]
                        = -E[softplus(-l(x))] - E[softplus(l(G(z)))].

The discriminator minimises -V. The generator minimises the only term that depends on it:

    minimax         E[log(1 - D(G(z)))] = -E[softplus(l(G(z)))],  slope in l: -sigmoid(l)
    non-saturating  -E[log D(G(z))]     =  E[softplus(-l(G(z)))], slope in l: -sigmoid(-l)

Both push l(G(z)) up and have the same fixed point. But early on D tells every fake, l is far below
zero, and the minimax slope vanishes where the non-saturating one is near -1. So section 3 of the
same paper trains G to maximise log D(G(z)), and so do our sources, by their flipped labels.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf


class GANLoss(NamedTuple):
    """The losses of one game, both to be minimised.

    Attributes:
        discriminator: (real_logits, fake_logits) -> scalar, the sum of a real and a fake term.
        generator: (fake_logits) -> scalar.
        boundary: the logit at which the discriminator is undecided, for accuracies. (A Wasserstein
            critic has no such point: 0 is a convention there.)
    """

    discriminator: Callable
    generator: Callable
    boundary: float = 0.0


def value_function(real_logits, fake_logits):
    """V(G, D) = E[log D(x)] + E[log(1 - D(G(z)))], the quantity the game is about.

    It is -2 log 2 = -1.386 where D is undecided everywhere, and 0 at most, where D knows all.

    Args:
        real_logits: (N, 1) float, of real images.
        fake_logits: (M, 1) float, of generated images.

    Returns:
        Scalar, nats, in (-inf, 0].

    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1.
    """
    return -tf.reduce_mean(tf.nn.softplus(-real_logits)) - tf.reduce_mean(
        tf.nn.softplus(fake_logits)
    )


def cross_entropy_discriminator_loss(real_logits, fake_logits, *, real_label=1.0):
    """-V(G, D): binary cross-entropy of the real images plus that of the fake ones.

    With `real_label` a < 1 (one-sided label smoothing) the real term is the cross-entropy against
    the probability a: -a log D - (1 - a) log(1 - D) = softplus(-l) + (1 - a) l. The fake label
    stays 0: smoothing it too would make D's optimum reinforce the generator's present mistakes.

    Sources: Goodfellow et al. 2014, equation 1; Salimans et al. 2016, arXiv:1606.03498,
    section 3.4.
    """
    real_loss = tf.nn.softplus(-real_logits) + (1.0 - real_label) * real_logits
    return tf.reduce_mean(real_loss) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def non_saturating_generator_loss(fake_logits):
    """-E[log D(G(z))] (Goodfellow et al. 2014, section 3; L_G of source 002)."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def minimax_generator_loss(fake_logits):
    """E[log(1 - D(G(z)))] (Goodfellow et al. 2014, equation 1). Negative, and saturating."""
    return -tf.reduce_mean(tf.nn.softplus(fake_logits))


def least_squares_discriminator_loss(real_logits, fake_logits, *, real_label=1.0):
    """E[(l(x) - b)^2] / 2 + E[l(G(z))^2] / 2, with b the real label and 0 the fake one.

    Here the network's output is not squashed: it regresses the label itself.

    Source: Mao et al. 2017, arXiv:1611.04076, equations 2 and 9.
    """
    return 0.5 * (
        tf.reduce_mean(tf.square(real_logits - real_label)) + tf.reduce_mean(tf.square(fake_logits))
    )


def least_squares_generator_loss(fake_logits):
    """E[(l(G(z)) - 1)^2] / 2 (Mao et al. 2017, equations 2 and 9)."""
    return 0.5 * tf.reduce_mean(tf.square(fake_logits - 1.0))


def hinge_discriminator_loss(real_logits, fake_logits):
    """E[max(0, 1 - l(x))] + E[max(0, 1 + l(G(z)))].

    Sources: Lim & Ye 2017, arXiv:1705.02894, section 3; Miyato et al. 2018, arXiv:1802.05957,
    equation 16 (with the sign turned: they maximise).
    """
    return tf.reduce_mean(tf.nn.relu(1.0 - real_logits)) + tf.reduce_mean(
        tf.nn.relu(1.0 + fake_logits)
    )


def wasserstein_discriminator_loss(real_logits, fake_logits):
    """E[l(G(z))] - E[l(x)]: minus the critic's estimate of the Wasserstein-1 distance.

    It means something only for a critic of bounded slope (gradient penalty, spectral norm).

    Source: Arjovsky et al. 2017, arXiv:1701.07875, equations 2 and 3.
    """
    return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)


def linear_generator_loss(fake_logits):
    """-E[l(G(z))], for hinge (Miyato et al. 2018, equation 17) and Wasserstein (theorem 3)."""
    return -tf.reduce_mean(fake_logits)


LOSSES = {
    "non_saturating": GANLoss(cross_entropy_discriminator_loss, non_saturating_generator_loss),
    "minimax": GANLoss(cross_entropy_discriminator_loss, minimax_generator_loss),
    "least_squares": GANLoss(
        least_squares_discriminator_loss, least_squares_generator_loss, boundary=0.5
    ),
    "hinge": GANLoss(hinge_discriminator_loss, linear_generator_loss),
    "wasserstein": GANLoss(wasserstein_discriminator_loss, linear_generator_loss),
}
LOSSES_WITH_REAL_LABEL = ("non_saturating", "minimax", "least_squares")


def get_loss(name, *, label_smoothing=0.0):
    """Look a loss up by its name in the configuration.

    Args:
        name: a key of LOSSES.
        label_smoothing: s in [0, 1): real images get the label 1 - s instead of 1 (one-sided
            label smoothing); 0.1 is usual.

    Returns:
        GANLoss.

    Raises:
        ValueError: for an unknown name, a smoothing outside [0, 1), or smoothing with a loss that
            has no labels (hinge, wasserstein).
    """
    if name not in LOSSES:
        raise ValueError(f"The loss must be one of {', '.join(LOSSES)}. Received: {name!r}")
    if not 0.0 <= label_smoothing < 1.0:
        raise ValueError(f"Label smoothing must be in [0, 1). Received: {label_smoothing}")
    loss = LOSSES[name]
    if label_smoothing == 0.0:
        return loss
    if name not in LOSSES_WITH_REAL_LABEL:
        raise ValueError(f"Label smoothing needs a loss with labels. Received: {name!r}")
    real_label = 1.0 - label_smoothing
    return loss._replace(
        discriminator=partial(loss.discriminator, real_label=real_label),
        boundary=loss.boundary * real_label,
    )
