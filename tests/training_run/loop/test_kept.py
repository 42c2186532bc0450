"""Networks of earlier steps: when they are kept, and when they are removed."""

import pytest

from training_run.loop.kept import spread_steps
from training_run.run_folder.paths import RunDir
from training_run.run_folder.resume import may_change, remove_after


@pytest.mark.parametrize(
    ("total", "num", "block", "steps"),
    [
        (10_000, 5, 50, [0, 150, 400, 1200, 3450]),  # 200 blocks: 200 ** (k / 5) of them
        (30, 4, 10, [0, 10, 20]),  # 1.3, 1.7 and 2.3 blocks
        (8, 4, 1, [0, 2, 3, 5]),
        (100, 1, 10, [0]),
        (10, 5, 10, [0]),  # one block alone
    ],
)
def test_steps_are_spread_in_the_logarithm(total, num, block, steps):
    assert spread_steps(total, num, block) == steps


def test_what_is_later_than_the_checkpoint_is_removed(tmp_path):
    run = RunDir(tmp_path)
    for step in (0, 10, 20, 40):
        run.kept(step).parent.mkdir(exist_ok=True)
        run.kept(step).touch()
    remove_after(run, 20, ("d_loss",))
    assert [path.name for path in sorted(run.kept(0).parent.iterdir())] == [
        "step_000000.keras", "step_000010.keras", "step_000020.keras",
    ]  # fmt: skip


def test_how_many_are_kept_may_change_on_resume():
    assert may_change("explorer.keep")
    assert may_change("checkpoints.keep")
    assert not may_change("training.batch_size")
