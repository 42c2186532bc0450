"""The classifier whose last hidden layer the scores compare images by.

Weights are kept as half-precision arrays beside a record of what they were trained on. They are
used only if their checksum is the record's.
"""

import dataclasses
import json
import shlex
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training_run.data.pinned_arrays import cache_folder
from training_run.errors import UserError
from training_run.files import atomic_path, read_json, sha256_of_file, write_text
from training_run.step.batches import scale_images
from training_run.step.networks import seeded_initializers

FORMAT = 1

SHIPPED = Path(__file__).with_name("mnist_classifier.npz")
"""The classifier that comes with this package, trained on MNIST."""

BATCH = 500
"""Images classified at once; results do not depend on it."""

FEATURE_DIM = 128


@dataclass(frozen=True)
class ClassifierRecord:
    """The JSON file beside a file of weights.

    Attributes:
        name: of the data set it was trained on.
        image_shape: (H, W, C).
        num_classes: K.
        feature_dim: size of its last hidden layer.
        sha256_x_train: of the training images, as in `ImageData.checksum`.
        sha256: of the weights' file.
        test_accuracy: of the saved weights; None if the test images have no labels.
        num_test: number of test images.
        floor: test accuracy that it needs to be used; None in older files.
        steps: training steps.
        seed: of the training.
        format: version of the two files.
    """

    name: str
    image_shape: tuple[int, int, int]
    num_classes: int
    feature_dim: int
    sha256_x_train: str
    sha256: str
    test_accuracy: float | None
    num_test: int
    steps: int
    seed: int
    floor: float | None = None
    format: int = FORMAT


class Classified(NamedTuple):
    """What the classifier says of N images.

    Attributes:
        features: (N, D) float32, 0 or more: the last hidden layer.
        probabilities: (N, K) float32, of each class.
    """

    features: np.ndarray
    probabilities: np.ndarray

    @property
    def classes(self):
        """(N,) int64, the most probable class."""
        return self.probabilities.argmax(axis=1)


class Classifier:
    """A trained network from `build_classifier` and its `ClassifierRecord`."""

    def __init__(self, network, record):
        self.network, self.record = network, record
        outputs = [network.get_layer("features").output, network.outputs[0]]
        self._classify = tf.function(keras.Model(network.inputs, outputs), reduce_retracing=True)

    knows_classes = True

    @property
    def features_name(self):
        """Of its features, for a protocol."""
        return f"{self.record.name} classifier"

    @property
    def features_sha256(self):
        """Of its weights, for a protocol."""
        return self.record.sha256

    def __call__(self, images):
        """The `Classified` of (N, H, W, C) uint8 images.

        Raises:
            ValueError: the classifier was trained on images of another shape.
        """
        if images.shape[1:] != self.record.image_shape or images.dtype != np.uint8:
            raise ValueError(
                f"The classifier of {self.record.name} takes uint8 images of shape "
                f"{self.record.image_shape}. Received: {images.dtype} of shape {images.shape[1:]}"
            )
        features, logits = [], []
        for start in range(0, len(images), BATCH):
            x = scale_images(images[start : start + BATCH], (0.0, 1.0))
            outputs = self._classify(x, training=False)
            features.append(outputs[0].numpy())
            logits.append(outputs[1])
        probabilities = tf.nn.softmax(tf.concat(logits, axis=0)).numpy()
        return Classified(np.concatenate(features), probabilities)


def build_classifier(image_shape, num_classes, seed):
    """Convolutions and pooling down to 8x8 or less, then two dense layers.

    Args:
        image_shape: (H, W, C).
        num_classes: K.
        seed: of the initial weights and of dropout.

    Returns:
        An uncompiled `Sequential` named "classifier", from (N, H, W, C) in [0, 1] to logits (N, K).
        Its layer "features" gives (N, `FEATURE_DIM`). For 28x28x1: 459,946 parameters.
    """
    initializers = seeded_initializers("classifier", seed)
    layers = [keras.layers.Input(image_shape), *_convolution(1, 32, 5, initializers)]
    side, number = min(image_shape[:2]), 1
    while side > 8:
        side, number = side // 2, number + 1
        layers.append(keras.layers.MaxPooling2D(name=f"pool_{number - 1}"))
        layers += _convolution(number, 64, 3, initializers)
    layers += [
        keras.layers.Flatten(name="flatten"),
        # With normalisation all features have a similar scale and count in a distance.
        keras.layers.Dense(
            FEATURE_DIM, use_bias=False, kernel_initializer=next(initializers), name="dense"
        ),
        keras.layers.BatchNormalization(momentum=0.9, name="norm_dense"),
        keras.layers.ReLU(name="features"),
        keras.layers.Dropout(0.4, seed=seed, name="dropout"),
        keras.layers.Dense(num_classes, kernel_initializer=next(initializers), name="logits"),
    ]
    return keras.Sequential(layers, name="classifier")


def _convolution(number, num_filters, size, initializers):
    return [
        keras.layers.Conv2D(
            num_filters,
            size,
            padding="same",
            use_bias=False,
            kernel_initializer=next(initializers),
            name=f"conv_{number}",
        ),
        keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{number}"),
        keras.layers.ReLU(name=f"relu_{number}"),
    ]


def round_to_half(network):
    """Round a network's weights to half precision, which `save_classifier` keeps."""
    for variable in network.variables:
        if variable.dtype == "float32":
            variable.assign(np.asarray(variable).astype(np.float16).astype(np.float32))


def save_classifier(path, network, record):
    """Write weights and record.

    Args:
        path: the `.npz` file; its folder must exist. The record goes beside it, as `.json`.
        network: the trained network.
        record: its `ClassifierRecord`, whose `sha256` is replaced by the file's.
    """
    arrays = {name: np.asarray(value).astype(np.float16) for name, value in _weights(network)}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    record = dataclasses.replace(record, sha256=sha256_of_file(path))
    write_text(path.with_suffix(".json"), json.dumps(dataclasses.asdict(record), indent=2) + "\n")


def load_classifier(path):
    """The `Classifier` in an `.npz` file with its record beside it.

    Raises:
        UserError: the files are missing, damaged or do not belong together.
    """
    record = read_record(path)
    network = build_classifier(record.image_shape, record.num_classes, seed=0)
    try:
        if sha256_of_file(path) != record.sha256:
            raise ValueError(f"they are not the weights that {record.name}'s record describes")
        with np.load(path, allow_pickle=False) as arrays:
            for name, variable in _weights(network):
                variable.assign(arrays[name].astype(np.float32))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: the weights cannot be read ({error})") from None
    return Classifier(network, record)


def read_record(path):
    """The `ClassifierRecord` beside a file of weights.

    Raises:
        UserError: if it is missing, damaged or of another format.
    """
    record_path = path.with_suffix(".json")
    try:
        values = read_json(record_path)
        record = ClassifierRecord(**values | {"image_shape": tuple(values["image_shape"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{record_path}: cannot be read ({error})") from None
    if record.format != FORMAT:
        raise UserError(f"{record_path}: expected format {FORMAT}, received {record.format}")
    return record


def cached_classifier(sha256_x_train):
    """Path of the cached classifier of these training images; there may be no such file.

    Raises:
        UserError: the user has no cache folder.
    """
    try:
        return cache_folder() / f"classifier-{sha256_x_train[:16]}.npz"
    except OSError as error:
        raise UserError(f"there is no place for the classifier: {error}") from None


def classifier_for(data, data_config):
    """The `Classifier` trained on a data set's images: the shipped one, or one from the cache.

    Of a sample (`data.max_images`) it may be that of all the images, which is the better judge.

    Args:
        data: `ImageData`.
        data_config: the `data` section that it was loaded by.

    Raises:
        UserError: there is none, and the sentence names the command that trains it; or there is
            one that is too often wrong.
    """
    if data.num_classes is None:
        raise UserError("training one takes images with labels, and these have none")
    for checksum in filter(None, (data.whole_checksum, data.checksum)):
        for path in (SHIPPED, cached_classifier(checksum)):
            if path.is_file() and read_record(path).sha256_x_train == checksum:
                return _good_enough(load_classifier(path))
    raise UserError(
        "expected a classifier of these images, received none; train it with: "
        f"python -m sample_quality.train_classifier {' '.join(options_of(data_config))}"
    )


def _good_enough(classifier):
    accuracy, floor = classifier.record.test_accuracy, classifier.record.floor
    if None not in (accuracy, floor) and accuracy < floor:
        raise UserError(
            f"expected a classifier that is right on {100 * floor:.0f}% of held-out images, "
            f"received one that is on {100 * accuracy:.0f}%; more images of each class help"
        )
    return classifier


def options_of(data_config):
    """Options of `train_classifier` that name the images of a `data` section."""
    values = {
        "--data": data_config.path or data_config.dataset,
        "--image-size": data_config.image_size,
        "--num-channels": data_config.num_channels,
        "--max-images": data_config.max_images,
        "--labels": None if data_config.labels == "auto" else data_config.labels,
    }
    return [f"{option} {shlex.quote(str(value))}" for option, value in values.items() if value]


def _weights(network):
    """(name, variable) of all weights, without dropout's random state."""
    for layer in network.layers:
        for variable in layer.weights:
            yield f"{layer.name}/{variable.name}", variable
