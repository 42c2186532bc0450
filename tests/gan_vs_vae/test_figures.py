"""Curves of logs as pictures."""

import base64
import json
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np

from gan_vs_vae.figures import loss_curves, quality_curves
from gan_vs_vae.page import quality_charts
from sample_quality.protocol import Protocol
from training_run.run_folder.paths import RunDir

PROTOCOL = Protocol("mnist classifier", "f" * 64, "train", "e" * 64, 10_000, 5_000, 3)


def make_run(folder, title, scores=None, protocol=None):
    steps = np.arange(1.0, 5.0)
    log = {"step": steps, "seconds": 60 * steps, "d_loss": steps**2}
    if scores is not None:
        log["frechet_distance"] = np.array(scores)
    if protocol:
        (folder / title / "best").mkdir(parents=True)
        record = json.dumps({"protocol": asdict(protocol)})
        (folder / title / "best" / "score.json").write_text(record)
    folder = RunDir(folder / title)
    return SimpleNamespace(title=title, family="GAN", log=log, folder=folder, step=4)


def test_rows_without_a_score_are_left_out_and_the_seed_does_not_separate_runs(tmp_path):
    nan = np.nan
    runs = [
        make_run(tmp_path, "a", [nan, 90, nan, 20], PROTOCOL),
        make_run(tmp_path, "b", [80, nan, 10, nan], Protocol(**asdict(PROTOCOL) | {"seed": 4})),
        make_run(tmp_path, "c", [1, 2, 3, 4], Protocol(**asdict(PROTOCOL) | {"num_real": 7})),
        make_run(tmp_path, "d", [nan] * 4),
        make_run(tmp_path, "e"),
        make_run(tmp_path, "f", [1, 2, 3, 4]),
    ]
    found = quality_curves(runs)
    titles = [[curve.run.title for curve in curves] for curves in found.values()]
    assert titles == [["a", "b"], ["c"], ["f"]]
    first = next(iter(found.values()))[0]
    np.testing.assert_array_equal(first.minutes, [2, 4])
    np.testing.assert_array_equal(first.values, [90, 20])
    charts = quality_charts(runs, dict.fromkeys("abcdef", "#000"))
    assert [titles for _, titles, _ in charts] == [["a", "b"], ["c"], ["f"]]
    assert "5,000 samples and 10,000 training images" in charts[0][0]
    assert charts[2][0] == "The protocol was not recorded"
    assert charts[0][2].alt == (
        "Curves of the Fréchet distance against the training time: a from 90 after 2 min 0 s "
        "to 20 after 4 min 0 s and b from 80 after 1 min 0 s to 10 after 3 min 0 s"
    )


def test_losses_come_without_the_score_and_the_same_way_every_time(tmp_path):
    run = make_run(tmp_path, "a", [1, 2, 3, 4])
    picture = loss_curves(run)
    assert picture == loss_curves(run)
    assert picture.uri == loss_curves(make_run(tmp_path, "b")).uri
    assert picture.alt == "Curves of a up to step 4: d loss from 1 to 16"
    kind, _, content = picture.uri.partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert b"<svg" in base64.b64decode(content)
    assert loss_curves(SimpleNamespace(title="x", log={})) is None


def test_what_went_wrong_is_marked(tmp_path):
    run = make_run(tmp_path, "a")
    healthy = loss_curves(run)
    run.folder.path.mkdir()
    (run.folder.path / "health.log").write_text("step 3: modes have collapsed: since step 2 ...\n")
    assert loss_curves(run) != healthy
