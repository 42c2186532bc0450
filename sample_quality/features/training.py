"""Train the feature network: `python -m sample_quality.train_classifier --help`."""

import time
from pathlib import Path

from pydantic import ValidationError

from training_run.cli.arguments import check_seed
from training_run.cli.parser import CommandParser, integer, one_of
from training_run.cli.run_command import run_command
from training_run.config.sections import DataConfig
from training_run.data.datasets import DATASETS, find_dataset, load_dataset
from training_run.errors import UserError
from training_run.tensorflow_import import import_tensorflow

NUM_EPOCHS = 12
MIN_STEPS = 1000
"""Small data sets get at least so many steps."""

BATCH = 128
LEARNING_RATE = 2e-3
MAX_SHIFT = 2


def build_parser():
    """The argument parser of `python -m sample_quality.train_classifier`."""
    parser = CommandParser(
        prog="python -m sample_quality.train_classifier",
        description="Train the classifier whose last hidden layer the scores compare images by. "
        "The one for mnist comes with the package; those of other data sets are kept in the "
        "user's cache folder.",
    )
    parser.add_argument("--dataset", default="mnist", type=one_of(DATASETS), help="default: mnist")
    parser.add_argument("--path", help="a local .npz, IDX folder or image folder")
    parser.add_argument("--image-size", type=integer, help="data.image_size of the runs to score")
    parser.add_argument("--num-channels", type=integer, help="as data.num_channels")
    parser.add_argument("--seed", type=integer, default=0, help="default: 0")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.npz", help="default: where `sample_quality` looks for it"
    )
    return parser


def main(argv=None):
    """Run the command; returns its exit code."""
    return run_command(_train, build_parser().parse_args(argv))


def _train(arguments):
    check_seed(arguments.seed)
    data_config = data_config_of(arguments)
    if find_dataset(data_config).spec.num_classes is None:
        raise UserError(
            f"--dataset: expected images with labels, received {arguments.dataset}, without"
        )
    if arguments.out and (arguments.out.suffix != ".npz" or not arguments.out.parent.is_dir()):
        raise UserError(
            f"--out: expected a .npz file in an existing folder, received {arguments.out}"
        )
    import_tensorflow()
    from sample_quality.features.classifier import cached_classifier, save_classifier

    data = load_dataset(data_config)
    path = arguments.out or cached_classifier(data.checksum)
    network, record = train_classifier(data, arguments.dataset, arguments.seed, report=print)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_classifier(path, network, record)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


def data_config_of(arguments):
    """The `data` section that the command line describes.

    Raises:
        UserError: if it is not a possible one.
    """
    names = ("dataset", "path", "image_size", "num_channels")
    try:
        return DataConfig(**{name: getattr(arguments, name) for name in names})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UserError(f"--{option}: {first['msg']}, received {first['input']!r}") from None


def train_classifier(data, name, seed, num_epochs=NUM_EPOCHS, report=lambda line: None):
    """Train a classifier and measure it on the test images.

    The same seed gives the same bytes.

    Args:
        data: `ImageData` with labels.
        name: of the data set, for the record.
        seed: of initial weights, batches, shifts and dropout.
        num_epochs: passes over the training images.
        report: receives a line for each pass and one for the result.

    Returns:
        (network, `ClassifierRecord`). The weights are rounded to half precision, and it is the
        rounded ones that are measured.
    """
    from sample_quality.features.classifier import (
        FEATURE_DIM,
        ClassifierRecord,
        build_classifier,
        round_to_half,
    )

    started = time.monotonic()
    network = build_classifier(data.x_train.shape[1:], data.num_classes, seed)
    steps = fit_classifier(network, data, seed, num_epochs, report)
    round_to_half(network)
    record = ClassifierRecord(
        name=name,
        image_shape=data.x_train.shape[1:],
        num_classes=data.num_classes,
        feature_dim=FEATURE_DIM,
        sha256_x_train=data.checksum,
        sha256="",  # of a file that is yet to be written
        test_accuracy=None,
        num_test=len(data.x_test),
        steps=steps,
        seed=seed,
    )
    record = measured(network, record, data)
    report(f"test accuracy {record.test_accuracy}, {time.monotonic() - started:.0f} s")
    return network, record


def measured(network, record, data):
    """The record with the network's accuracy on the test images, where those have labels."""
    import dataclasses

    from sample_quality.features.classifier import Classifier

    if data.y_test is None:
        return record
    classes = Classifier(network, record)(data.x_test).classes
    accuracy = round(float((classes == data.y_test).mean()), 6)
    return dataclasses.replace(record, test_accuracy=accuracy)


def fit_classifier(network, data, seed, num_epochs, report):
    """Train with Adam, a learning rate that falls to zero, and shifted images.

    Returns:
        Number of training steps.
    """
    import keras

    from training_run.step.batches import make_batches, scale_images

    batch_size = min(BATCH, len(data.x_train))
    steps_per_epoch = len(data.x_train) // batch_size
    num_epochs = max(num_epochs, -(-MIN_STEPS // steps_per_epoch))
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
    """An augmentation for `make_batches`: shift every image a little, on black.

    Args:
        seed: int.
        max_shift: largest shift in pixels, each way.

    Returns:
        A function of (images (B, H, W, C), step) giving images of the same shape and dtype.
    """
    import tensorflow as tf

    from training_run.step.batches import draw_uniform

    def augment(images, step):
        num_images, height, width = images.shape[:3]
        margin = [max_shift, max_shift]
        padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]])
        uniform = draw_uniform(seed, "classifier_shift", step, (2, num_images, 1))
        offsets = tf.cast(tf.floor(uniform * (2 * max_shift + 1)), tf.int32)
        rows = tf.gather(padded, tf.range(height) + offsets[0], axis=1, batch_dims=1)
        return tf.gather(rows, tf.range(width) + offsets[1], axis=2, batch_dims=1)

    return augment
