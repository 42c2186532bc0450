"""Penalties on the discriminator's gradient, and instance noise: they keep the game in balance.

Pure functions that XLA can compile. They are part of a loss, so they can be differentiated again.
A penalty takes the discriminator as a function from images to logits (N, 1). A conditional one has
its labels bound: `lambda x: discriminator([x, labels], training=True)`.

A penalty is about the gradient at each image alone. A discriminator with batch normalisation has no
such gradient: each of its logits depends on the whole batch.
"""

import tensorflow as tf


def gradient_penalty(discriminator_fn, real, fake, epsilon):
    """E[(|grad D(x)| - 1)^2] at points x between a real and a generated image.

    Args:
        discriminator_fn: images to logits (N, 1).
        real: (N, H, W, C) float, real images.
        fake: (N, H, W, C) float, generated images.
        epsilon: (N,) float, drawn uniformly from [0, 1): x = epsilon real + (1 - epsilon) fake.

    Returns:
        Scalar float32, to be weighted with lambda (10 in the paper).

    Source: Gulrajani et al. 2017, arXiv:1704.00028, equation 3 and algorithm 1.
    """
    share = tf.reshape(tf.cast(epsilon, real.dtype), (-1,) + (1,) * (real.shape.rank - 1))
    between = share * real + (1.0 - share) * fake
    norms = _safe_sqrt(squared_gradient_norms(discriminator_fn, between))
    return tf.reduce_mean(tf.square(norms - 1.0))


def r1_penalty(discriminator_fn, real):
    """E[|grad D(x)|^2] / 2 at real images x; arguments as for `gradient_penalty`.

    Returns:
        Scalar float32, to be weighted with gamma (10 in the paper).

    Source: Mescheder et al. 2018, arXiv:1801.04406, equation 9.
    """
    return 0.5 * tf.reduce_mean(squared_gradient_norms(discriminator_fn, real))


def r2_penalty(discriminator_fn, fake):
    """E[|grad D(x)|^2] / 2 at generated images x: R1's counterpart.

    R1 alone cannot keep the game stable while generated and real images lie far apart.

    Args:
        discriminator_fn, fake: as for `gradient_penalty`; the generator stays fixed.

    Returns:
        Scalar float32, to be weighted with gamma.

    Sources: Mescheder et al. 2018, arXiv:1801.04406, equation 10; Huang et al. 2024,
    arXiv:2501.05441, section 2.2.
    """
    return 0.5 * tf.reduce_mean(squared_gradient_norms(discriminator_fn, fake))


def squared_gradient_norms(discriminator_fn, images):
    """|grad D(x)|^2 of every image, summed over its pixels and channels: (N,) float32."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        # Image n reaches logit n only, so the sum's gradient holds all N gradients.
        total = tf.reduce_sum(discriminator_fn(images))
    gradients = tf.cast(tape.gradient(total, images), tf.float32)
    return tf.reduce_sum(tf.square(gradients), axis=tuple(range(1, images.shape.rank)))


def instance_noise_stddev(step, *, initial, num_steps):
    """Standard deviation of the instance noise at a step: from `initial` linearly down to 0.

    The same noise on real and generated images makes the two distributions overlap, so that no
    discriminator can separate them. It fades, since the generator would learn the noise too.

    Args:
        step: scalar integer tensor or int, 0-based.
        initial: standard deviation at step 0, in units of the images' values.
        num_steps: the step from which on it is 0.

    Sources: Sønderby et al. 2017, arXiv:1610.04490; Arjovsky & Bottou 2017, arXiv:1701.04862,
    section 3.
    """
    left = 1.0 - tf.cast(step, tf.float32) / float(num_steps)
    return initial * tf.maximum(left, 0.0)


def _safe_sqrt(x):
    # The slope of a square root is infinite at 0. The inner `where` keeps that infinity out of the
    # backward pass, where 0 * inf would be nan. The slope at 0 becomes 0.
    positive = x > 0.0
    return tf.where(positive, tf.sqrt(tf.where(positive, x, 1.0)), 0.0)
