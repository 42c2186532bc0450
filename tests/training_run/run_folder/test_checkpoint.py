import json

import keras
import numpy as np
import pytest

from training_run.errors import UserError
from training_run.run_folder.checkpoint import (
    checkpoints_in,
    latest_checkpoint,
    prune_checkpoints,
    restore_checkpoint,
    save_checkpoint,
)


class OneLayer(keras.Model):
    """A composite with one layer and its optimizer."""

    def __init__(self, learning_rate=0.1):
        super().__init__()
        self.network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        self.adam = keras.optimizers.Adam(learning_rate)
        self.adam.build(self.network.trainable_variables)
        self.built = True

    def optimizers(self):
        return {"network": self.adam}


def test_the_order_of_checkpoints_is_that_of_their_steps_past_a_million(tmp_path):
    model = OneLayer()
    for step in (999_999, 1_000_000, 20):
        save_checkpoint(tmp_path, model, step, 1.0)
    assert [step for step, _ in checkpoints_in(tmp_path)] == [20, 999_999, 1_000_000]
    assert latest_checkpoint(tmp_path).record.step == 1_000_000
    prune_checkpoints(tmp_path, 2)
    assert [step for step, _ in checkpoints_in(tmp_path)] == [999_999, 1_000_000]


def test_all_but_the_learning_rate_comes_back(tmp_path):
    saved, restored = OneLayer(), OneLayer(learning_rate=0.5)
    saved.network.layers[0].kernel.assign([[1.0], [2.0]])
    saved.adam.iterations.assign(7)
    save_checkpoint(tmp_path, saved, 7, 1.0)
    restore_checkpoint(latest_checkpoint(tmp_path), restored)
    assert np.array(restored.network.layers[0].kernel).tolist() == [[1.0], [2.0]]
    assert int(restored.adam.iterations) == 7
    assert float(restored.adam.learning_rate) == 0.5


def test_a_newer_format_is_refused_and_not_passed_over_for_an_older_checkpoint(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, OneLayer(), step, 1.0)
    record = tmp_path / "step_000002/checkpoint.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"format": 2}))
    with pytest.raises(UserError, match="expected checkpoint format 1, received the newer 2"):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"format": Infinity}', 5000 * "["])
def test_a_record_that_is_damaged_is_passed_over(tmp_path, record):
    for step in (1, 2):
        save_checkpoint(tmp_path, OneLayer(), step, 1.0)
    (tmp_path / "step_000002/checkpoint.json").write_text(record)
    told = []
    assert latest_checkpoint(tmp_path, told.append).record.step == 1
    assert len(told) == 1
    assert "step_000002/checkpoint.json" in told[0]
