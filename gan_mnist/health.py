"""Whether a GAN is still learning: each way to fail is told once, in a line, with what to try.

Every few hundred steps a probe takes a measurement beside the training, and the rules of
`gan_mnist.health_rules` look at all the measurements so far. These are kept in the run folder: a
resumed run reads them back.
"""

import sys
from contextlib import suppress

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gan_mnist.health_rules import Diagnosis, Measurement, rules_for
from training_run.files import append_text, write_text
from training_run.loop.callbacks import EverySteps
from training_run.step.batches import draw_normal, scale_images

NUM_PROBED = 64
"""Images in a measurement, which then costs about as much as two training steps of batch 32."""

LEAST_STEPS = 200
"""Between two measurements: so they cost no more than 1% of the training."""


class Probe:
    """Measures a GAN's networks, on the same images and latents every time, and moves nothing.

    The networks run with training=False, so that neither BatchNorm's statistics, nor the vectors
    of spectral normalisation, nor the seeds of Dropout advance.

    Args:
        gan: a compiled `GAN`.
        data: its `ImageData`.
        seed: of the latents.
    """

    def __init__(self, gan, data, seed):
        # Spread over the whole set: face images come person by person.
        chosen = np.linspace(0, len(data.x_train) - 1, NUM_PROBED).astype(int)
        self.gan = gan
        self.real = scale_images(data.x_train[chosen], gan.value_range)
        self.z = draw_normal(seed, "health", 0, (NUM_PROBED, gan.latent_dim))
        self.labels = tf.constant(data.y_train[chosen]) if gan.is_conditional else None
        self.real_spread = spread(self.real, self.labels)
        self._measure = tf.function(self._gradients_and_variety)

    def __call__(self):
        """The fields of a `Measurement` that this is about, as a dict of floats."""
        # As a replica: elsewhere the gradients of mirrored weights cannot be taken.
        strategy = self.gan.distribute_strategy
        measured = strategy.run(self._measure)
        return {
            name: float(strategy.experimental_local_results(value)[0])
            for name, value in measured.items()
        }

    def _gradients_and_variety(self):
        gan = self.gan
        with tf.GradientTape(persistent=True) as tape:
            fake = gan.generator(self._with_labels(self.z), training=False)
            fake_logits = gan.discriminator(self._with_labels(fake), training=False)
            real_logits = gan.discriminator(self._with_labels(self.real), training=False)
            d_loss = gan.loss.discriminator(real_logits, fake_logits)
            g_loss = gan.loss.generator(fake_logits)
        d_gradient = tape.gradient(d_loss, gan.discriminator.trainable_variables)
        g_gradient = tape.gradient(g_loss, gan.generator.trainable_variables)
        return {
            "variety": spread(fake, self.labels) / self.real_spread,
            "d_gradient": tf.linalg.global_norm(d_gradient),
            "g_gradient": tf.linalg.global_norm(g_gradient),
        }

    def _with_labels(self, inputs):
        return inputs if self.labels is None else [inputs, self.labels]


def spread(images, labels=None):
    """How much images differ: root mean square distance of a pixel from its mean over the batch.

    Args:
        images: (N, H, W, C) float.
        labels: (N,) int32, or None. With labels, from the mean over the images of its own class:
            a conditional generator that draws one image for each class has a spread of 0.

    Returns:
        Scalar float32, above 0 by a trifle where all images are the same.
    """
    images = tf.cast(images, tf.float32)
    groups = tf.zeros(len(images), tf.int32) if labels is None else labels
    means = tf.math.unsorted_segment_mean(images, groups, tf.reduce_max(groups) + 1)
    return tf.sqrt(tf.reduce_mean(tf.square(images - tf.gather(means, groups))) + 1e-12)


def say(line):
    """Print a line, above a progress bar where there is one."""
    tqdm.write(line)
    sys.stdout.flush()


class Health(EverySteps):
    """Takes measurements, prints what is wrong when it shows, and keeps both in the run folder.

    health.csv holds the measurements; health.log the sentences, and is there only if there are any.

    Args:
        clock, every: when.
        probe: function without arguments giving the fields of a `Measurement` that are no metrics.
        rules: sequence of `Rule`.
        folder: the run's.
        report: receives each line when it is new.
    """

    def __init__(self, clock, every, probe, rules, folder, report=say):
        super().__init__(clock, every)
        self.probe, self.report = probe, report
        self.diagnosis = Diagnosis(rules)
        self.table, self.log = folder / "health.csv", folder / "health.log"

    def on_train_begin(self, logs=None):
        # What came after the checkpoint that a run resumes from is about to come again.
        rows = read_measurements(self.table) if self.table.exists() else []
        history = [measurement for measurement in rows if measurement.step <= self.clock.step]
        write_text(self.table, "".join(map(table_line, [Measurement._fields, *history])))
        lines = [
            log_line(measurement.step, sentence)
            for measurement in history
            for sentence in self.diagnosis.add(measurement)
        ]
        self.log.unlink(missing_ok=True)
        if lines:
            write_text(self.log, "".join(lines))

    def at_step(self, step, logs):
        metrics = {name: float(logs[name]) for name in Measurement._fields if name in logs}
        measurement = Measurement(step=step, **metrics, **self.probe())
        append_text(self.table, table_line(measurement))
        for sentence in self.diagnosis.add(measurement):
            append_text(self.log, log_line(step, sentence))
            self.report(f"health, {log_line(step, sentence).rstrip()}")


def read_measurements(path):
    """The measurements of a health.csv; rows that are cut short or no numbers are left out."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [
        line.split(",") for line in lines[1:] if line.count(",") == len(Measurement._fields) - 1
    ]
    found = []
    for step, *numbers in rows:
        with suppress(ValueError):
            found.append(Measurement(int(step), *map(float, numbers)))
    return found


def table_line(values):
    """A line of health.csv; floats in full, so that they read back as they were."""
    return ",".join(map(str, values)) + "\n"


def log_line(step, sentence):
    """A line of health.log."""
    return f"step {step:,}: {sentence}\n"


def health_interval(schedule):
    """Steps between two measurements: the finest of the run's intervals, but not too often."""
    finest = min(schedule.log_every, schedule.samples_every, schedule.gif_every)
    return finest * -(-LEAST_STEPS // finest)


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
