"""Train the feature network: `python -m sample_quality.train_classifier --help`."""

import sys
from pathlib import Path

if __name__ == "__main__":  # first, since the other imports take a while
    from training_run.interrupts import end_on_signals

    end_on_signals()

from pydantic import ValidationError

from training_run.cli.arguments import check_output, check_seed
from training_run.cli.parser import CommandParser, integer, one_of
from training_run.cli.run_command import run_command
from training_run.config.sections import DataConfig
from training_run.data.datasets import DATASETS, find_dataset
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
    dataset = find_dataset(data_config_of(arguments))
    if dataset.spec.num_classes is None:
        raise UserError(
            f"--dataset: expected images with labels, received {arguments.dataset}, without"
        )
    if arguments.out:
        check_output(arguments.out, (".npz",))
    import_tensorflow()
    from sample_quality.features.classifier import cached_classifier, save_classifier
    from sample_quality.features.training import train_classifier

    data = dataset.read(print)
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
    """The `DataConfig` that the command line describes.

    Raises:
        UserError: if an option is wrong.
    """
    names = ("dataset", "path", "image_size", "num_channels")
    try:
        return DataConfig(**{name: getattr(arguments, name) for name in names})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        raise UserError(f"--{option}: {first['msg']}, received {first['input']!r}") from None


if __name__ == "__main__":
    sys.exit(main())
