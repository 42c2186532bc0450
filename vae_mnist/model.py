"""The VAE: an encoder, a decoder and the bound that trains both."""

import keras
import numpy as np
import tensorflow as tf

from training_run.step.batches import draw_normal, draw_uniform, scale_images
from training_run.step.networks import logits_network
from training_run.step.replicas import Composite, metric_results, share_of_loss
from vae_mnist.binarization import BINARIZATIONS
from vae_mnist.losses import (
    beta_at,
    bounded_log_scale,
    free_bits,
    kl_per_dimension,
    sample_posterior,
)

VALUE_RANGE = (0.0, 1.0)
"""Range of the images: that of the decoder's sigmoid."""

INITIAL_LOG_SCALE = -1.2
"""Start of a learned log-scale: e^-1.2 = 0.30, about the standard deviation of a digit's pixels."""

EVALUATION_BATCH = 1000


class VAE(Composite):
    """Encoder q(z|x) and decoder p(x|z), trained by auto-encoding variational Bayes.

    A step is that of Algorithm 1 (with one z per image) of Kingma & Welling 2014,
    arXiv:1312.6114.

    Noise arrives in the batch, drawn by `draw` in the input pipeline as a function of seed and
    step: a resumed run sees the same one, and random numbers are dear in an XLA-compiled step.

    Args:
        encoder: images (N, H, W, C) in [0, 1] -> [z_mean, z_log_var], both (N, latent_dim).
        decoder: z (N, latent_dim) -> images; it ends in `Activation("sigmoid")`. Conditional
            networks take labels (N,) int32 as a second input, both or neither.
        loss: a `vae_mnist.losses.VAELoss`. It belongs to the model, since with a learned scale the
            likelihood has a weight of its own.
        binarize: one of `vae_mnist.binarization.BINARIZATIONS`. With "none" and "static" images are
            taken as they come (`binarize_data` has done the static kind); with "dynamic" every
            pixel is drawn anew at each step.
        batch_size: examples to draw noise for.
        seed: of the noise.

    Raises:
        ValueError: for an unknown `binarize`.
    """

    def __init__(self, encoder, decoder, loss, *, binarize="none", batch_size, seed):
        if binarize not in BINARIZATIONS:
            known = ", ".join(BINARIZATIONS)
            raise ValueError(f"binarize must be one of {known}. Received: {binarize!r}")
        super().__init__(name="vae")
        self.encoder = encoder
        self.decoder = decoder
        self.decoder_logits = logits_network(decoder)
        self.vae_loss = loss
        self.log_scale_weight = None
        if loss.learns_scale:
            start = keras.initializers.Constant(INITIAL_LOG_SCALE)
            self.log_scale_weight = self.add_weight(shape=(), initializer=start, name="log_scale")
        self.value_range = VALUE_RANGE
        self.binarize, self.batch_size, self.seed = binarize, batch_size, seed
        self.is_conditional = len(encoder.inputs) == 2
        self.image_shape = encoder.inputs[0].shape[1:]
        self.latent_dim = decoder.inputs[0].shape[-1]
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_tracker = keras.metrics.Mean(name="kl_loss")
        self.log_scale_tracker = keras.metrics.Mean(name="log_scale")
        self.built = True  # its parts are; `fit` need not trace a call to find out

    def compile(self, optimizer, *, jit_compile=False, steps_per_execution=1):
        """Set the optimizer of all weights.

        Args:
            optimizer: a Keras optimizer.
            jit_compile: whether XLA compiles the step.
            steps_per_execution: steps in one compiled execution.
        """
        super().compile(
            optimizer=optimizer, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self.optimizer.build(self.learned_weights())

    @property
    def metrics(self):
        scale = [] if self.log_scale_weight is None else [self.log_scale_tracker]
        return [self.loss_tracker, self.reconstruction_tracker, self.kl_tracker, *scale]

    def networks(self):
        """The networks to save, by file name."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    def optimizers(self):
        """The one optimizer, by name."""
        return {"vae": self.optimizer}

    def learned_weights(self):
        """The weights that a step updates."""
        scale = [] if self.log_scale_weight is None else [self.log_scale_weight]
        return self.encoder.trainable_variables + self.decoder.trainable_variables + scale

    @property
    def log_scale(self):
        """Log of the decoder's standard deviation, on [0, 1], or None where none is learned."""
        if self.log_scale_weight is None:
            return None
        return bounded_log_scale(self.log_scale_weight)

    def draw(self, step):
        """What one step needs beside its images: a pure function of (seed, step).

        The KL's weight comes once per example, so that a batch can be split between devices.
        """
        epsilon = draw_normal(self.seed, "epsilon", step, (self.batch_size, self.latent_dim))
        beta = beta_at(step, self.vae_loss.beta, self.vae_loss.warmup_steps)
        drawn = {"epsilon": epsilon, "beta": tf.fill((self.batch_size,), beta)}
        if self.binarize == "dynamic":
            shape = (self.batch_size, *self.image_shape)
            drawn["thresholds"] = draw_uniform(self.seed, "thresholds", step, shape)
        return drawn

    def train_step(self, batch):
        """Descend C * reconstruction + beta * KL.

        Args:
            batch: "images" (N, H, W, C) uint8, "epsilon" (N, latent_dim) float32, "beta" (N,)
                float32; "labels" (N,) int32 for conditional networks; "thresholds" like the images,
                in [0, 1), for dynamic binarisation.

        Returns:
            dict of the metrics since their last reset; reconstruction_loss and kl_loss are
            without C, beta and free bits.
        """
        c, beta = self.vae_loss.c, tf.reduce_mean(batch["beta"])
        with tf.GradientTape() as tape:
            reconstruction, kl = self.bound_terms(batch, training=True)
            kl_term = free_bits(kl, self.vae_loss.free_bits)
            loss = c * tf.reduce_mean(reconstruction) + beta * kl_term
            objective = share_of_loss(loss)
        weights = self.learned_weights()
        self.optimizer.apply(tape.gradient(objective, weights), weights)
        return self._record(loss, reconstruction, kl)

    def bound_terms(self, batch, training):
        """The two terms of -ELBO(x) = E_q[-log p(x|z)] + KL(q(z|x) || p(z)), one z per image.

        Args:
            batch: as for `train_step`; "beta" is not needed.
            training: whether layers behave as in training.

        Returns:
            Reconstruction loss (N,) and KL (N, latent_dim).
        """
        x = scale_images(batch["images"], self.value_range)
        if "thresholds" in batch:
            x = tf.cast(batch["thresholds"] < x, tf.float32)
        labels = batch.get("labels")

        z_mean, z_log_var = self.encoder(self._inputs(x, labels), training=training)
        z = sample_posterior(z_mean, z_log_var, batch["epsilon"])
        logits = self.decoder_logits(self._inputs(z, labels), training=training)

        reconstruction = self.vae_loss.reconstruction(x, logits, self.log_scale)
        return reconstruction, kl_per_dimension(z_mean, z_log_var)

    def test_step(self, batch):
        """The loss without warm-up and free bits, so that it means the same all run long.

        Args:
            batch: as for `train_step`; "beta" is not needed.

        Returns:
            dict of the metrics since their last reset.
        """
        reconstruction, kl = self.bound_terms(batch, training=False)
        loss = self._plain_loss(reconstruction, tf.reduce_sum(kl, axis=1))
        return self._record(loss, reconstruction, kl)

    def evaluate_arrays(self, images, labels=None):
        """The loss on held-out images, as `test_step` defines it; the same noise every time.

        Unlike Keras's `evaluate` it leaves the metrics alone: they are gathering a log row.

        Args:
            images: (N, H, W, C) uint8; for dynamic binarisation, binarised already.
            labels: (N,) int32 for a conditional model.

        Returns:
            dict of floats: val_loss, val_reconstruction_loss, val_kl_loss.
        """
        epsilon = draw_normal(self.seed, "evaluation", 0, (len(images), self.latent_dim))
        totals = np.zeros(2)
        for start in range(0, len(images), EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            batch = {"images": images[part], "epsilon": epsilon[part]}
            if labels is not None:
                batch["labels"] = labels[part]
            totals += [float(total) for total in self._summed_terms(batch)]
        reconstruction, kl = totals / len(images)
        return {
            "val_loss": float(self._plain_loss(reconstruction, kl)),
            "val_reconstruction_loss": float(reconstruction),
            "val_kl_loss": float(kl),
        }

    @tf.function
    def _summed_terms(self, batch):
        reconstruction, kl = self.bound_terms(batch, training=False)
        return tf.reduce_sum(reconstruction), tf.reduce_sum(kl)

    def _plain_loss(self, reconstruction, kl):
        return self.vae_loss.c * reconstruction + self.vae_loss.beta * kl

    def _record(self, loss, reconstruction, kl):
        self.loss_tracker.update_state(loss)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(tf.reduce_sum(kl, axis=1))
        if self.log_scale_weight is not None:
            self.log_scale_tracker.update_state(self.log_scale)
        return metric_results(self.metrics)

    def _inputs(self, tensor, labels):
        if not self.is_conditional:
            return tensor
        # Keras refuses a list of which only some are tensors.
        return [tf.convert_to_tensor(tensor), tf.convert_to_tensor(labels)]

    def reconstruct(self, images, labels=None):
        """Images decoded from the posterior means of images.

        Args:
            images: (N, H, W, C) uint8.
            labels: (N,) int32 for a conditional model.

        Returns:
            (N, H, W, C) float32 in [0, 1].
        """
        z_mean, _ = self.posterior(images, labels)
        return self.sample(z_mean, labels)

    def posterior(self, images, labels=None):
        """The parameters of q(z|x) = N(z_mean, exp(z_log_var)).

        Args:
            images: (N, H, W, C) uint8.
            labels: (N,) int32 for a conditional model.

        Returns:
            z_mean and z_log_var, both (N, latent_dim) float32.
        """
        x = scale_images(images, self.value_range)
        return self.encoder(self._inputs(x, labels), training=False)

    def sample(self, z, labels=None):
        """Images from latents: the mean of p(x|z).

        Args:
            z: (N, latent_dim) float32.
            labels: (N,) int32 for a conditional model.

        Returns:
            (N, H, W, C) float32 in [0, 1].
        """
        return self.decoder(self._inputs(z, labels), training=False)
