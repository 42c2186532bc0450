"""Optimizers from their settings."""

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


def build_adam(settings):
    """A `FusedAdam` from an `AdamConfig`, or from a section that extends it."""
    return FusedAdam(**settings.model_dump(include=set(AdamConfig.model_fields)))
