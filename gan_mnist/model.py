"""The GAN: two networks, two optimizers and the game between them."""

import keras
import tensorflow as tf

from training_run.batches import draw_normal, scale_images

LATENTS = "latents"
"""Name of the random stream that training latents come from."""


class GAN(keras.Model):
    """Generator and discriminator, trained against each other.

    A step is that of Algorithm 1 (k = 1) of Goodfellow et al. 2014, arXiv:1406.2661: the
    discriminator learns from a real and a generated batch, then the generator from a fresh one.

    Latents arrive in the batch, drawn by `draw` in the input pipeline as a function of seed and
    step: a resumed run sees the same ones, and random numbers are dear in an XLA-compiled step.

    Args:
        generator: z (N, latent_dim) -> images (N, H, W, C) in `value_range`.
        discriminator: images -> logits (N, 1).
        value_range: (low, high), what black and white are scaled to.
        batch_size: latents to draw for a step.
        seed: of the latents.
    """

    def __init__(self, generator, discriminator, *, value_range, batch_size, seed):
        super().__init__(name="gan")
        self.generator = generator
        self.discriminator = discriminator
        self.value_range = tuple(value_range)
        self.batch_size, self.seed = batch_size, seed
        self.latent_dim = generator.input_shape[-1]
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")
        self.d_accuracy_real = keras.metrics.Mean(name="d_accuracy_real")
        self.d_accuracy_fake = keras.metrics.Mean(name="d_accuracy_fake")
        self.built = True  # its parts are; `fit` need not trace a call to find out

    def compile(
        self,
        discriminator_optimizer,
        generator_optimizer,
        loss,
        *,
        jit_compile=False,
        steps_per_execution=1,
    ):
        """Set the two optimizers and the loss.

        Args:
            discriminator_optimizer, generator_optimizer: one Keras optimizer each.
            loss: a `gan_mnist.losses.GANLoss`.
            jit_compile: whether XLA compiles the step.
            steps_per_execution: steps in one compiled execution.
        """
        # Without `optimizer=None` Keras would quietly create an RMSprop beside ours.
        super().compile(
            optimizer=None, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self.loss = loss
        self.discriminator_optimizer = discriminator_optimizer
        self.generator_optimizer = generator_optimizer
        discriminator_optimizer.build(self.discriminator.trainable_variables)
        generator_optimizer.build(self.generator.trainable_variables)

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss, self.d_accuracy_real, self.d_accuracy_fake]

    def networks(self):
        """The networks to save, by file name."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def optimizers(self):
        """The optimizers, by the network they train."""
        return {
            "discriminator": self.discriminator_optimizer,
            "generator": self.generator_optimizer,
        }

    def draw(self, step):
        """Latents of one step: a pure function of (seed, step)."""
        z = draw_normal(self.seed, LATENTS, step, (2, self.batch_size, self.latent_dim))
        return {"z_discriminator": z[0], "z_generator": z[1]}

    def train_step(self, batch):
        """Update the discriminator, then the generator.

        Args:
            batch: "images" (N, H, W, C) uint8, "z_discriminator" and "z_generator"
                (N, latent_dim) float32.

        Returns:
            dict of the metrics since their last reset.
        """
        real = scale_images(batch["images"], self.value_range)

        # Discriminator: ascend V(G, D) = E[log D(x)] + E[log(1 - D(G(z)))], G fixed.
        fake = self.generator(batch["z_discriminator"], training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            d_loss = self.loss.discriminator(real_logits, fake_logits)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(d_loss, weights), weights)

        # Generator: descend its loss on fresh latents, D fixed.
        with tf.GradientTape() as tape:
            generated = self.generator(batch["z_generator"], training=True)
            g_loss = self.loss.generator(self.discriminator(generated, training=True))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(g_loss, weights), weights)

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        self.d_accuracy_real.update_state(real_logits > self.loss.boundary)
        self.d_accuracy_fake.update_state(fake_logits < self.loss.boundary)
        return {metric.name: metric.result() for metric in self.metrics}

    def sample(self, z):
        """Images from latents.

        Args:
            z: (N, latent_dim) float32.

        Returns:
            (N, H, W, C) float32 in `value_range`.
        """
        return self.generator(z, training=False)
