"""`explorer.keep`: networks of earlier steps are those that a shorter run ends with."""

import keras
import numpy as np
import pytest

from gan_mnist.train import main as train_gan
from tests.soak import tiny
from vae_mnist.train import main as train_vae


@pytest.mark.parametrize(
    ("train", "arguments", "network"),
    [(train_gan, tiny.gan_arguments, "generator"), (train_vae, tiny.vae_arguments, "decoder")],
)
def test_a_kept_network_is_that_of_a_shorter_run(train, arguments, network, tiny_data, tmp_path):
    common = [*arguments(tiny_data, tmp_path), "quality.every=null"]
    assert train([*common, "explorer.keep=4"]) == 0
    assert train([*common, "training.steps=20"]) == 0
    long, short = sorted(tmp_path.glob("0*"))
    kept = sorted(path.name for path in (long / "kept").iterdir())
    assert kept == ["step_000000.keras", "step_000010.keras", "step_000020.keras"]
    assert not (short / "kept").exists()

    def weights(path):
        return keras.saving.load_model(path, compile=False, safe_mode=True).get_weights()

    ended = weights(short / f"{network}.keras")
    for ours, theirs in zip(weights(long / "kept" / "step_000020.keras"), ended, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    first = weights(long / "kept" / "step_000000.keras")
    assert any((a != b).any() for a, b in zip(first, ended, strict=True))
