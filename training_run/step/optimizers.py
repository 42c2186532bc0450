"""Optimizers from their settings."""

import keras
import tensorflow as tf

from training_run.config.sections import AdamConfig


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, each weight updated by one TensorFlow kernel.

    Keras writes the update as a dozen operations, each of which reads and writes arrays as large as
    the weights; `ResourceApplyAdam` reads and writes everything once. Where XLA compiles the step
    both come out as one loop. Arithmetic and variables are those of Keras's Adam without `amsgrad`,
    so either can go on from the other's state.

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
    """An Adam.

    Args:
        settings: an `AdamConfig`, or a section that extends it.
    """
    return FusedAdam(**settings.model_dump(include=set(AdamConfig.model_fields)))
