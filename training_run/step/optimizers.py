"""Optimizers from their settings."""

import math

import keras
import tensorflow as tf

from training_run.config.sections import AdamConfig


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, each weight updated by one TensorFlow kernel.

    Keras's update has a dozen operations, each of which reads and writes arrays as large as the
    weights. `ResourceApplyAdam` reads and writes them once. (XLA makes one loop of either.) The
    variables are those of Keras's Adam without `amsgrad`, so each can continue from the other's.

    Source: Kingma & Ba 2015, arXiv:1412.6980, section 2, the efficient order of computation.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Update one weight and its two moments, in place."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises in equal steps, then falls to 0 along half a cosine.

    Args:
        learning_rate: the largest one.
        num_steps: steps of the whole run; the learning rate is 0 after the last one.
        warmup_steps: steps of the rise; at step s < warmup_steps it is (s + 1) / (warmup_steps + 1)
            of the largest.

    Source: Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5, without restarts.
    """

    def __init__(self, learning_rate, num_steps, warmup_steps=0):
        self.learning_rate = learning_rate
        self.num_steps, self.warmup_steps = num_steps, warmup_steps

    def __call__(self, step):
        """The learning rate of a step, counted from 0; scalar float32."""
        step = tf.cast(step, tf.float32)
        rise = (step + 1.0) / (self.warmup_steps + 1.0)
        share = (step - self.warmup_steps) / max(1, self.num_steps - self.warmup_steps)
        fall = 0.5 + 0.5 * tf.cos(math.pi * tf.clip_by_value(share, 0.0, 1.0))
        return self.learning_rate * tf.where(step < self.warmup_steps, rise, fall)


def build_adam(settings, learning_rate=None):
    """A `FusedAdam` from an `AdamConfig`, or from a section that extends it.

    `learning_rate` is a schedule in place of the constant one in the settings.
    """
    values = settings.model_dump(include=set(AdamConfig.model_fields))
    return FusedAdam(**values | ({} if learning_rate is None else {"learning_rate": learning_rate}))
