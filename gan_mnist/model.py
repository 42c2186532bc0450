"""The GAN: two networks, two optimizers and the game between them."""

from functools import partial

import keras
import tensorflow as tf

from gan_mnist.augmentation import NUM_NUMBERS, augment
from gan_mnist.spectral import plain_network, spectral_layers
from training_run.step.batches import draw_normal, draw_uniform, scale_images
from training_run.step.networks import with_fused_batch_norm
from training_run.step.replicas import (
    Composite,
    average_statistics,
    metric_results,
    run_if,
    share_of_loss,
)


class GAN(Composite):
    """Generator and discriminator, trained against each other.

    A step is that of Algorithm 1 of Goodfellow et al. 2014, arXiv:1406.2661: the discriminator
    learns from a real and a generated batch, then the generator from fresh latents. (With
    `discriminator_steps` k > 1 the generator learns at every k-th step only.)

    `draw` makes all random numbers in the input pipeline, as a function of seed and step. So a
    resumed run sees the same numbers. Drawing them in an XLA-compiled step would be slow.

    Args:
        generator: z (N, latent_dim) to images (N, H, W, C) in `value_range`; a conditional one
            takes [z, labels].
        discriminator: images to logits (N, 1); a conditional one takes [images, labels].
        value_range: (low, high), what black and white are scaled to.
        batch_size: examples that random numbers are drawn for.
        seed: of the random numbers.
        discriminator_steps: updates of the discriminator for each update of the generator.
        ema_decay: share that a moving average of the generator's weights keeps at each update
            (Yazici et al. 2019, arXiv:1806.04498); samples then come from it. A number, or a
            function of the step. None for no average.
        instance_noise: step to the standard deviation of noise on all images that the
            discriminator sees, or None.
        augment: names of `augmentation.POLICIES`, applied to all images that the discriminator
            sees, after the noise; may be empty. A penalty is then about the augmented images.
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        value_range,
        batch_size,
        seed,
        discriminator_steps=1,
        ema_decay=None,
        instance_noise=None,
        augment=(),
    ):
        super().__init__(name="gan")
        self.generator, self.discriminator = generator, discriminator
        self.value_range = tuple(value_range)
        self.batch_size, self.seed = batch_size, seed
        self.discriminator_steps = discriminator_steps
        self.ema_decay, self.instance_noise = ema_decay, instance_noise
        self.policies = tuple(augment)
        self.is_conditional = len(generator.inputs) > 1
        self.has_batch_norm = any(
            isinstance(layer, keras.layers.BatchNormalization) for layer in discriminator.layers
        )
        self.latent_dim = generator.inputs[0].shape[-1]
        if ema_decay is not None:
            self.average = keras.models.clone_model(generator)
            self.average.set_weights(generator.get_weights())
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.d_penalty = keras.metrics.Mean(name="d_penalty")
        self.d_accuracy_real = keras.metrics.Mean(name="d_accuracy_real")
        self.d_accuracy_fake = keras.metrics.Mean(name="d_accuracy_fake")
        self.d_ranking = keras.metrics.Mean(name="d_ranking")
        self.d_logit_difference = keras.metrics.Mean(name="d_logit_difference")
        self.built = True  # since its parts are; otherwise `fit` would trace a call

    def compile(
        self,
        discriminator_optimizer,
        generator_optimizer,
        loss,
        *,
        penalty=None,
        penalty_every=1,
        penalty_factor=None,
        jit_compile=False,
        steps_per_execution=1,
    ):
        """Set the two optimizers and what they minimise.

        Args:
            discriminator_optimizer, generator_optimizer: one Keras optimizer each.
            loss: a `gan_mnist.losses.GANLoss`.
            penalty: (discriminator function, real, fake, epsilon) to a scalar that is added to
                the discriminator's loss; epsilon (N,) is uniform on [0, 1). None for no penalty.
            penalty_every: steps from one penalty to the next; see `lazy_penalty`.
            penalty_factor: step to what the penalty is multiplied by; None for 1.
            jit_compile: True if XLA compiles the step.
            steps_per_execution: steps in one compiled execution.
        """
        # Without `optimizer=None` Keras would quietly create an RMSprop beside ours.
        super().compile(
            optimizer=None, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self.loss, self.penalty = loss, penalty
        self.penalty_every, self.penalty_factor = penalty_every, penalty_factor
        self.discriminator_optimizer = discriminator_optimizer
        self.generator_optimizer = generator_optimizer
        # XLA fuses BatchNorm by itself.
        self.generator_in_training = (
            self.generator if jit_compile else with_fused_batch_norm(self.generator)
        )
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        generator_optimizer.build(self.generator.trainable_variables)

    @property
    def metrics(self):
        penalties = [self.d_penalty] if self.penalty else []
        logits = [self.d_accuracy_real, self.d_accuracy_fake]
        if self.loss.compares_pairs:
            logits = [self.d_ranking, self.d_logit_difference]
        return [self.d_loss, self.g_loss, *penalties, *logits]

    def networks(self):
        """The networks to save, by file name; "generator" is the one to sample from."""
        return self.trained_networks() | {"discriminator": plain_network(self.discriminator)}

    def trained_networks(self):
        """The same, with the discriminator's own normalised layers."""
        generators = {"generator": self.generator}
        if self.ema_decay is not None:
            generators = {"generator": self.average, "generator_raw": self.generator}
        return generators | {"discriminator": self.discriminator}

    def optimizers(self):
        """The optimizers, by the network they train."""
        return {
            "discriminator": self.discriminator_optimizer,
            "generator": self.generator_optimizer,
        }

    def draw(self, step):
        """Everything random in one step: a pure function of (seed, step)."""
        z = draw_normal(self.seed, "latents", step, (2, self.batch_size, self.latent_dim))
        drawn = {"step": step, "z_discriminator": z[0], "z_generator": z[1]}
        if self.penalty is not None:
            drawn["epsilon"] = draw_uniform(self.seed, "epsilon", step, (self.batch_size,))
        if self.instance_noise is not None:
            shape = (3, self.batch_size, *self.discriminator.inputs[0].shape[1:])
            noise = draw_normal(self.seed, "instance_noise", step, shape)
            noise *= self.instance_noise(step)
            names = ("noise_real", "noise_fake", "noise_generated")
            drawn |= dict(zip(names, tf.unstack(noise), strict=True))
        if self.policies:
            shape = (3, self.batch_size, NUM_NUMBERS)
            numbers = draw_uniform(self.seed, "augment", step, shape)
            names = ("augment_real", "augment_fake", "augment_generated")
            drawn |= dict(zip(names, tf.unstack(numbers), strict=True))
        return drawn

    def train_step(self, batch):
        """Update the discriminator, then the generator; returns the metrics since their reset.

        Args:
            batch: dict of "images" (N, H, W, C) uint8, what `draw` gives, and "labels" (N,) int32
                for a conditional GAN.
        """
        self.discriminator_phase(batch)
        if self.discriminator_steps == 1:
            self.generator_phase(batch)
        else:
            is_generators_turn = (batch["step"] + 1) % self.discriminator_steps == 0
            run_if(is_generators_turn, self.generator_phase, batch)
        average_statistics(self.trained_networks().values())
        return metric_results(self.metrics)

    def discriminator_phase(self, batch):
        """Descend the discriminator's loss on a real and a generated batch; G fixed."""
        for layer in spectral_layers(self.discriminator):
            layer.iterate()
        real = self.shown(scale_images(batch["images"], self.value_range), "real", batch)
        fake = self.shown(self.generate(batch["z_discriminator"], batch), "fake", batch)
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.discriminate_both(real, fake, batch)
            d_loss = objective = self.loss.discriminator(real_logits, fake_logits)
            if self.penalty is not None:
                objective += self.lazy_penalty(real, fake, batch)
            objective = share_of_loss(objective)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(objective, weights), weights)

        self.d_loss.update_state(d_loss)
        self.judge(real_logits, fake_logits)

    def judge(self, real_logits, fake_logits):
        """Note how well the discriminator tells the two apart, in the terms of its loss."""
        if self.loss.compares_pairs:
            self.d_ranking.update_state(real_logits > fake_logits)
            self.d_logit_difference.update_state(real_logits - fake_logits)
        else:
            self.d_accuracy_real.update_state(real_logits > self.loss.decision_boundary)
            self.d_accuracy_fake.update_state(fake_logits < self.loss.decision_boundary)

    def lazy_penalty(self, real, fake, batch):
        """`penalty_every` times the penalty at every `penalty_every`-th step, and 0 between.

        The penalty needs a gradient of a gradient, which can cost more than the rest of the step.
        Its value changes little from one step to the next.

        Source: Karras et al. 2020, arXiv:1912.04958, section 3.1 (lazy regularization).
        """
        discriminate = partial(self.discriminate, batch=batch)
        penalty = partial(self.penalty, discriminate, real, fake, batch["epsilon"])
        every = self.penalty_every
        if every == 1:
            value, is_due = penalty(), 1.0
        else:
            is_due = batch["step"] % every == 0
            value = tf.cond(is_due, penalty, lambda: 0.0)
        if self.penalty_factor is not None:
            value *= self.penalty_factor(batch["step"])
        self.d_penalty.update_state(value, sample_weight=tf.cast(is_due, tf.float32))
        return every * value

    def generator_phase(self, batch):
        """Descend the generator's loss on fresh latents; D fixed."""
        real_logits = self.logits_to_pair(batch)
        with tf.GradientTape() as tape:
            generated = self.generate(batch["z_generator"], batch)
            logits = self.discriminate(self.shown(generated, "generated", batch), batch)
            g_loss = self.loss.generator(logits, *real_logits)
            objective = share_of_loss(g_loss)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(objective, weights), weights)
        self.g_loss.update_state(g_loss)
        if self.ema_decay is not None:
            self.update_average(batch)

    def logits_to_pair(self, batch):
        """The real images' logits, which a loss of pairs compares with the generated ones', in a
        list; no logits for other losses. No weight of the generator reaches them."""
        if not self.loss.compares_pairs:
            return []
        real = self.shown(scale_images(batch["images"], self.value_range), "real", batch)
        return [self.discriminate(real, batch)]

    def shown(self, images, kind, batch):
        """What the discriminator is shown of images: with this step's noise and augmentation.

        Args:
            images: (N, H, W, C) float.
            kind: "real", "fake" (for the discriminator's phase) or "generated" (the generator's).
            batch: what `draw` gives.
        """
        images += batch.get(f"noise_{kind}", 0.0)
        if not self.policies:
            return images
        return augment(images, batch[f"augment_{kind}"], self.policies, self.value_range)

    def generate(self, z, batch):
        """Generated images in training mode; moves BatchNorm's statistics."""
        inputs = [z, batch["labels"]] if self.is_conditional else z
        return self.generator_in_training(inputs, training=True)

    def discriminate(self, images, batch):
        """The discriminator's logits (N, 1) in training mode."""
        inputs = [images, batch["labels"]] if self.is_conditional else images
        return self.discriminator(inputs, training=True)

    def discriminate_both(self, real, fake, batch):
        """The logits of real and of generated images, in one pass where that changes nothing.

        One pass over twice the batch is quicker than two passes. BatchNorm looks at the batch as a
        whole and must not see both kinds in one, so it gets two passes. Dropout draws a mask for
        every example either way.
        """
        if self.has_batch_norm:
            return self.discriminate(real, batch), self.discriminate(fake, batch)
        twice = {"labels": tf.tile(batch["labels"], [2])} if self.is_conditional else {}
        return tf.split(self.discriminate(tf.concat([real, fake], axis=0), twice), 2)

    def update_average(self, batch):
        """Move the average towards the generator; copy BatchNorm's moving statistics."""
        average, generator, decay = self.average, self.generator, self.ema_decay
        decay = decay(batch["step"]) if callable(decay) else decay
        weights = zip(average.trainable_variables, generator.trainable_variables, strict=True)
        for mean, weight in weights:
            mean.assign(decay * mean + (1.0 - decay) * weight)
        statistics = zip(
            average.non_trainable_variables, generator.non_trainable_variables, strict=True
        )
        for mean, statistic in statistics:
            mean.assign(statistic)

    def sample(self, z, labels=None):
        """Images (N, H, W, C) in `value_range`, by the averaged generator if there is one.

        Args:
            z: (N, latent_dim) float32.
            labels: (N,) int32 for a conditional GAN.
        """
        network = self.generator if self.ema_decay is None else self.average
        return network([z, labels] if self.is_conditional else z, training=False)
