"""How people write it in TensorFlow: a plain step, in a loop or in stock `fit`.

Same networks, optimizer, batch and data as ours, and the same updates; one step to a call, no XLA,
random numbers drawn in the step, no pictures, log or checkpoints.
"""

import time

import keras
import tensorflow as tf

from benchmarks.models import MODELS, load_model

WARM_UP = 10
"""Steps before the clock starts: the first one traces."""


def cross_entropy(labels, logits):
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)


def adam(config):
    return keras.optimizers.Adam(config.learning_rate, config.beta_1, config.beta_2)


def descend(tape, loss, network_weights, optimizer):
    optimizer.apply_gradients(
        zip(tape.gradient(loss, network_weights), network_weights, strict=True)
    )


def gan_step(config, networks):
    """Discriminator on a real and a generated batch, then generator on fresh latents."""
    generator, discriminator = networks["generator"], networks["discriminator"]
    optimizers = adam(config.optimizer), adam(config.optimizer)
    shape = (config.training.batch_size, generator.input_shape[-1])
    low, high = config.model.value_range

    def step(images):
        real = tf.cast(images, tf.float32) / 255.0 * (high - low) + low
        fake = generator(tf.random.normal(shape), training=True)
        with tf.GradientTape() as tape:
            on_real, on_fake = (
                discriminator(real, training=True),
                discriminator(fake, training=True),
            )
            d_loss = tf.reduce_mean(cross_entropy(tf.ones_like(on_real), on_real))
            d_loss += tf.reduce_mean(cross_entropy(tf.zeros_like(on_fake), on_fake))
        descend(tape, d_loss, discriminator.trainable_variables, optimizers[0])
        with tf.GradientTape() as tape:
            logits = discriminator(generator(tf.random.normal(shape), training=True), training=True)
            g_loss = tf.reduce_mean(cross_entropy(tf.ones_like(logits), logits))
        descend(tape, g_loss, generator.trainable_variables, optimizers[1])
        return d_loss + g_loss

    optimizers[0].build(discriminator.trainable_variables)
    optimizers[1].build(generator.trainable_variables)
    return step


def vae_step(config, networks):
    """C times squared error, plus KL."""
    encoder, decoder = networks["encoder"], networks["decoder"]
    weights = encoder.trainable_variables + decoder.trainable_variables
    optimizer, c = adam(config.optimizer), config.loss.c

    def step(images):
        x = tf.cast(images, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            mean, log_var = encoder(x, training=True)
            z = mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))
            error = tf.reduce_sum(tf.square(x - decoder(z, training=True)), axis=(1, 2, 3))
            kl = 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_var) - 1.0 - log_var, axis=1)
            loss = tf.reduce_mean(c * error + kl)
        descend(tape, loss, weights, optimizer)
        return loss

    optimizer.build(weights)
    return step


def denoiser_step(config, networks):
    """Cross-entropy of digits restored from Gaussian, masking and salt-and-pepper noise."""
    denoiser = networks["denoiser"]
    optimizer, noise = adam(config.optimizer), config.corruption

    def step(images):
        x = tf.cast(images, tf.float32) / 255.0
        spoiled = tf.clip_by_value(x + noise.gaussian * tf.random.normal(tf.shape(x)), 0.0, 1.0)
        spoiled *= tf.cast(tf.random.uniform(tf.shape(x)) >= noise.masking, tf.float32)
        draw = tf.random.uniform(tf.shape(x))
        spoiled = tf.where(draw < 0.5 * noise.salt_and_pepper, 0.0, spoiled)
        spoiled = tf.where(draw > 1.0 - 0.5 * noise.salt_and_pepper, 1.0, spoiled)
        with tf.GradientTape() as tape:
            restored = denoiser(spoiled, training=True)
            pixels = keras.losses.binary_crossentropy(x, restored)
            loss = tf.reduce_mean(tf.reduce_sum(pixels, axis=(1, 2)))
        descend(tape, loss, denoiser.trainable_variables, optimizer)
        return loss

    optimizer.build(denoiser.trainable_variables)
    return step


def make_step(name):
    """(configuration, function of a uint8 batch that trains by a step and gives its loss)."""
    config, networks = load_model(name)
    makers = {"gan": gan_step, "vae": vae_step, "denoiser": denoiser_step}
    return config, makers[config.family](config, networks)


def function_loop(name, images):
    """Milliseconds a step of a compiled step called from a Python loop over a `tf.data` input."""
    config, step = make_step(name)
    compiled = tf.function(step)
    batches = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).repeat()
    batches = iter(batches.batch(config.training.batch_size).prefetch(2))
    for _ in range(WARM_UP):
        compiled(next(batches))
    started = time.perf_counter()
    for _ in range(MODELS[name].plain_steps):
        loss = compiled(next(batches))
    float(loss)
    return 1000 * (time.perf_counter() - started) / MODELS[name].plain_steps


class StockModel(keras.Model):
    """A composite as tutorials write it: a `train_step`, a metric, and Keras does the rest."""

    def __init__(self, step):
        super().__init__()
        self.step, self.loss_metric = step, keras.metrics.Mean(name="loss")
        self.built = True

    @property
    def metrics(self):
        return [self.loss_metric]

    def train_step(self, images):
        self.loss_metric.update_state(self.step(images))
        return {"loss": self.loss_metric.result()}


def stock_fit(name, images):
    """Milliseconds a step of stock `fit` on arrays with a custom `train_step`."""
    config, step = make_step(name)
    model = StockModel(step)
    model.compile(optimizer=None, jit_compile=False)
    batch, steps = config.training.batch_size, MODELS[name].plain_steps
    model.fit(images[: batch * WARM_UP], batch_size=batch, verbose=0)
    started = time.perf_counter()
    model.fit(images[: batch * steps], batch_size=batch, verbose=0)
    return 1000 * (time.perf_counter() - started) / min(steps, len(images) // batch)


def predict_loop(name, images):
    """Milliseconds a step of `predict` and three `train_on_batch` calls, as public scripts do."""
    import numpy as np

    config, networks = load_model(name)
    generator = networks["generator"]
    discriminator = keras.Sequential(
        [*networks["discriminator"].layers, keras.layers.Activation("sigmoid")]
    )
    discriminator.compile(adam(config.optimizer), "binary_crossentropy", metrics=["accuracy"])
    combined = keras.Sequential([generator, discriminator])
    random, batch = np.random.default_rng(0), config.training.batch_size
    real, fake = np.ones((batch, 1)), np.zeros((batch, 1))

    def step():
        x = images[random.integers(0, len(images), batch)] / 127.5 - 1.0
        z = random.normal(size=(batch, generator.input_shape[-1]))
        discriminator.train_on_batch(x, real)
        discriminator.train_on_batch(generator.predict(z, verbose=0), fake)
        if combined.compiled:
            combined.train_on_batch(random.normal(size=z.shape), real)

    step()  # traces the discriminator's update while its weights are still trainable
    discriminator.trainable = False
    combined.compile(adam(config.optimizer), "binary_crossentropy")
    before = discriminator.get_weights()[0].copy()
    for _ in range(WARM_UP):
        step()
    assert not np.array_equal(before, discriminator.get_weights()[0]), "it must learn to compare"
    started = time.perf_counter()
    for _ in range(MODELS[name].plain_steps):
        step()
    return 1000 * (time.perf_counter() - started) / MODELS[name].plain_steps
