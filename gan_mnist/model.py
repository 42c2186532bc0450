"""The GAN: two networks, two optimizers and the game between them."""

import keras
import tensorflow as tf

from training_run.step.batches import draw_normal, draw_uniform, scale_images
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
    `discriminator_steps` k > 1 the generator's turn comes at every k-th step.)

    Everything random arrives in the batch, drawn by `draw` in the input pipeline as a function of
    seed and step: a resumed run sees the same, and random numbers are dear in an XLA-compiled step.

    Args:
        generator: z (N, latent_dim) -> images (N, H, W, C) in `value_range`; a conditional one
            takes [z, labels].
        discriminator: images -> logits (N, 1); a conditional one takes [images, labels].
        value_range: (low, high), what black and white are scaled to.
        batch_size: examples that random numbers are drawn for.
        seed: of the random numbers.
        discriminator_steps: updates of the discriminator for each one of the generator.
        ema_decay: if not None, samples come from a moving average of the generator's weights
            that keeps this share at each of its updates (Yazici et al. 2019, arXiv:1806.04498).
        instance_noise: function of the step giving the standard deviation of noise on all images
            that the discriminator sees, or None.
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
    ):
        super().__init__(name="gan")
        self.generator, self.discriminator = generator, discriminator
        self.value_range = tuple(value_range)
        self.batch_size, self.seed = batch_size, seed
        self.discriminator_steps = discriminator_steps
        self.ema_decay, self.instance_noise = ema_decay, instance_noise
        self.is_conditional = len(generator.inputs) > 1
        self.judges_batches = any(
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
        self.built = True  # its parts are; `fit` need not trace a call to find out

    def compile(
        self,
        discriminator_optimizer,
        generator_optimizer,
        loss,
        *,
        penalty=None,
        penalty_every=1,
        jit_compile=False,
        steps_per_execution=1,
    ):
        """Set the two optimizers and what they minimise.

        Args:
            discriminator_optimizer, generator_optimizer: one Keras optimizer each.
            loss: a `gan_mnist.losses.GANLoss`.
            penalty: (discriminator function, real, fake, epsilon) -> scalar, added to the
                discriminator's loss; epsilon (N,) is uniform on [0, 1). None for none.
            penalty_every: steps from one penalty to the next; see `lazy_penalty`.
            jit_compile: whether XLA compiles the step.
            steps_per_execution: steps in one compiled execution.
        """
        # Without `optimizer=None` Keras would quietly create an RMSprop beside ours.
        super().compile(
            optimizer=None, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self.loss, self.penalty, self.penalty_every = loss, penalty, penalty_every
        self.discriminator_optimizer = discriminator_optimizer
        self.generator_optimizer = generator_optimizer
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        generator_optimizer.build(self.generator.trainable_variables)

    @property
    def metrics(self):
        penalties = [self.d_penalty] if self.penalty else []
        return [self.d_loss, self.g_loss, *penalties, self.d_accuracy_real, self.d_accuracy_fake]

    def networks(self):
        """The networks to save, by file name; "generator" is the one to sample from."""
        if self.ema_decay is None:
            return {"generator": self.generator, "discriminator": self.discriminator}
        return {
            "generator": self.average,
            "generator_raw": self.generator,
            "discriminator": self.discriminator,
        }

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
        return drawn

    def train_step(self, batch):
        """Update the discriminator, then the generator.

        Args:
            batch: dict of "images" (N, H, W, C) uint8, what `draw` gives, and "labels" (N,) int32
                for a conditional GAN.

        Returns:
            dict of the metrics since their last reset.
        """
        self.discriminator_phase(batch)
        if self.discriminator_steps == 1:
            self.generator_phase(batch)
        else:
            is_generators_turn = (batch["step"] + 1) % self.discriminator_steps == 0
            run_if(is_generators_turn, self.generator_phase, batch)
        average_statistics(self.networks().values())
        return metric_results(self.metrics)

    def discriminator_phase(self, batch):
        """Ascend V(G, D) = E[log D(x)] + E[log(1 - D(G(z)))], or its like; G fixed."""
        real = scale_images(batch["images"], self.value_range) + batch.get("noise_real", 0.0)
        fake = self.generate(batch["z_discriminator"], batch) + batch.get("noise_fake", 0.0)
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.judge_both(real, fake, batch)
            d_loss = objective = self.loss.discriminator(real_logits, fake_logits)
            if self.penalty is not None:
                objective += self.lazy_penalty(real, fake, batch)
            objective = share_of_loss(objective)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(objective, weights), weights)

        self.d_loss.update_state(d_loss)
        self.d_accuracy_real.update_state(real_logits > self.loss.boundary)
        self.d_accuracy_fake.update_state(fake_logits < self.loss.boundary)

    def lazy_penalty(self, real, fake, batch):
        """The penalty at every `penalty_every`-th step, so many times as heavy, and else 0.

        It needs a gradient of a gradient, which can cost more than the rest of the step, and says
        nearly the same from one step to the next.

        Source: Karras et al. 2020, arXiv:1912.04958, section 3.1 (lazy regularization).
        """

        def penalty():
            judge = lambda images: self.judge(images, batch)  # noqa: E731
            return self.penalty(judge, real, fake, batch["epsilon"])

        every = self.penalty_every
        if every == 1:
            value, is_due = penalty(), 1.0
        else:
            is_due = batch["step"] % every == 0
            value = tf.cond(is_due, penalty, lambda: 0.0)
        self.d_penalty.update_state(value, sample_weight=tf.cast(is_due, tf.float32))
        return every * value

    def generator_phase(self, batch):
        """Descend the generator's loss on fresh latents; D fixed."""
        with tf.GradientTape() as tape:
            generated = self.generate(batch["z_generator"], batch)
            logits = self.judge(generated + batch.get("noise_generated", 0.0), batch)
            g_loss = self.loss.generator(logits)
            objective = share_of_loss(g_loss)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(objective, weights), weights)
        self.g_loss.update_state(g_loss)
        if self.ema_decay is not None:
            self.update_average()

    def generate(self, z, batch):
        """Generated images in training mode: BatchNorm by batch statistics, which move."""
        return self.generator([z, batch["labels"]] if self.is_conditional else z, training=True)

    def judge(self, images, batch):
        """The discriminator's logits (N, 1) in training mode."""
        inputs = [images, batch["labels"]] if self.is_conditional else images
        return self.discriminator(inputs, training=True)

    def judge_both(self, real, fake, batch):
        """The logits of real and of generated images, in one pass where each is judged by itself.

        Twice the batch in one pass is quicker than two. But BatchNorm looks at a batch as a whole,
        and must not see both kinds in one: then each goes by itself. (Dropout draws one mask for
        both kinds, spectral normalisation takes one step of its power iteration, not two.)
        """
        if self.judges_batches:
            return self.judge(real, batch), self.judge(fake, batch)
        twice = {"labels": tf.tile(batch["labels"], [2])} if self.is_conditional else {}
        return tf.split(self.judge(tf.concat([real, fake], axis=0), twice), 2)

    def update_average(self):
        """Move the average towards the generator; BatchNorm's statistics are averages already."""
        for mean, weight in zip(
            self.average.trainable_variables, self.generator.trainable_variables, strict=True
        ):
            mean.assign(self.ema_decay * mean + (1.0 - self.ema_decay) * weight)
        for mean, statistic in zip(
            self.average.non_trainable_variables,
            self.generator.non_trainable_variables,
            strict=True,
        ):
            mean.assign(statistic)

    def sample(self, z, labels=None):
        """Images from latents, by the averaged generator where there is one.

        Args:
            z: (N, latent_dim) float32.
            labels: (N,) int32 for a conditional GAN.

        Returns:
            (N, H, W, C) float32 in `value_range`.
        """
        network = self.networks()["generator"]
        return network([z, labels] if self.is_conditional else z, training=False)
