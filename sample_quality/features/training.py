"""Training of the classifier that the scores see images by."""

import dataclasses
import time

import keras
import numpy as np
import tensorflow as tf

from sample_quality.features.classifier import (
    FEATURE_DIM,
    Classifier,
    ClassifierRecord,
    build_classifier,
    round_to_half,
)
from training_run.step.batches import draw_uniform, make_batches, scale_images

NUM_EPOCHS = 12

MIN_STEPS = 1000
"""Minimum number of steps, for small data sets."""

BATCH = 128
LEARNING_RATE = 2e-3

MAX_SHIFT = 2
"""Pixels that a training image is shifted by, at most."""


def train_classifier(data, name, seed, report=lambda line: None):
    """Train a classifier and measure it on the test images.

    The same seed gives the same bytes.

    Args:
        data: `ImageData` with labels.
        name: of the data set, for the record.
        seed: of initial weights, batches, shifts and dropout.
        report: receives a line for each epoch and one for the result.

    Returns:
        (network, `ClassifierRecord`). The weights are rounded to half precision before the
        accuracy is measured.
    """
    started = time.monotonic()
    network = build_classifier(data.x_train.shape[1:], data.num_classes, seed)
    steps = _fit(network, data, seed, report)
    round_to_half(network)
    record = ClassifierRecord(
        name=name,
        image_shape=data.x_train.shape[1:],
        num_classes=data.num_classes,
        feature_dim=FEATURE_DIM,
        sha256_x_train=data.checksum,
        sha256="",  # `save_classifier` knows it
        test_accuracy=None,
        num_test=len(data.x_test),
        steps=steps,
        seed=seed,
    )
    if data.y_test is not None:
        correct = Classifier(network, record)(data.x_test).classes == data.y_test
        record = dataclasses.replace(
            record,
            test_accuracy=round(float(correct.mean()), 6),
            floor=round(accuracy_floor(data.y_test), 6),
        )
    report(f"test accuracy {record.test_accuracy}, {time.monotonic() - started:.0f} s")
    return network, record


def accuracy_floor(labels):
    """The accuracy of a classifier with half of the errors of one that guesses.

    A guess is always the most frequent class.

    Args:
        labels: (N,) ints, of the held-out images.
    """
    return (1 + float(np.bincount(labels).max() / len(labels))) / 2


def _fit(network, data, seed, report):
    """Train with Adam and a learning rate that falls to zero; returns the number of steps."""
    batch_size = min(BATCH, len(data.x_train))
    steps_per_epoch = len(data.x_train) // batch_size
    num_epochs = max(NUM_EPOCHS, -(-MIN_STEPS // steps_per_epoch))
    num_steps = num_epochs * steps_per_epoch
    batches = make_batches(
        data, batch_size, seed, 0, num_steps, augment=random_shift(seed, MAX_SHIFT)
    ).map(lambda batch: (scale_images(batch["images"], (0.0, 1.0)), batch["labels"]))
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # slower for convolutions on a CPU
    )
    report_epoch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: report(
            f"epoch {epoch + 1}/{num_epochs}: loss {logs['loss']:.4f}, "
            f"training accuracy {logs['accuracy']:.4f}"
        )
    )
    network.fit(
        batches,
        epochs=num_epochs,
        steps_per_epoch=steps_per_epoch,
        shuffle=False,
        verbose=0,
        callbacks=[report_epoch],
    )
    return num_steps


def random_shift(seed, max_shift):
    """An augmentation for `make_batches`: shift images by up to `max_shift` pixels, on black."""

    def augment(images, step):
        num_images, height, width = images.shape[:3]
        margin = [max_shift, max_shift]
        padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]])
        uniform = draw_uniform(seed, "classifier_shift", step, (2, num_images, 1))
        offsets = tf.cast(tf.floor(uniform * (2 * max_shift + 1)), tf.int32)
        rows = tf.gather(padded, tf.range(height) + offsets[0], axis=1, batch_dims=1)
        return tf.gather(rows, tf.range(width) + offsets[1], axis=2, batch_dims=1)

    return augment
