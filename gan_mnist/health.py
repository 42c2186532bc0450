"""Whether a GAN is still learning: each way to fail is told once, in a line, with what to try.

Every few hundred steps a probe takes a measurement beside the training, and rules look at all the
measurements so far. They are functions of that history alone, which is kept in the run folder: a
resumed run reads it back and says what one never stopped would have said.
"""

import csv
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from training_run.batches import draw_normal, scale_images
from training_run.callbacks import EverySteps
from training_run.files import append_text, write_text

NUM_PROBED = 64
"""Images in a measurement, which then costs about as much as two training steps of batch 32."""

LEAST_STEPS = 200
"""Between two measurements: so they cost no more than 1% of the training."""

PERSISTENT = 5
"""Measurements in a row that a state must last. A healthy discriminator is ahead on nearly every
image for its first 300 steps, and is then caught up with: so a GAN starts."""

STARTED = 1000
"""Steps before which a generator's images may be alike: an untrained one makes grey of every z."""

WON_ACCURACY = 0.99
"""On real and on generated images. `gan_mlp_plain`, the most one-sided game of our presets, ends at
0.96 on the harder of the two, with digits that are still getting better."""

GUESSING_ACCURACY = 0.52
"""Mean of both accuracies. Guessing gives 0.5, give or take 0.006 over 100 steps of batch 32; the
discriminators of our presets stay above 0.58."""

COLLAPSED_VARIETY = 0.2
"""Spread of samples over that of real images. Healthy generators dip to 0.5 while they find their
way, then reach 0.8 to 1; one that always draws the same image has 0."""

VANISHED = 1e-4
"""Norm of a gradient. Healthy ones are above 0.05; over a million weights this is 1e-7 for each,
Adam's epsilon, below which its steps fall short of the learning rate."""

EXPLODED = 1e4
"""Norm of a gradient. Healthy ones stay below 150 (`gan_mlp_plain`'s generator, late; below 30 in
most runs); a discriminator whose learning rate is 500 times too high takes them past 2e4."""


class Measurement(NamedTuple):
    """How a GAN does at one step; a row of health.csv.

    Attributes:
        step: of the whole run.
        d_accuracy_real, d_accuracy_fake, g_loss: the metrics since the last log row.
        variety: spread of images from fixed latents over that of real images.
        d_gradient, g_gradient: norm of each network's gradient of its own loss.
    """

    step: int
    d_accuracy_real: float
    d_accuracy_fake: float
    g_loss: float
    variety: float
    d_gradient: float
    g_gradient: float


def discriminator_has_won(recent):
    """Its accuracies are near 1 and stay there, while the generator's loss climbs."""
    worst = min(min(m.d_accuracy_real, m.d_accuracy_fake) for m in recent)
    first, last = recent[0], recent[-1]
    if worst < WON_ACCURACY or last.g_loss <= first.g_loss:
        return None
    return (
        f"the discriminator has won: since step {first.step:,} it knows {worst:.1%} of real and of "
        f"generated images or more, and g_loss climbed from {first.g_loss:.3g} to "
        f"{last.g_loss:.3g}; try a lower optimizer.discriminator.learning_rate, "
        "regularization.r1=1 or regularization.instance_noise=0.1"
    )


def discriminator_has_stopped(recent):
    """It does no better than guessing."""
    best = max((m.d_accuracy_real + m.d_accuracy_fake) / 2 for m in recent)
    if best >= GUESSING_ACCURACY:
        return None
    return (
        f"the discriminator has stopped learning: since step {recent[0].step:,} it is right about "
        f"{best:.0%} of the images at best, no better than guessing; try a higher "
        "optimizer.discriminator.learning_rate (a lower one above 1e-3), or "
        "training.discriminator_steps=2"
    )


def variety_has_collapsed(recent):
    """Images from different latents are alike."""
    most = max(m.variety for m in recent)
    if recent[0].step < STARTED or most >= COLLAPSED_VARIETY:
        return None
    return (
        f"variety has collapsed: since step {recent[0].step:,} samples have {most:.0%} of the "
        "spread of real images (of the same class, where it is given) at most; try "
        "regularization.r1=5, loss.name=hinge or a lower optimizer.generator.learning_rate"
    )


def gradient_has_vanished(recent, *, network, field):
    """A network's gradient is too small to learn from."""
    largest = max(getattr(m, field) for m in recent)
    if not largest < VANISHED:
        return None
    return (
        f"the {network}'s gradient has vanished: since step {recent[0].step:,} its norm is "
        f"{largest:.1g} at most; try a lower optimizer.learning_rate from the start, or "
        "loss.name=non_saturating"
    )


def gradient_has_exploded(recent, *, network, field):
    """A network's gradient is far too large. Told at once: the next one may be infinite."""
    norm = getattr(recent[-1], field)
    if norm <= EXPLODED:
        return None
    return (
        f"the {network}'s gradient has exploded: its norm is {norm:.1e}; try a lower "
        "optimizer.learning_rate, or regularization.spectral_norm=true"
    )


class Rule(NamedTuple):
    """One way to fail.

    Attributes:
        num_needed: of the latest measurements.
        sentence: those measurements -> what is wrong and what to try, or None.
    """

    num_needed: int
    sentence: Callable


GRADIENTS = (
    {"network": "discriminator", "field": "d_gradient"},
    {"network": "generator", "field": "g_gradient"},
)
ACCURACY_RULES = (
    Rule(PERSISTENT, discriminator_has_won),
    Rule(PERSISTENT, discriminator_has_stopped),
)
OTHER_RULES = (
    Rule(PERSISTENT, variety_has_collapsed),
    *(Rule(PERSISTENT, partial(gradient_has_vanished, **which)) for which in GRADIENTS),
    *(Rule(1, partial(gradient_has_exploded, **which)) for which in GRADIENTS),
)


def rules_for(loss_name):
    """The rules that mean something with a loss.

    Args:
        loss_name: `loss.name` of the configuration. The logits of a Wasserstein critic have no
            point of indecision, and so its accuracies no meaning.

    Returns:
        tuple of `Rule`.
    """
    return OTHER_RULES if loss_name == "wasserstein" else ACCURACY_RULES + OTHER_RULES


class Diagnosis:
    """Looks at one measurement after another; each rule speaks once, as soon as it applies.

    Args:
        rules: sequence of `Rule`.
    """

    def __init__(self, rules):
        self._silent = list(rules)
        self._recent = deque(maxlen=max(rule.num_needed for rule in rules))

    def add(self, measurement):
        """What is newly wrong: a list of sentences."""
        self._recent.append(measurement)
        found = []
        for rule in tuple(self._silent):
            recent = list(self._recent)[-rule.num_needed :]
            sentence = rule.sentence(recent) if len(recent) == rule.num_needed else None
            if sentence:
                found.append(sentence)
                self._silent.remove(rule)
        return found


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
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        rows = [row for row in csv.reader(file) if len(row) == len(Measurement._fields)]
    found = []
    for step, *numbers in rows[1:]:
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
