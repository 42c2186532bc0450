"""What every dataset gives: uint8 images, labels if there are any, and the source."""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training_run.errors import UserError

NUM_STACKED = 3
"""Images in a stacked one: the channels red, green and blue."""


class ImageFile(NamedTuple):
    """One file of a folder of images, as it was found.

    Attributes:
        name: relative to the folder, with forward slashes.
        num_bytes: its size.
        modified: when it was last changed, in nanoseconds since 1970.
    """

    name: str
    num_bytes: int
    modified: int


@dataclass(frozen=True)
class DataSpec:
    """What is known of a dataset before it is read.

    Attributes:
        num_train: number of training images; for a folder of images the largest possible
            number, since a file may prove unreadable.
        image_shape: (H, W, C) of one image.
        num_classes: labels are 0 .. num_classes - 1; None without labels.
        title: what a reader calls the dataset, "MNIST digits".
        noun: what a reader calls its images, "digits".
        class_names: of its classes, in the order of their numbers; None where they have none.
        notes: sentences for the user on what was found, such as the classes and their sizes.
    """

    num_train: int
    image_shape: tuple[int, int, int]
    num_classes: int | None
    title: str = "Images"
    noun: str = "images"
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ImageData:
    """A dataset in memory.

    Attributes:
        x_train: (N, H, W, C) uint8.
        y_train: (N,) int32, or None without labels.
        x_test: (M, H, W, C) uint8, never empty.
        y_test: (M,) int32, or None.
        num_classes: labels are 0 .. num_classes - 1; None without labels.
        source: a sentence on where the arrays came from.
        checksum: hexadecimal SHA-256 of x_train's bytes in C order.
        class_names: as in `DataSpec`.
        files: as in `Dataset`.
        whole_checksum: of the training images that these are a sample of; None of no sample.
        num_stacked: how many of these images are the channels of one that a model learns from.
    """

    x_train: np.ndarray
    y_train: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    num_classes: int | None
    source: str
    checksum: str
    class_names: tuple[str, ...] | None = None
    files: Sequence[ImageFile] | None = None
    whole_checksum: str | None = None
    num_stacked: int = 1

    def checksums(self, names):
        """Array name to hexadecimal SHA-256, of those of these names that there are."""
        arrays = {name: getattr(self, name) for name in names if name != "x_train"}
        found = {name: sha256_of_array(a) for name, a in arrays.items() if a is not None}
        return ({"x_train": self.checksum} if "x_train" in names else {}) | found

    @property
    def spec(self):
        """The `DataSpec` of the arrays as they were read."""
        height, width, num_channels = self.x_train.shape[1:]
        shape = (height, width, num_channels * self.num_stacked)
        return DataSpec(len(self.x_train), shape, self.num_classes, class_names=self.class_names)

    def examples(self, indices):
        """(n, H, W, C) uint8 training images to look at, stacked where the model's are.

        Args:
            indices: (n,) ints below the number of training images.
        """
        # Images a third of the set apart, since neighbours may be of one class.
        apart = len(self.x_train) // self.num_stacked
        channels = [
            self.x_train[(indices + number * apart) % len(self.x_train)]
            for number in range(self.num_stacked)
        ]
        return np.concatenate(channels, axis=-1)

    def sample(self, num_images):
        """The same with a random sample of the training images, a function of their number."""
        order = np.random.default_rng(0).permutation(len(self.x_train))
        chosen = np.sort(order[:num_images])
        x_train = self.x_train[chosen]
        y_train = None if self.y_train is None else self.y_train[chosen]
        checksum = sha256_of_array(x_train)
        return dataclasses.replace(
            self,
            x_train=x_train,
            y_train=y_train,
            checksum=checksum,
            whole_checksum=self.checksum,
        )

    def without_labels(self):
        """The same images alone."""
        nothing = dict.fromkeys(("y_train", "y_test", "num_classes", "class_names"))
        return dataclasses.replace(self, **nothing)


class Dataset(NamedTuple):
    """A dataset that has been found, but not read yet.

    Attributes:
        spec: its `DataSpec`.
        read: a function of `report`, which receives progress lines. It gives `ImageData`, and
            raises `UserError` if no source has the images or files are damaged.
        files: the `ImageFile`s that a folder of images has now; None of other datasets.
    """

    spec: DataSpec
    read: Callable[[Callable[[str], None]], ImageData]
    files: "Sequence[ImageFile] | None" = None


def check_memory(where, num_bytes):
    """Refuse images that do not fit into the machine's memory.

    Args:
        where: the file or folder, for the sentence.
        num_bytes: size of all images as uint8.

    Raises:
        UserError: they are larger than the whole memory.
    """
    try:
        available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return
    if num_bytes > available:
        raise UserError(
            f"{where}: expected images that fit into the {available / 1e9:.1f} GB of memory, "
            f"received {num_bytes / 1e9:,.1f} GB"
        )


def num_held_out(num_images):
    """How many of `num_images` (2 or more) are kept for testing: a tenth, at least one."""
    return max(1, num_images // 10)


def sha256_of_array(array):
    """Hexadecimal SHA-256 of an array's bytes in C order, whatever its shape."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def make_image_data(arrays, num_classes, source, class_names=None, checksum=None):
    """An `ImageData` from arrays named as in Keras's files.

    Args:
        arrays: `x_train`; optionally `y_train`, `x_test`, `y_test`. Images are (N, H, W) or
            (N, H, W, C) uint8, labels (N,) of any integer type. Without `x_test`, the last
            tenth of the training images is held out for testing.
        num_classes: number of classes, or None.
        source: a sentence on where the arrays came from.
        class_names: as in `DataSpec`.
        checksum: of the training images, where it is known.
    """
    if "x_test" not in arrays:
        arrays = _hold_out_last(arrays)
    x_train = _with_channels(arrays["x_train"])
    return ImageData(
        x_train=x_train,
        y_train=_as_labels(arrays.get("y_train")),
        x_test=_with_channels(arrays["x_test"]),
        y_test=_as_labels(arrays.get("y_test")),
        num_classes=num_classes,
        source=source,
        checksum=checksum or sha256_of_array(x_train),
        class_names=class_names,
    )


def _hold_out_last(arrays):
    start = len(arrays["x_train"]) - num_held_out(len(arrays["x_train"]))
    split = {}
    for kind in ("x", "y"):
        if f"{kind}_train" in arrays:
            split[f"{kind}_train"] = arrays[f"{kind}_train"][:start]
            split[f"{kind}_test"] = arrays[f"{kind}_train"][start:]
    return split


def _with_channels(images):
    images = np.ascontiguousarray(images)
    return images[..., np.newaxis] if images.ndim == 3 else images


def _as_labels(labels):
    return None if labels is None else np.ascontiguousarray(labels, dtype=np.int32).reshape(-1)
