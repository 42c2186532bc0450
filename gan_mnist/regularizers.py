"""Penalties on the discriminator's slope, and instance noise: what keeps the game in balance.

Pure functions, differentiable once more (they are part of a loss), and compilable by XLA. They take
the discriminator as a function images -> logits (N, 1), so that a conditional one is passed with
its labels bound: `lambda x: discriminator([x, labels], training=True)`.

The penalties are about the slope at every image by itself. A discriminator with batch normalisation
has none: there each logit depends on the whole batch.
"""

import tensorflow as tf


def gradient_penalty(discriminator_fn, real, fake, epsilon):
    """E[(|grad D(x)| - 1)^2] at points x between a real and a generated image.

    Args:
        discriminator_fn: images -> logits (N, 1), each a function of its own image alone.
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
    """E[|grad D(x)|^2] / 2 at real images x.

    Args:
        discriminator_fn: images -> logits (N, 1), each a function of its own image alone.
        real: (N, H, W, C) float, real images.

    Returns:
        Scalar float32, to be weighted with gamma (10 in the paper).

    Source: Mescheder et al. 2018, arXiv:1801.04406, equation 9.
    """
    return 0.5 * tf.reduce_mean(squared_gradient_norms(discriminator_fn, real))


def squared_gradient_norms(discriminator_fn, images):
    """|grad D(x)|^2 of every image, summed over all its pixels and channels.

    Args:
        discriminator_fn: images -> logits (N, 1), each a function of its own image alone.
        images: (N, H, W, C) float.

    Returns:
        (N,) float32.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        # Image n reaches logit n only, so the sum's gradient holds all N gradients.
        total = tf.reduce_sum(discriminator_fn(images))
    gradients = tf.cast(tape.gradient(total, images), tf.float32)
    return tf.reduce_sum(tf.square(gradients), axis=tuple(range(1, images.shape.rank)))


def instance_noise_stddev(step, *, initial, num_steps):
    """Standard deviation of the instance noise at a step: from `initial` linearly down to 0.

    Noise added to real and generated images alike makes the two distributions overlap, so that the
    discriminator cannot win outright; it fades, since the generator would learn it too.

    Args:
        step: scalar integer tensor or int, 0-based.
        initial: standard deviation at step 0, in units of the images' range.
        num_steps: the step at which it reaches 0 and stays there.

    Returns:
        Scalar float32.

    Sources: Sønderby et al. 2017, arXiv:1610.04490; Arjovsky & Bottou 2017, arXiv:1701.04862,
    section 3.
    """
    left = 1.0 - tf.cast(step, tf.float32) / float(num_steps)
    return initial * tf.maximum(left, 0.0)


def _safe_sqrt(x):
    # The slope of a square root is infinite at 0. The inner `where` keeps that infinity out of the
    # backward pass, where 0 * inf would be nan; at 0 the slope is taken to be 0.
    positive = x > 0.0
    return tf.where(positive, tf.sqrt(tf.where(positive, x, 1.0)), 0.0)
