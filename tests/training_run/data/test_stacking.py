from types import SimpleNamespace

import numpy as np
import pytest

from training_run.data.datasets import find_dataset
from training_run.data.image_data import DataSpec
from training_run.data.stacking import stacked
from training_run.errors import UserError


def config(path, is_stacked=True):
    return SimpleNamespace(
        dataset="mnist", path=str(path), image_size=None, num_channels=None, labels="auto",
        max_images=None, stacked=is_stacked,
    )  # fmt: skip


@pytest.fixture
def digits(tmp_path):
    """Seven 2x2 images whose pixels are their number."""
    numbers = np.arange(7, dtype=np.uint8)
    images = np.broadcast_to(numbers[:, None, None], (7, 2, 2))
    path = tmp_path / "digits.npz"
    np.savez(path, x_train=images, y_train=numbers, x_test=images[:2], y_test=numbers[:2])
    return path


def test_a_stacked_data_set_has_three_channels_and_no_labels_but_keeps_its_images(digits):
    single, three = find_dataset(config(digits, False)), find_dataset(config(digits))
    assert three.spec.image_shape == (2, 2, 3)
    assert three.spec.num_classes is None
    assert three.spec.title == "Images of digits, stacked"
    data = three.read(print)
    assert data.spec.image_shape == (2, 2, 3)
    assert (data.y_train, data.y_test) == (None, None)
    assert data.x_train.shape == (7, 2, 2, 1)
    assert data.checksum == single.read(print).checksum


def test_examples_to_look_at_are_stacks_of_different_images(digits):
    data = find_dataset(config(digits)).read(print)
    examples = data.examples(np.array([0, 6]))
    assert examples.shape == (2, 2, 2, 3)
    assert examples[:, 0, 0].tolist() == [[0, 2, 4], [6, 1, 3]]
    single = find_dataset(config(digits, False)).read(print)
    assert np.array_equal(single.examples(np.array([5, 1])), single.x_train[[5, 1]])


def test_colour_images_are_not_stacked():
    dataset = SimpleNamespace(spec=DataSpec(9, (2, 2, 3), 4))
    with pytest.raises(UserError, match=r"data\.stacked: expected grey images, received 3"):
        stacked(dataset)
