"""The VAE: an encoder and a decoder, trained on one bound."""

import keras
import numpy as np
import tensorflow as tf

from training_run.step.batches import draw_normal, draw_uniform, scale_images
from training_run.step.networks import logits_network
from training_run.step.replicas import Composite, metric_results, share_of_loss
from vae_mnist.bounds import importance_weighted_bound, log_standard_normal, sampled_kl
from vae_mnist.contrast import contrast, copy_with_gain, find_gain
from vae_mnist.losses import (
    RECONSTRUCTION_LOSSES,
    beta_at,
    bounded_log_scale,
    free_bits,
    kl_per_dimension,
    sample_posterior,
)

INITIAL_LOG_SCALE = -1.2
"""Start of a learned log-scale: e^-1.2 = 0.30, about the standard deviation of a digit's pixels."""

BATCH = 1000
"""Images encoded at once outside of training."""


class VAE(Composite):
    """Encoder q(z|x) and decoder p(x|z), trained by auto-encoding variational Bayes.

    A step is that of Algorithm 1 of Kingma & Welling 2014, arXiv:1312.6114, with one z per image.
    With `loss.importance_samples` above 1 it is that of importance-weighted auto-encoders, with so
    many (`bounds.py`); with a `VampPrior` the KL is sampled too, since it has no closed form.

    The noise comes with the batch: `draw` makes it in the input pipeline, as a function of (seed,
    step). So a resumed run sees the same, and XLA, whose random numbers are slow, has none to make.

    Args:
        encoder: images (N, H, W, C) in [0, 1] to [z_mean, z_log_var], both (N, latent_dim).
        decoder: z (N, latent_dim) to images; its last layer is `Activation("sigmoid")`. Conditional
            networks take labels (N,) int32 as a second input, both or neither.
        loss: a `VAELoss`; not an argument of `compile`, since a learned scale is a weight.
        vamp: a `VampPrior`, trained with the networks; None for N(0, I).
        binarize: "dynamic" draws each pixel of a training image anew at every step; otherwise
            images are taken as they are.
        calibrates_contrast: if True, samples come from a copy of the decoder (`contrast.py`).
        batch_size: training examples in a batch.
        seed: of the noise.
    """

    value_range = (0.0, 1.0)  # the decoder's sigmoid reaches no more

    def __init__(
        self,
        encoder,
        decoder,
        loss,
        *,
        vamp=None,
        binarize="none",
        calibrates_contrast=False,
        batch_size,
        seed,
    ):
        super().__init__(name="vae")
        self.encoder = encoder
        self.decoder = decoder
        self.decoder_logits = logits_network(decoder)
        self.sampling_decoder = decoder
        if calibrates_contrast:
            self.sampling_decoder = keras.models.clone_model(decoder)
            self.sampling_decoder.set_weights(decoder.get_weights())
        self.vae_loss = loss
        self.vamp = vamp
        self.reconstruction_loss = RECONSTRUCTION_LOSSES[loss.reconstruction]
        self.log_scale_weight = None
        if loss.reconstruction == "gaussian":
            start = keras.initializers.Constant(INITIAL_LOG_SCALE)
            self.log_scale_weight = self.add_weight(shape=(), initializer=start, name="log_scale")
        self.binarize, self.batch_size, self.seed = binarize, batch_size, seed
        self.prior = None  # a learned one, while there is one of the weights as they are
        self.is_conditional = len(encoder.inputs) == 2
        self.image_shape = encoder.inputs[0].shape[1:]
        self.latent_dim = decoder.inputs[0].shape[-1]
        self.samples_kl = loss.importance_samples > 1 or vamp is not None
        codes = (loss.importance_samples,) if self.samples_kl else ()
        self.noise_shape = (*codes, self.latent_dim)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_tracker = keras.metrics.Mean(name="kl_loss")
        self.log_scale_tracker = keras.metrics.Mean(name="log_scale")
        self.built = True  # its networks are built; `fit` need not trace a call to find out

    def compile(self, optimizer, *, jit_compile=False, steps_per_execution=1):
        """Set the Keras optimizer of all weights; the other arguments are those of Keras."""
        super().compile(
            optimizer=optimizer, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self.optimizer.build(self.learned_weights())

    @property
    def metrics(self):
        scale = [] if self.log_scale_weight is None else [self.log_scale_tracker]
        return [self.loss_tracker, self.reconstruction_tracker, self.kl_tracker, *scale]

    def networks(self):
        """The networks to save, by file name; "decoder" is the one to sample from."""
        if self.sampling_decoder is self.decoder:
            return {"encoder": self.encoder, "decoder": self.decoder}
        return {
            "encoder": self.encoder,
            "decoder": self.sampling_decoder,
            "decoder_raw": self.decoder,
        }

    def saved_values(self):
        """A learned log-scale, which scores need: the density of the decoder's images."""
        return {} if self.log_scale_weight is None else {"log_scale": float(self.log_scale)}

    def optimizers(self):
        """The one optimizer, by name."""
        return {"vae": self.optimizer}

    def learned_weights(self):
        """The weights that a step updates."""
        scale = [] if self.log_scale_weight is None else [self.log_scale_weight]
        vamp = [] if self.vamp is None else self.vamp.trainable_variables
        return self.encoder.trainable_variables + self.decoder.trainable_variables + scale + vamp

    @property
    def log_scale(self):
        """Log of the decoder's standard deviation in [0, 1] images; None if it is not learned."""
        if self.log_scale_weight is None:
            return None
        return bounded_log_scale(self.log_scale_weight)

    def draw(self, step):
        """What a step needs beside its images: a pure function of (seed, step).

        The weight of the KL is repeated for each example, so that devices can split the batch.
        """
        epsilon = draw_normal(self.seed, "epsilon", step, (self.batch_size, *self.noise_shape))
        beta = beta_at(step, self.vae_loss.beta, self.vae_loss.warmup_steps)
        drawn = {"epsilon": epsilon, "beta": tf.fill((self.batch_size,), beta)}
        if self.binarize == "dynamic":
            shape = (self.batch_size, *self.image_shape)
            drawn["thresholds"] = draw_uniform(self.seed, "thresholds", step, shape)
        return drawn

    def train_step(self, batch):
        """Descend C * reconstruction + beta * KL, or the bound of several samples.

        Args:
            batch: "images" (N, H, W, C) uint8, "epsilon" (N, *noise_shape) float32, "beta" (N,)
                float32; "labels" (N,) int32 for conditional networks; "thresholds" like the images,
                in [0, 1), for dynamic binarisation.

        Returns:
            dict of the metrics since their last reset. reconstruction_loss and kl_loss are without
            C, beta and free bits, and means over an image's samples.
        """
        loss_and_terms = self._sampled_loss if self.samples_kl else self._loss
        with tf.GradientTape() as tape:
            loss, reconstruction, kl = loss_and_terms(batch, tf.reduce_mean(batch["beta"]))
            objective = share_of_loss(loss)
        weights = self.learned_weights()
        self.optimizer.apply(tape.gradient(objective, weights), weights)

        self.loss_tracker.update_state(loss)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        if self.log_scale_weight is not None:
            self.log_scale_tracker.update_state(self.log_scale)
        return metric_results(self.metrics)

    def _loss(self, batch, beta):
        """The loss, scalar, and its two terms, (N,), with the exact KL."""
        reconstruction, kl = self.elbo_terms(batch, training=True)
        kl_term = free_bits(kl, self.vae_loss.free_bits)
        loss = self.vae_loss.c * tf.reduce_mean(reconstruction) + beta * kl_term
        return loss, reconstruction, tf.reduce_sum(kl, axis=1)

    def _sampled_loss(self, batch, beta):
        """The loss, scalar, and its two terms, (N, samples), with the KL of each sample."""
        reconstruction, kl = self.sampled_terms(batch, training=True)
        bound = importance_weighted_bound(self.vae_loss.c * reconstruction + beta * kl)
        return tf.reduce_mean(bound), reconstruction, kl

    def elbo_terms(self, batch, training):
        """The two terms of -ELBO(x) = E_q[-log p(x|z)] + KL(q(z|x) || p(z)), one z per image.

        Args:
            batch: as for `train_step`, without "beta".
            training: True if layers behave as in training.

        Returns:
            Reconstruction loss (N,) and KL (N, latent_dim).
        """
        x, labels = self._images_of(batch), batch.get("labels")

        z_mean, z_log_var = self.encoder(self._inputs(x, labels), training=training)
        z = sample_posterior(z_mean, z_log_var, batch["epsilon"])
        logits = self.decoder_logits(self._inputs(z, labels), training=training)

        reconstruction = self.reconstruction_loss(x, logits, self.log_scale)
        return reconstruction, kl_per_dimension(z_mean, z_log_var)

    def sampled_terms(self, batch, training):
        """-log p(x|z) and log q(z|x) - log p(z) of each of an image's codes.

        Arguments as for `elbo_terms`; "epsilon" is (N, samples, latent_dim).

        Returns:
            Two (N, samples) tensors, nats.
        """
        x, labels = self._images_of(batch), batch.get("labels")
        num_samples = batch["epsilon"].shape[1]
        z_mean, z_log_var = (
            tf.expand_dims(head, 1)
            for head in self.encoder(self._inputs(x, labels), training=training)
        )
        z = sample_posterior(z_mean, z_log_var, batch["epsilon"])
        log_prior = log_standard_normal
        if self.vamp is not None:
            log_prior = self.vamp.log_density(self.encoder, training)
        kl = sampled_kl(z, z_log_var, batch["epsilon"], log_prior)

        codes = tf.reshape(z, (-1, self.latent_dim))
        x, labels = (
            None if tensor is None else tf.repeat(tensor, num_samples, axis=0)
            for tensor in (x, labels)
        )
        logits = self.decoder_logits(self._inputs(codes, labels), training=training)
        reconstruction = self.reconstruction_loss(x, logits, self.log_scale)
        return tf.reshape(reconstruction, (-1, num_samples)), kl

    def _images_of(self, batch):
        """The images as the encoder takes them, (N, H, W, C) float32."""
        x = scale_images(batch["images"], self.value_range)
        if "thresholds" in batch:
            x = tf.cast(batch["thresholds"] < x, tf.float32)
        return x

    def evaluate_arrays(self, images, labels=None):
        """The loss on held-out images, without warm-up and free bits; the noise is always the same.

        Keras's `evaluate` would reset the metrics, which are gathering a log row. Arguments are
        those of `posterior`; images are binary already where training binarises them.

        Returns:
            dict of floats: val_loss, val_reconstruction_loss, val_kl_loss.
        """
        epsilon = draw_normal(self.seed, "evaluation", 0, (len(images), *self.noise_shape))
        totals = np.zeros(3)
        for part in batch_slices(len(images), BATCH // self.vae_loss.importance_samples):
            batch = {"images": images[part], "epsilon": epsilon[part]}
            if labels is not None:
                batch["labels"] = labels[part]
            totals += [float(total) for total in self._summed_terms(batch)]
        reconstruction, kl, gain = totals / len(images)
        loss = self.vae_loss.c * reconstruction + self.vae_loss.beta * kl
        return {
            "val_loss": float(loss - gain),
            "val_reconstruction_loss": float(reconstruction),
            "val_kl_loss": float(kl),
        }

    @tf.function
    def _summed_terms(self, batch):
        """Sums over images of the two terms, and of what several samples gain over them."""
        if not self.samples_kl:
            reconstruction, kl = self.elbo_terms(batch, training=False)
            return tf.reduce_sum(reconstruction), tf.reduce_sum(kl), 0.0
        terms = reconstruction, kl = self.sampled_terms(batch, training=False)
        losses = self.vae_loss.c * reconstruction + self.vae_loss.beta * kl
        gain = tf.reduce_mean(losses, axis=1) - importance_weighted_bound(losses)
        return *(tf.reduce_sum(tf.reduce_mean(term, axis=1)) for term in terms), tf.reduce_sum(gain)

    def posterior(self, images, labels=None):
        """The parameters of q(z|x) = N(z_mean, exp(z_log_var)), computed in batches.

        Args:
            images: (N, H, W, C) uint8.
            labels: (N,) int32; only a conditional model uses them.

        Returns:
            z_mean and z_log_var, both (N, latent_dim) float32 arrays.
        """
        parts = []
        for part in batch_slices(len(images)):
            x = scale_images(images[part], self.value_range)
            y = None if labels is None else labels[part]
            parts.append(self.encoder(self._inputs(x, y), training=False))
        return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))

    def sample(self, z, labels=None):
        """The mean of p(x|z): (N, H, W, C) float32 in [0, 1].

        Args:
            z: (N, latent_dim) float32.
            labels: (N,) int32; only a conditional model uses them.
        """
        return self.sampling_decoder(self._inputs(z, labels), training=False)

    def reconstruct(self, images, labels=None):
        """Images decoded from the posterior means, like those of `sample`."""
        z_mean, _ = self.posterior(images, labels)
        return self.sample(z_mean, labels)

    def calibrate_contrast(self, images, labels=None):
        """Copy the decoder for samples, with the factor on its logits that `contrast.py` explains.

        Args:
            images: (N, H, W, C) uint8 training images.
            labels: (N,) int32 for a conditional model.

        Returns:
            The factor.
        """
        z_mean, z_log_var = self.posterior(images, labels)
        epsilon = draw_normal(self.seed, "contrast", 0, z_mean.shape)
        z = sample_posterior(z_mean, z_log_var, epsilon)
        logits = self.decoder_logits(self._inputs(z, labels), training=False)
        gain = find_gain(np.asarray(logits), contrast(np.float32(images / 255)))
        copy_with_gain(self.decoder, self.sampling_decoder, gain)
        return gain

    def _inputs(self, tensor, labels):
        if not self.is_conditional:
            return tensor
        # Keras refuses a list of tensors and arrays.
        return [tf.convert_to_tensor(tensor), tf.convert_to_tensor(labels)]


def batch_slices(num, size=BATCH):
    """Slices that cut `num` images into batches of `size`, at least 1."""
    size = max(size, 1)
    return [slice(start, start + size) for start in range(0, num, size)]
