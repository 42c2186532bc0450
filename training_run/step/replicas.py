"""What a training step does about the other replicas, each of which runs it on its own share.

A replica is one device with a copy of all weights. A step is written for the examples at hand; on
one device the functions here give back what they get, and the step is the one in the papers. On
several they make it the step of the global batch:

- Keras's optimizers sum the gradients of all replicas, where a loss is a mean over the batch. So
  each replica's loss counts for its share (`share_of_loss`).
- What is no sum over examples needs the mean over the global batch first (`mean_over_replicas`).
- BatchNorm normalises with the statistics of a replica's own share. Its moving averages, which
  would drift apart, are averaged after every step (`average_statistics`). So a network with
  BatchNorm trains a little differently on another number of devices; all others do not.
- Dropout draws the same mask on every replica, each for the images of its own share.
"""

import keras
import tensorflow as tf


class Composite(keras.Model):
    """A model made of networks that are built already, for `fit` under any strategy."""

    def saved_values(self):
        """Trained numbers outside of the networks, to be saved with them: name to float."""
        return {}

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing is left to build.

        Keras would average the first batch over all replicas to find out, which fails with several
        workers where a batch is a dict.
        """


def num_replicas():
    """How many replicas run the step that is being traced; 1 outside of any strategy."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def share_of_loss(loss):
    """What a replica's mean loss contributes to the mean over the global batch.

    The shares of the batch are equal, so the mean of all is the mean of the replicas' means.

    Args:
        loss: scalar, a mean over this replica's examples, penalties included.

    Returns:
        Scalar; the sum over all replicas is the loss of the global batch.
    """
    return loss if num_replicas() == 1 else loss / num_replicas()


def mean_over_replicas(value):
    """The mean over all replicas of a tensor, or of each in a list; gradients pass through it.

    Must not be called inside `tf.cond`: replicas meet here.
    """
    if num_replicas() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, value)


def average_statistics(networks):
    """Average what networks gather while they run, such as BatchNorm's moving mean and variance.

    These are updated linearly, so the average of the replicas' moving averages is the moving
    average of the replicas' batch statistics, whenever it is taken.

    Args:
        networks: iterable of networks. Whole numbers (the state of Dropout's random numbers)
            are the same on all replicas anyway.
    """
    if num_replicas() == 1:
        return
    weights = [weight for network in networks for weight in network.non_trainable_weights]
    weights = [weight for weight in weights if weight.dtype.startswith("float")]
    if weights:
        # A weight that is read has no device of its own, which workers need to know; a copy has.
        means = mean_over_replicas([tf.identity(weight) for weight in weights])
        for weight, mean in zip(weights, means, strict=True):
            weight.assign(mean)


def run_if(condition, function, batch):
    """Call `function(batch)`, a phase that may update weights, where a condition holds.

    Replicas meet to update weights, which they cannot do in a branch of their own: so with several
    of them the branch is taken for all at once.

    Args:
        condition: scalar bool tensor, the same on all replicas.
        function: batch -> None.
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


def results(metrics):
    """The metrics' values by name, for Keras's `fit` to average over the replicas.

    Over several workers it averages along axis 0, which a scalar does not have.

    Args:
        metrics: list of Keras metrics.

    Returns:
        dict of name -> scalar, or (1,) with the multi-worker strategy.
    """
    values = {metric.name: metric.result() for metric in metrics}
    if not isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return values
    return {name: tf.reshape(value, (1,)) for name, value in values.items()}
