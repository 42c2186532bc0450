"""Watches a GAN in training: each failure is reported once, in a line that says what to try.

Every few hundred steps a probe measures the networks, and the rules of `gan_mnist.health_rules`
look at all measurements so far. The run folder keeps them: a resumed run reads them back.
"""

import sys
from contextlib import suppress

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gan_mnist.health_rules import Diagnosis, Measurement, rules_for
from training_run.errors import UserError
from training_run.files import append_text, write_text
from training_run.loop.callbacks import EverySteps
from training_run.step.batches import draw_normal, scale_images

NUM_PROBED = 64
"""Images in a measurement, which then costs about as much as two training steps of batch 32."""

MIN_INTERVAL = 200
"""Minimum number of steps between two measurements, which then cost at most 1% of the training."""

COLUMNS = tuple("variety" if name == "diversity" else name for name in Measurement._fields)
"""Header of health.csv: the fields of `Measurement`, with an older name for the diversity."""

COPY_DISTANCE = 0.25
"""Distance of two samples, as a share of the usual one of a real image from the nearest other real
image, below which they count as copies of each other. (Real digits are not so near, nor are
samples of a healthy generator.)"""


class Probe:
    """Measures a GAN's networks on the same images and latents every time, and changes nothing.

    Gradients are those of the training: layers behave as in training, but what they would change
    (BatchNorm's statistics, the seeds of Dropout) stays in the `StatelessScope`.

    Args:
        gan: a compiled `GAN`.
        data: its `ImageData`.
        seed: of the latents.
    """

    def __init__(self, gan, data, seed):
        # Spread over the whole set: face images are sorted by person.
        chosen = np.linspace(0, len(data.x_train) - 1, NUM_PROBED).astype(int)
        self.gan = gan
        self.real = scale_images(data.examples(chosen), gan.value_range)
        self.z = draw_normal(seed, "health", 0, (NUM_PROBED, gan.latent_dim))
        self.labels = tf.constant(data.y_train[chosen]) if gan.is_conditional else None
        self.real_spread = spread(self.real, self.labels)
        nearest = np.sort(nearest_distances(self.real))
        self.copy_distance = COPY_DISTANCE * nearest[NUM_PROBED // 2]
        self._measure = tf.function(self._measurements)

    def __call__(self):
        """The fields of a `Measurement` that no metric gives, as a dict of floats."""
        # As a replica: elsewhere the gradients of mirrored weights cannot be taken.
        strategy = self.gan.distribute_strategy
        measured = strategy.run(self._measure)
        return {
            name: float(strategy.experimental_local_results(value)[0])
            for name, value in measured.items()
        }

    def _measurements(self):
        logit_difference, d_gradient, g_gradient = self._logits_and_gradients()
        z = self.z if self.labels is None else [self.z, self.labels]
        samples = self.gan.generator(z, training=False)
        return {
            "diversity": spread(samples, self.labels) / self.real_spread,
            "d_gradient": tf.linalg.global_norm(d_gradient),
            "g_gradient": tf.linalg.global_norm(g_gradient),
            "logit_difference": logit_difference,
            "copies": tf.reduce_mean(
                tf.cast(nearest_distances(samples) < self.copy_distance, tf.float32)
            ),
        }

    def _logits_and_gradients(self):
        """Mean difference of the real and the generated images' logits, and the gradients of each
        network's own loss with respect to its weights."""
        gan, batch = self.gan, {} if self.labels is None else {"labels": self.labels}
        with keras.StatelessScope(), tf.GradientTape(persistent=True) as tape:
            fake = gan.generate(self.z, batch)
            real_logits, fake_logits = gan.discriminate_both(self.real, fake, batch)
            d_loss = gan.loss.discriminator(real_logits, fake_logits)
            pair = [real_logits] if gan.loss.compares_pairs else []
            g_loss = gan.loss.generator(fake_logits, *pair)
        difference = tf.reduce_mean(real_logits) - tf.reduce_mean(fake_logits)
        networks = ((d_loss, gan.discriminator), (g_loss, gan.generator))
        gradients = (tape.gradient(loss, net.trainable_variables) for loss, net in networks)
        return difference, *gradients


def spread(images, labels=None):
    """Root mean square distance of a pixel from its mean over the batch.

    Args:
        images: (N, H, W, C) float.
        labels: (N,) int32, or None. With labels, the mean is over the images of the same class:
            a conditional generator that draws one image for each class has a spread of 0.

    Returns:
        Scalar float32; 1e-6 instead of 0 where all images are the same.
    """
    images = tf.cast(images, tf.float32)
    groups = tf.zeros(len(images), tf.int32) if labels is None else labels
    means = tf.math.unsorted_segment_mean(images, groups, tf.reduce_max(groups) + 1)
    return tf.sqrt(tf.reduce_mean(tf.square(images - tf.gather(means, groups))) + 1e-12)


def nearest_distances(images):
    """Distance of each image from the nearest other one, over all pixels: (N,) float32.

    Args:
        images: (N, H, W, C) float, N at least 2.
    """
    rows = tf.reshape(tf.cast(images, tf.float32), (len(images), -1))
    squares = tf.reduce_sum(tf.square(rows), axis=1)
    products = tf.matmul(rows, rows, transpose_b=True)
    distances = squares[:, tf.newaxis] + squares - 2.0 * products
    distances = tf.linalg.set_diag(distances, tf.fill((len(images),), distances.dtype.max))
    return tf.sqrt(tf.maximum(tf.reduce_min(distances, axis=1), 0.0))


class Health(EverySteps):
    """Takes measurements, prints what is newly wrong, and keeps both in the run folder.

    health.csv holds the measurements; health.log the sentences, and exists only if there are any.

    Args:
        clock, every: when.
        probe: function without arguments giving the fields of a `Measurement` that are no metrics.
        rules: sequence of `Rule`.
        folder: the run's.

    Raises:
        UserError: if a folder has the name of one of the two files.
    """

    def __init__(self, clock, every, probe, rules, folder):
        super().__init__(clock, every)
        self.probe, self.diagnosis = probe, Diagnosis(rules)
        self.table, self.log = folder / "health.csv", folder / "health.log"
        # Read before a resumed run changes any of its files: this may refuse.
        for path in (self.table, self.log):
            if path.is_dir():
                raise UserError(f"{path}: expected a file, received a folder")
        self.earlier = read_measurements(self.table) if self.table.exists() else []

    def on_train_begin(self, logs=None):
        # A resumed run repeats the steps after its checkpoint, and so their measurements.
        history = [each for each in self.earlier if each.step <= self.clock.step]
        write_text(self.table, "".join(map(table_line, [COLUMNS, *history])))
        lines = [line for measurement in history for line in self.diagnose(measurement)]
        self.log.unlink(missing_ok=True)
        if lines:
            write_text(self.log, "".join(lines))

    def at_step(self, step, logs):
        metrics = {name: float(logs[name]) for name in Measurement._fields if name in logs}
        measurement = Measurement(step=step, **metrics, **self.probe())
        append_text(self.table, table_line(measurement))
        for line in self.diagnose(measurement):
            append_text(self.log, line)
            tqdm.write(f"health, {line.rstrip()}")  # above the progress bar
            sys.stdout.flush()

    def diagnose(self, measurement):
        """Lines of health.log: what a measurement newly shows to be wrong."""
        sentences = self.diagnosis.add(measurement)
        return [f"step {measurement.step:,}: {sentence}\n" for sentence in sentences]


def read_measurements(path):
    """The `Measurement`s of a health.csv, without rows that are incomplete or not numbers."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    header = lines[0].split(",") if lines else []
    fields = dict(zip(COLUMNS, Measurement._fields, strict=True))
    found = []
    for line in lines[1:]:
        row = dict(zip(header, line.split(","), strict=False))
        if len(row) == len(header) and fields.keys() >= row.keys():
            with suppress(ValueError, KeyError, TypeError):
                step = int(row.pop("step"))
                numbers = {fields[name]: float(number) for name, number in row.items()}
                found.append(Measurement(step=step, **numbers))
    return found


def table_line(values):
    """A line of health.csv; floats keep all their digits, and so read back exactly."""
    return ",".join(map(str, values)) + "\n"


def health_interval(schedule):
    """Steps between two measurements: a multiple of the run's finest interval."""
    finest = min(schedule.log_every, schedule.samples_every, schedule.gif_every)
    return finest * -(-MIN_INTERVAL // finest)


def health_callback(context):
    """The `Health` callback of a GAN's run, from its `RunContext`."""
    config = context.config
    return Health(
        context.clock,
        health_interval(context.schedule),
        Probe(context.model, context.data, config.seed),
        rules_for(config.loss.name),
        context.run.path,
    )
