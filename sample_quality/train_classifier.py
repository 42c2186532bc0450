"""Train the feature network: `python -m sample_quality.train_classifier --help`."""

import os
import sys
from argparse import SUPPRESS
from functools import partial
from pathlib import Path

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from pydantic import ValidationError

from training_run.cli.arguments import check_output, check_seed
from training_run.cli.parser import CommandParser, integer, one_of
from training_run.cli.run_command import run_command
from training_run.config.sections import DataConfig
from training_run.config.sizes import auto_side
from training_run.data.datasets import DATASETS, find_dataset
from training_run.data.image_folder.find import measure
from training_run.data.local_arrays import any_image
from training_run.errors import UserError
from training_run.tensorflow_import import import_tensorflow


def build_parser():
    """The argument parser of `python -m sample_quality.train_classifier`."""
    parser = CommandParser(
        prog="python -m sample_quality.train_classifier",
        description="Train the classifier whose last hidden layer the scores compare images by. "
        "The one for mnist comes with the package; those of other data sets are kept in the "
        "user's cache folder.",
    )
    parser.add_argument(
        "--data",
        metavar="NAME_OR_PATH",
        help="mnist, fashion_mnist, orl_faces, a .npz file, an IDX folder or a folder of images "
        "(default: mnist)",
    )
    parser.add_argument(
        "--image-size",
        type=integer,
        help="data.image_size of the runs to score; default for a folder: as model.size auto",
    )
    parser.add_argument("--num-channels", type=integer, help="as data.num_channels")
    parser.add_argument("--labels", default="auto", help="as data.labels (default: auto)")
    parser.add_argument("--max-images", type=integer, help="as data.max_images")
    parser.add_argument("--dataset", default="mnist", type=one_of(DATASETS), help=SUPPRESS)
    parser.add_argument("--path", help=SUPPRESS)  # both are older than --data
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
    dataset, named = find_dataset(data_config), data_config.path or data_config.dataset
    if dataset.spec.num_classes is None:
        why = "".join(f"; {note}" for note in dataset.spec.notes if note.startswith("no labels"))
        raise UserError(f"--data: expected images with labels, received {named} without{why}")
    if arguments.out:
        check_output(arguments.out, (".npz",))
    import_tensorflow()
    from sample_quality.features.classifier import cached_classifier, save_classifier
    from sample_quality.features.training import train_classifier

    report = partial(print, flush=True)
    data = dataset.read(report)
    path = arguments.out or cached_classifier(data.checksum)
    network, record = train_classifier(data, Path(named).stem, arguments.seed, report)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_classifier(path, network, record)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    if None not in (record.test_accuracy, record.floor) and record.test_accuracy < record.floor:
        print(
            f"note: it is right on {100 * record.test_accuracy:.0f}% of held-out images, below the "
            f"{100 * record.floor:.0f}% that scores need, so it is not used; more images of each "
            "class help"
        )
    return 0


def data_config_of(arguments):
    """The `DataConfig` that the command line describes.

    Raises:
        UserError: if an option is wrong.
    """
    names = ("image_size", "num_channels", "labels", "max_images")
    values = {name: getattr(arguments, name) for name in names}
    values |= data_of(arguments.data, arguments.dataset, arguments.path)
    try:
        config = DataConfig(**values)
        return with_measured_size(config) if config.dataset == "image_folder" else config
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UserError(f"--{option}: {first['msg']}, received {first['input']!r}") from None


def data_of(named, dataset, path):
    """`dataset` and `path` of the images that --data names; without it, those given."""
    if named is None:
        return {"dataset": dataset, "path": path}
    if named in DATASETS and named != "image_folder":
        return {"dataset": named, "path": None}
    folder = Path(os.path.expanduser(named))
    if folder.is_dir() and any_image(folder):
        return {"dataset": "image_folder", "path": named}
    return {"dataset": "mnist", "path": named}


def with_measured_size(config):
    """The `DataConfig` of a folder with the size and channels that `model.size auto` takes."""
    if config.image_size and config.num_channels:
        return config
    measured = measure(config)
    update = {
        "image_size": config.image_size or auto_side(measured.side),
        "num_channels": config.num_channels or measured.num_channels,
    }
    return config.model_copy(update=update)


if __name__ == "__main__":
    sys.exit(main())
