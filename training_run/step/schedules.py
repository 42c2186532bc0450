"""How a number changes over a run, as a function of the step alone.

So a resumed run goes on with the values that a run that was never stopped has at the same steps.
"""

import math
from typing import NamedTuple

import tensorflow as tf


class Transition(NamedTuple):
    """The way from a value at the start of a run to another one at its end.

    Attributes:
        shape: "constant" (the value stays), "linear", or "cosine" (half a cosine: slow at both
            ends).
        num_steps: steps of the whole run; the end is reached after the last one.
        warmup_steps: steps before the way begins.

    Source: Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """

    shape: str
    num_steps: int
    warmup_steps: int = 0

    def left(self, step):
        """Share of the way that is left at a step, counted from 0: scalar float32, 1 to 0."""
        steps = tf.cast(step, tf.float32) - self.warmup_steps
        done = tf.clip_by_value(steps / max(1, self.num_steps - self.warmup_steps), 0.0, 1.0)
        if self.shape == "constant":
            return tf.ones_like(done)
        return 1.0 - done if self.shape == "linear" else 0.5 + 0.5 * tf.cos(math.pi * done)

    def value(self, start, end, step):
        """The value at a step, on the way from `start` to `end`; scalar float32."""
        left = self.left(step)
        return left * start + (1.0 - left) * end

    def warmup(self, step):
        """Share of the full value during the warm-up, (step + 1) / (warmup_steps + 1); then 1."""
        return tf.minimum((tf.cast(step, tf.float32) + 1.0) / (self.warmup_steps + 1.0), 1.0)


def half_life(decay):
    """Updates after which a moving average keeps half of what it was; 0 for a decay of 0."""
    return math.log(0.5) / math.log(decay) if decay else 0.0


def decay_between(transition, start, end):
    """A moving average's decay whose half-life goes from that of `start` to that of `end`.

    Args:
        transition: a `Transition`.
        start, end: decays from 0 to below 1. A start of 0 keeps no average at first, so that
            nothing of the first images stays in it.

    Returns:
        A function from a step to the decay, scalar float32.

    Source: Huang et al. 2024, arXiv:2501.05441, appendix (a half-life that grows from 0).
    """
    first, last = half_life(start), half_life(end)
    return lambda step: _decay_of(transition.value(first, last, step))


def growing_decay(decay, share):
    """A moving average's decay whose half-life is at most a share of the steps so far.

    Networks change most at the start: an average over many steps then shows what they were, and
    not what they are.

    Args:
        decay: that of the longest half-life, from 0 to below 1.
        share: of the steps, say 0.05.

    Returns:
        A function from a step to the decay, scalar float32.

    Source: Karras et al. 2020, arXiv:2006.06676, official code (`ema_rampup`).
    """
    longest = half_life(decay)
    return lambda step: _decay_of(tf.minimum(longest, share * (tf.cast(step, tf.float32) + 1.0)))


def _decay_of(life):
    """The decay with this half-life, a scalar; 0 for a half-life of 0."""
    return tf.where(life > 0.0, 0.5 ** (1.0 / tf.maximum(life, 1e-3)), 0.0)
