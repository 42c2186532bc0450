"""The VampPrior: a mixture of the posteriors of images that are learned with the networks.

The prior that makes the ELBO largest is the aggregate posterior, the mean of q(z|x) over the
training images. Tomczak & Welling 2018, arXiv:1705.07120, equation 9, replace the images by K
learned pseudo-inputs u_k: p(z) = (1/K) sum_k q(z|u_k). So the prior has the encoder's weights and K
images more.
"""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from sample_quality.mixture import Mixture
from training_run.loop.callbacks import check_finite
from training_run.step.batches import draw_normal
from vae_mnist.bounds import log_mixture
from vae_mnist.losses import MAX_LOG_VAR, sample_posterior
from vae_mnist.prior_callback import FitPrior
from vae_mnist.priors import FULL, MAX_HELD_OUT, QUICK, make_prior

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


def vamp_prior(vae, data, num_held_out):
    """The `VampPrior` of a VAE as a `Prior`: a mixture with diagonal covariances.

    Args:
        vae: a `VAE` with a `VampPrior`.
        data: `ImageData`; test images are binarised where training ones are.
        num_held_out: test images whose codes are tried, at most.

    Returns:
        A `Prior` with equal weights. Its record counts all training images as codes.
    """
    started = time.monotonic()
    means, log_vars = (np.asarray(part) for part in vae.vamp.components(vae.encoder))
    scales = np.exp(0.5 * np.clip(log_vars, -MAX_LOG_VAR, MAX_LOG_VAR))
    mixture = Mixture(
        weights=np.full(len(means), 1 / len(means), np.float32),
        means=means,
        cholesky=scales[..., None] * np.eye(means.shape[1], dtype=np.float32),
    )
    z_mean, z_log_var = vae.posterior(data.x_test[:num_held_out])
    noise = draw_normal(vae.seed, "held_out_codes", 0, z_mean.shape)
    z = np.asarray(sample_posterior(z_mean, z_log_var, noise))
    return make_prior("vamp", mixture, vae, len(data.x_train), z, started=started)


class ShowVampPrior(FitPrior):
    """Gives the model its `VampPrior` as a `prior` where samples are drawn: nothing is fitted.

    Args:
        context: the run's `RunContext`.
    """

    def __init__(self, context):
        schedule = context.schedule
        steps = [schedule.samples_every, schedule.gif_every]
        if context.config.quality.every:
            steps.append(schedule.extra["quality"])
        super().__init__(context, math.gcd(*steps))

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.fit(QUICK)

    def fit(self, effort):
        """The prior of the weights as they are."""
        check_finite(self.model)
        self.is_final = effort is FULL
        num_held_out = MAX_HELD_OUT if self.is_final else 1000
        prior = vamp_prior(self.model, self.context.data, num_held_out)
        self.model.prior = prior.with_temperature(self.context.config.prior.temperature)
