"""The VampPrior: a mixture of the posteriors of images that are learned with the networks.

The prior that makes the ELBO largest is the aggregate posterior, the mean of q(z|x) over the
training images. Tomczak & Welling 2018, arXiv:1705.07120, equation 9, replace the images by K
learned pseudo-inputs u_k: p(z) = (1/K) sum_k q(z|u_k). So the prior has the encoder's weights and K
images more.
"""

import keras
import numpy as np
import tensorflow as tf

from training_run.files import atomic_path
from training_run.loop.callbacks import EverySteps
from training_run.step.batches import draw_normal, draw_uniform
from vae_mnist.bounds import log_mixture
from vae_mnist.losses import sample_posterior

DEFAULT_PSEUDO_INPUTS = 500
"""As in the paper's experiments on MNIST."""


class UnitInterval(keras.constraints.Constraint):
    """Keeps a weight in [0, 1], the range of images."""

    def __call__(self, weight):
        return keras.ops.clip(weight, 0.0, 1.0)


class VampPrior(keras.layers.Layer):
    """K pseudo-inputs, and the mixture that an encoder makes of them.

    They start as dark, nearly equal images, as in the authors' code. There a clipping keeps them in
    [0, 1], under which a pixel outside would get no gradient any more; here they are clipped after
    each step.

    Args:
        num: K.
        image_shape: (height, width, channels).
        seed: of the first values.
    """

    def __init__(self, num, image_shape, seed):
        super().__init__(name="vamp_prior")
        self.pseudo_inputs = self.add_weight(
            shape=(num, *image_shape),
            initializer=keras.initializers.RandomNormal(0.05, 0.01, seed=seed),
            constraint=UnitInterval(),
            name="pseudo_inputs",
        )
        self.built = True

    def components(self, encoder, training=False):
        """Means and log-variances of q(z|u_k), both (K, latent_dim)."""
        return encoder(tf.convert_to_tensor(self.pseudo_inputs), training=training)

    def log_density(self, encoder, training=False):
        """A function of (n, latent_dim) codes giving log p(z), (n,) nats."""
        means, log_vars = self.components(encoder, training)
        return lambda z: log_mixture(z, means, log_vars)

    def sample(self, encoder, seed, num):
        """`num` codes, (num, latent_dim) float32, from the same noise at every call."""
        means, log_vars = self.components(encoder)
        chosen = tf.cast(draw_uniform(seed, "component", 0, (num,)) * len(means), tf.int32)
        epsilon = draw_normal(seed, "grid", 0, (num, means.shape[-1]))
        return sample_posterior(tf.gather(means, chosen), tf.gather(log_vars, chosen), epsilon)


def vamp_grid(vae, config):
    """A function that gives a grid's images from the prior as it is then; see `sample_grid`."""
    num = config.samples.num_rows * config.samples.num_columns
    return lambda: vae.sample(vae.prior.sample(vae.encoder, config.seed, num))


class SavePrior(EverySteps):
    """Writes `prior.npz` whenever the networks are saved: the mixture as arrays.

    weights (K,), means (K, latent_dim), cholesky (K, latent_dim, latent_dim), all float32.

    Args:
        clock, every: when.
        path: of the file.
    """

    def __init__(self, clock, every, path):
        super().__init__(clock, every)
        self.path = path

    def at_step(self, step, logs):
        means, log_vars = (
            np.asarray(part) for part in self.model.prior.components(self.model.encoder)
        )
        arrays = {
            "weights": np.full(len(means), 1 / len(means), np.float32),
            "means": means,
            "cholesky": np.exp(0.5 * log_vars)[..., None]
            * np.eye(means.shape[1], dtype=np.float32),
        }
        with atomic_path(self.path) as temporary:
            np.savez(temporary, **arrays)

    def on_train_end(self, logs=None):
        self.at_step(self.clock.step, logs)
