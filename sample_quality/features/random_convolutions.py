"""Features of images without labels: fixed random convolutions, which nothing has to train.

A random convolutional network keeps what images look like at several scales. Distances between its
features rank damaged images as those of trained networks do, so it compares models of any images.
Its numbers are small or large by no unit of their own: they compare only with each other.

Source: random weights as features are studied in Saxe et al. 2011, "On random weights and
unsupervised feature learning"; as a Fréchet distance for images unlike photographs, in Naeem et al.
2020, arXiv:2002.09797, section 5.
"""

import hashlib
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training_run.step.batches import scale_images
from training_run.step.networks import seeded_initializers

FEATURE_DIM = 128

FILTERS = (32, 64, 128)
"""Channels of convolutions of stride 2, from the finest to the coarsest."""

BATCH = 500
"""Images at once; results do not depend on it."""

MAX_STANDARD = 5000
"""Training images that set the mean and the spread of each feature."""


class Described(NamedTuple):
    """What is known of N images: `features` (N, `FEATURE_DIM`) float32."""

    features: np.ndarray


class RandomConvolutions:
    """Features whose mean is 0 and whose standard deviation is 1 over the training images.

    Args:
        train: (N, H, W, C) uint8, the training images; the first `MAX_STANDARD` are used.

    Attributes:
        features_name, features_sha256: for a protocol; the checksum is of all that the features
            depend on: weights, means and standard deviations.
    """

    features_name = "random convolutions"
    knows_classes = False

    def __init__(self, train):
        self.network = build_random_convolutions(train.shape[1:])
        self._run = tf.function(self.network, reduce_retracing=True)
        raw = self._raw(train[:MAX_STANDARD])
        self.mean, self.deviation = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-6)
        digest = hashlib.sha256()
        for array in (*self.network.get_weights(), self.mean, self.deviation):
            digest.update(np.ascontiguousarray(array).data)
        self.features_sha256 = digest.hexdigest()

    def __call__(self, images):
        """The `Described` of (N, H, W, C) uint8 images."""
        return Described((self._raw(images) - self.mean) / self.deviation)

    def _raw(self, images):
        parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
        scaled = (scale_images(part, (-1.0, 1.0)) for part in parts)
        return np.concatenate([self._run(part, training=False).numpy() for part in scaled])


def build_random_convolutions(image_shape):
    """Convolutions with LeakyReLU, pooled at every scale, then mixed to `FEATURE_DIM` numbers.

    Args:
        image_shape: (H, W, C).

    Returns:
        A network from (N, H, W, C) in [-1, 1] to (N, `FEATURE_DIM`); the same for all runs.
    """
    initializers = seeded_initializers("random_convolutions", 0)
    x = images = keras.Input(image_shape)
    pooled = []
    for number, channels in enumerate(FILTERS):
        x = keras.layers.Conv2D(
            channels,
            5 if number == 0 else 3,
            strides=2,
            padding="same",
            kernel_initializer=next(initializers),
        )(x)
        x = keras.layers.LeakyReLU(negative_slope=0.2)(x)
        pooled.append(keras.layers.Flatten()(_thirds(x)))
    joined = keras.layers.Concatenate()(pooled)
    mixed = keras.layers.Dense(FEATURE_DIM, kernel_initializer=next(initializers))(joined)
    return keras.Model(images, mixed, name="random_convolutions")


def _thirds(maps):
    """Means of feature maps over a grid of about 3x3 places, so that features know where."""
    size = [max(1, -(-side // 3)) for side in maps.shape[1:3]]
    return keras.layers.AveragePooling2D(size, padding="same")(maps)
