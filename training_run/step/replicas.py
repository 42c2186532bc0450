"""A training step on several devices.

A replica is one device with a copy of all weights. It runs the step on its share of the batch. On
one device the functions here change nothing. On several they make the step that of the whole batch:

- Keras's optimizers sum the gradients of all replicas, but a loss is a mean over the batch. So each
  replica's loss is divided by their number (`share_of_loss`).
- A value that is no sum over examples needs the mean over the whole batch (`mean_over_replicas`).
- BatchNorm normalises by the statistics of a replica's own share. Its moving averages would differ,
  so they are averaged after every step (`average_statistics`). A network with BatchNorm therefore
  trains a little differently on another number of devices; all others do not.
- Dropout draws the same mask on every replica, each for its own share.
"""

import keras
import tensorflow as tf


class Composite(keras.Model):
    """A model made of networks that are already built, for `fit` under any strategy."""

    def trained_networks(self):
        """The networks by file name, as they are while training."""
        return self.networks()

    def saved_values(self):
        """Trained numbers outside of the networks, to be saved with them: name to float."""
        return {}

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Do nothing. Keras would average a batch over all workers here, which fails for a dict."""


def num_replicas():
    """Number of replicas of the current strategy; 1 outside of any strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def share_of_loss(loss):
    """A replica's part of the loss: the parts of all replicas sum to the loss of the whole batch.

    Args:
        loss: scalar, a mean over this replica's examples, penalties included.
    """
    return loss if num_replicas() == 1 else loss / num_replicas()


def mean_over_replicas(value):
    """The mean over all replicas of a tensor, or of each tensor in a list; with gradients.

    Replicas wait for each other here, so it must not be called inside `tf.cond`.
    """
    if num_replicas() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, value)


def average_statistics(networks):
    """Average the moving statistics of networks, such as BatchNorm's mean and variance.

    Their updates are linear, so the average of moving averages is the moving average of averages.
    Integers (the state of Dropout's random numbers) are the same on all replicas.
    """
    if num_replicas() == 1:
        return
    weights = [weight for network in networks for weight in network.non_trainable_weights]
    weights = [weight for weight in weights if weight.dtype.startswith("float")]
    if weights:
        # Workers need to know a tensor's device. A weight that is read has none, a copy has one.
        means = mean_over_replicas([tf.identity(weight) for weight in weights])
        for weight, mean in zip(weights, means, strict=True):
            weight.assign(mean)


def run_if(condition, function, batch):
    """`tf.cond` for a phase of the step that may update weights: `function(batch)` or nothing.

    Replicas wait for each other to update weights, so all of them must take the branch together.

    Args:
        condition: scalar bool tensor, the same on all replicas.
        function: takes the batch and returns None.
        batch: dict of tensors.
    """

    def for_all(strategy, condition, batch):
        holds = strategy.experimental_local_results(condition)[0]
        run = lambda: strategy.extended.call_for_each_replica(function, args=(batch,))  # noqa: E731
        tf.cond(holds, run, lambda: None)

    if num_replicas() == 1:
        tf.cond(condition, lambda: function(batch), lambda: None)
    else:
        tf.distribute.get_replica_context().merge_call(for_all, args=(condition, batch))


def metric_results(metrics):
    """The values of Keras metrics by name, for `train_step` to return.

    They are scalars, or (1,) with the multi-worker strategy, where `fit` averages along axis 0.
    """
    values = {metric.name: metric.result() for metric in metrics}
    if not isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return values
    return {name: tf.reshape(value, (1,)) for name, value in values.items()}
