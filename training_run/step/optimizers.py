"""Optimizers from their settings."""

import keras
import tensorflow as tf

from training_run.config.sections import AdamConfig


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, each weight updated by one TensorFlow kernel.

    Keras's update has a dozen operations, each of which reads and writes arrays as large as the
    weights. `ResourceApplyAdam` reads and writes them once. (XLA makes one loop of either.) The
    variables are those of Keras's Adam without `amsgrad`, so each can continue from the other's.

    Args:
        beta_2_at: function of the update, counted from 0, that gives beta_2 in place of a constant;
            None for the constant. The bias is corrected by 1 - beta_2^t with the present beta_2, as
            PyTorch does when its value is set while training.
        arguments: as for Keras's Adam.

    Source: Kingma & Ba 2015, arXiv:1412.6980, section 2, the efficient order of computation.
    """

    def __init__(self, *, beta_2_at=None, **arguments):
        super().__init__(**arguments)
        self.beta_2_at = beta_2_at

    def update_step(self, gradient, variable, learning_rate):
        """Update one weight and its two moments, in place."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_2 = self.beta_2 if self.beta_2_at is None else self.beta_2_at(self.iterations)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=tf.cast(beta_2, variable.dtype),
            epsilon=self.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )


class ScheduledRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises in equal steps, then goes to its end along a `Transition`.

    Args:
        learning_rate: the largest one.
        transition: a `Transition`; in its warm-up the rate rises.
        final_factor: share of the largest rate that is left after the last step.
    """

    def __init__(self, learning_rate, transition, final_factor=0.0):
        self.learning_rate = learning_rate
        self.transition, self.final_factor = transition, final_factor

    def __call__(self, step):
        """The learning rate of an update, counted from 0; scalar float32."""
        course = self.transition
        left = self.final_factor + (1.0 - self.final_factor) * course.left(step)
        is_rising = tf.cast(step, tf.float32) < course.warmup_steps
        return self.learning_rate * tf.where(is_rising, course.warmup(step), left)


def build_adam(settings, learning_rate=None, beta_2_at=None):
    """A `FusedAdam` from an `AdamConfig`, or from a section that extends it.

    `learning_rate` is a schedule in place of the constant one in the settings, `beta_2_at` a
    function of the update in place of the constant beta_2.
    """
    values = settings.model_dump(include=set(AdamConfig.model_fields))
    if learning_rate is not None:
        values["learning_rate"] = learning_rate
    return FusedAdam(**values, beta_2_at=beta_2_at)
