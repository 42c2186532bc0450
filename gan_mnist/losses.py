"""The adversarial losses, as small functions on logits.

D(x) = sigmoid(l(x)) is the probability that the discriminator gives to x being real, and l(x) its
logit. Two identities turn the logarithms of the sources into functions of the logit. They are exact
for any finite logit, where log(sigmoid(l)) would overflow:

    -log D       = -log sigmoid(l)       = softplus(-l)
    -log (1 - D) = -log (1 - sigmoid(l)) = softplus(l)

The value function of the game (Goodfellow et al. 2014, arXiv:1406.2661, equation 1; sources 000,
001 and 002) is

    min_G max_D V(G, D) = E[log D(x)] + E[log(1 - D(G(z)))]
                        = -E[softplus(-l(x))] - E[softplus(l(G(z)))].

The discriminator minimises -V. The generator minimises the only term that depends on it:

    minimax         E[log(1 - D(G(z)))] = -E[softplus(l(G(z)))],  slope in l: -sigmoid(l)
    non-saturating  -E[log D(G(z))]     =  E[softplus(-l(G(z)))], slope in l: -sigmoid(-l)

Both push l(G(z)) up and have the same fixed point. Early in training D recognises every fake: l is
far below zero, where the minimax slope vanishes and the non-saturating one is near -1. So section 3
of the same paper trains G to maximise log D(G(z)). Our sources do the same with flipped labels.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf


class GANLoss(NamedTuple):
    """The losses of one game, both to be minimised.

    Attributes:
        discriminator: (real_logits, fake_logits) to a scalar: the sum of a real and a fake term, or
            a mean over pairs.
        generator: (fake_logits) to a scalar; of pairs, (fake_logits, real_logits) to a scalar.
        decision_boundary: the logit of the best discriminator where real and generated images are
            equally probable, for accuracies. (A Wasserstein critic has none: 0 is a convention.)
        compares_pairs: True if only differences of a real and a fake logit count. Then there is no
            decision boundary, and accuracies mean nothing.
    """

    discriminator: Callable
    generator: Callable
    decision_boundary: float = 0.0
    compares_pairs: bool = False


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


def cross_entropy_boundary(real_label):
    """The logit log(a / (2 - a)), where the cross-entropies of the label a are undecided.

    At an image x with densities p_r of the real and p_g of the generated images, D minimises

        p_r (-a log D - (1 - a) log(1 - D)) - p_g log(1 - D).

    The slope is zero at D = a p_r / (p_r + p_g) (Salimans et al. 2016, section 3.4). Equal
    densities give D = a / 2, whose logit is log(D / (1 - D)) = log(a / (2 - a)). It is 0 without
    smoothing, a = 1, and -0.2007 at a = 0.9.
    """
    return math.log(real_label / (2.0 - real_label))


def non_saturating_generator_loss(fake_logits):
    """-E[log D(G(z))] (Goodfellow et al. 2014, section 3; L_G of source 002)."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def minimax_generator_loss(fake_logits):
    """E[log(1 - D(G(z)))] (Goodfellow et al. 2014, equation 1). Negative, and saturating."""
    return -tf.reduce_mean(tf.nn.softplus(fake_logits))


def least_squares_discriminator_loss(real_logits, fake_logits, *, real_label=1.0):
    """E[(l(x) - b)^2] / 2 + E[l(G(z))^2] / 2, with b the real label and 0 the fake one.

    The network's output is not squashed: it regresses the label itself. The best output is
    b p_r / (p_r + p_g), with the densities p_r and p_g of real and generated images; b / 2 where
    they are equal.

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


def relativistic_loss(own_logits, other_logits):
    """E[softplus(-(l(own) - l(other)))]: the own image of each pair must look the more real.

    For the discriminator `own` are the real images and `other` the generated ones; for the
    generator it is the other way round. So the generator has to win against real images of every
    kind. With a term for each image alone, dropping a kind of images can be a local optimum; the
    third source shows that pairs have no such optimum.

    Args:
        own_logits, other_logits: (N, 1) float, paired by their position.

    Returns:
        Scalar: log 2 where all logits are equal.

    Sources: Jolicoeur-Martineau 2019, arXiv:1807.00734; Huang et al. 2024, arXiv:2501.05441,
    equation 2, with f(t) = -softplus(-t); Sun et al. 2020, arXiv:2011.04926.
    """
    return tf.reduce_mean(tf.nn.softplus(other_logits - own_logits))


def losses(real_label=1.0):
    """Every `GANLoss` by its name in the configuration, for a label of the real images."""
    cross_entropy = partial(cross_entropy_discriminator_loss, real_label=real_label)
    boundary = cross_entropy_boundary(real_label)
    least_squares = partial(least_squares_discriminator_loss, real_label=real_label)
    return {
        "non_saturating": GANLoss(cross_entropy, non_saturating_generator_loss, boundary),
        "minimax": GANLoss(cross_entropy, minimax_generator_loss, boundary),
        "least_squares": GANLoss(least_squares, least_squares_generator_loss, real_label / 2.0),
        "hinge": GANLoss(hinge_discriminator_loss, linear_generator_loss),
        "wasserstein": GANLoss(wasserstein_discriminator_loss, linear_generator_loss),
        "relativistic": GANLoss(relativistic_loss, relativistic_loss, compares_pairs=True),
    }


def get_loss(name, *, label_smoothing=0.0):
    """The `GANLoss` of that name.

    Args:
        name: a key of `losses()`.
        label_smoothing: s in [0, 1): real images get the label 1 - s instead of 1 (one-sided
            label smoothing); 0.1 is usual. Losses without labels ignore it.
    """
    return losses(1.0 - label_smoothing)[name]
