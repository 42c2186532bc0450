"""The denoising autoencoder that cleans generated digits (source 000)."""

import keras
import tensorflow as tf

from gan_mnist.denoiser.corruption import CORRUPTIONS
from training_run.step.batches import scale_images
from training_run.step.replicas import Composite, metric_results, share_of_loss


class Denoiser(Composite):
    """A network that learns to restore the clean picture from a corrupted one.

    The loss is the cross-entropy between clean and restored pixels, both read as probabilities of
    white. Its slope in the logits is restored - clean. The slope of the squared error would vanish
    where the sigmoid is flat. The minimum is not 0 but the entropy of the grey pixels.

    Sources: Vincent et al. 2008 (ICML), "Extracting and composing robust features with denoising
    autoencoders", sections 2.2 and 2.3; source 000.

    Args:
        denoiser: images in [0, 1] to images in [0, 1], as from `build_denoiser`.
        corruptions: kind to strength, applied in this order; kinds are the keys of
            `gan_mnist.denoiser.corruption.CORRUPTIONS`.
        batch_size: pictures that noise is drawn for.
        seed: of the noise.
    """

    def __init__(self, denoiser, *, corruptions, batch_size, seed):
        super().__init__(name="denoising_autoencoder")
        self.denoiser = denoiser
        self.to_logits = keras.Model(denoiser.inputs, denoiser.get_layer("logits").output)
        self.corruptions = dict(corruptions)
        self.noise_shape = (batch_size, *denoiser.input_shape[1:])
        self.seed = seed
        self.reconstruction_loss = keras.metrics.Mean(name="reconstruction_loss")
        self.built = True  # since its parts are; otherwise `fit` would trace a call

    def compile(self, optimizer, *, jit_compile=False, steps_per_execution=1):
        """Set the optimizer, one of Keras's, and how the step is compiled."""
        # Without `optimizer=None` Keras would quietly create an RMSprop beside ours.
        super().compile(
            optimizer=None, jit_compile=jit_compile, steps_per_execution=steps_per_execution
        )
        self.denoiser_optimizer = optimizer
        optimizer.build(self.denoiser.trainable_variables)

    @property
    def metrics(self):
        return [self.reconstruction_loss]

    def networks(self):
        """The networks to save, by file name."""
        return {"denoiser": self.denoiser}

    def optimizers(self):
        """The optimizers, by the network they train."""
        return {"denoiser": self.denoiser_optimizer}

    def draw(self, step):
        """Noise of one step, for each kind of corruption: a pure function of (seed, step)."""
        return self.draw_noise("corruption", step, self.noise_shape)

    def draw_noise(self, stream, step, shape):
        """Noise for each kind of corruption: a pure function of seed, stream and step.

        Args:
            stream: name of the purpose; other streams are independent.
            step: int or scalar integer tensor.
            shape: of the images.

        Returns:
            dict of "noise_KIND" to a float32 tensor of that shape.
        """
        return {
            f"noise_{kind}": CORRUPTIONS[kind].draw(self.seed, f"{stream}_{kind}", step, shape)
            for kind in self.corruptions
        }

    def corrupt(self, clean, batch):
        """Corrupt pictures in [0, 1] by every kind of corruption in turn.

        Args:
            clean: (N, H, W, C) float32.
            batch: dict with the noises that `draw` gives.
        """
        images = clean
        for kind, strength in self.corruptions.items():
            images = CORRUPTIONS[kind].apply(images, batch[f"noise_{kind}"], strength)
        return images

    def train_step(self, batch):
        """Descend the reconstruction loss on a batch; returns the metrics since their reset.

        Args:
            batch: dict of "images" (N, H, W, C) uint8 and the noises of `draw`.
        """
        clean = scale_images(batch["images"], (0.0, 1.0))
        corrupted = self.corrupt(clean, batch)
        with tf.GradientTape() as tape:
            loss = reconstruction_loss(clean, self.to_logits(corrupted, training=True))
            objective = share_of_loss(loss)
        weights = self.denoiser.trainable_variables
        self.denoiser_optimizer.apply(tape.gradient(objective, weights), weights)
        self.reconstruction_loss.update_state(loss)
        return metric_results(self.metrics)


def reconstruction_loss(clean, logits):
    """Cross-entropy of the pixels, summed over each example and averaged over the batch.

    Args:
        clean: (N, H, W, C) float32 in [0, 1].
        logits: (N, H * W * C) float32; sigmoid(logits) are the restored pixels.

    Returns:
        Scalar float32, nats per example.

    Source: Vincent et al. 2008, section 2.2 (reconstruction cross-entropy).
    """
    targets = tf.reshape(clean, tf.shape(logits))
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(
        labels=targets, logits=tf.cast(logits, "float32")
    )
    return tf.reduce_mean(tf.reduce_sum(pixels, axis=1))


def denoise(denoiser, images, value_range):
    """Clean pictures of any range, of any generator.

    Args:
        denoiser: from `build_denoiser` or loaded.
        images: (N, H, W, C) float.
        value_range: (low, high), what black and white are in `images`. Values beyond it are
            clipped first, as source 000 does with the negative outputs of its tanh.

    Returns:
        (N, H, W, C) float32 in [0, 1].
    """
    images = tf.convert_to_tensor(images, tf.float32)
    low, high = value_range
    unit = tf.clip_by_value((images - low) / (high - low), 0.0, 1.0)
    return denoiser(unit, training=False)
