from types import SimpleNamespace

import numpy as np

from training_run.config.sections import DataConfig
from training_run.loop.fit import augmentation


def change(**data):
    return augmentation(SimpleNamespace(seed=0, data=DataConfig(**data)), num_stacked=1)


def test_images_are_changed_only_where_it_is_asked():
    assert change() is None
    images = np.arange(64 * 16, dtype=np.uint8).reshape(64, 4, 4, 1)
    mirrored = change(mirror=True)(images, 3).numpy()
    is_same = (mirrored == images).all(axis=(1, 2, 3))
    is_mirrored = (mirrored == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (is_same ^ is_mirrored).all()
    assert 16 < is_mirrored.sum() < 48
    shifted = change(mirror_and_shift=1)(images, 3).numpy()
    same = change(mirror=True, mirror_and_shift=1)(images, 3).numpy()
    np.testing.assert_array_equal(shifted, same)
    assert not (shifted == images).all()
