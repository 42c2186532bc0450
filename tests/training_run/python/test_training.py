from pathlib import Path

import numpy as np

from training_run.python.training import overrides_from


def test_settings_become_overrides():
    settings = {
        "training": {"steps": 5, "precision": "float32"},
        "optimizer.learning_rate": 1e-4,
        "model.generator_widths": (8, np.int64(4)),
        "data.path": Path("a b"),
        "loss.smoothing": np.float64(0.5),
        "quality.every": None,
        "regularization.spectral_norm": True,
    }
    assert overrides_from(settings).texts == [
        "training.steps=5",
        'training.precision="float32"',
        "optimizer.learning_rate=0.0001",
        "model.generator_widths=[8, 4]",
        'data.path="a b"',
        "loss.smoothing=0.5",
        "quality.every=null",
        "regularization.spectral_norm=true",
    ]
