"""What the benchmarks make of their numbers, on made-up ones."""

import json

import pytest

from benchmarks.speed import summarize
from benchmarks.time_to_quality import describe, main, protocol_of, read_course, seconds_to
from training_run.run_folder.paths import RunDir

LOG = "step,seconds,frechet_distance\n10,1.0,\n20,2.0,9.5\n30,3.0,\n40,4.0,7.5\n50,5.0,8.25\n"


@pytest.fixture
def make_run(tmp_path):
    def make(number, seed, features="classifier"):
        run = RunDir(tmp_path / f"{number:05d}-some")
        (run.path / "best").mkdir(parents=True)
        run.config.write_text(f"family: gan\nname: some\nseed: {seed}\n")
        run.log.write_text(LOG)
        protocol = {"features": features, "seed": seed}
        (run.path / "best/score.json").write_text(json.dumps({"protocol": protocol}))
        return run

    return make


def test_a_course_is_the_rows_that_have_a_score(make_run):
    course = read_course(make_run(1, seed=3))
    assert (course.preset, course.seed) == ("some", 3)
    assert course.points == [(2.0, 9.5), (4.0, 7.5), (5.0, 8.25)]
    assert [seconds_to(course, target) for target in (9.5, 8, 7)] == [2.0, 4.0, None]
    words = " ".join(describe(course, 7).split())
    assert words == "some seed 3 7 after never least 7.50 last 8.25 after 5 s"


def test_only_runs_scored_alike_share_a_plot(make_run, tmp_path, capsys):
    one, same, other = make_run(1, 0), make_run(2, 1), make_run(3, 0, features="others")
    assert protocol_of(one) == protocol_of(same) != protocol_of(other)
    out = tmp_path / "plot.png"
    with pytest.raises(SystemExit, match="expected runs that were scored by one protocol"):
        main([str(one.path), str(other.path), "--out", str(out)])
    assert not out.exists()
    main([str(one.path), str(same.path), "--out", str(out)])
    assert out.stat().st_size > 0
    assert capsys.readouterr().out.count("least   7.50") == 2


def test_ratios_are_of_the_same_round():
    times = {"ours": [2.0, 4.0, 3.0], "stock_fit": [6.0, 8.0, 9.0], "floor": [1.0, 3.0, 2.0]}
    rows = summarize({"milliseconds": times})
    assert rows == [("ours", 3.0, 1.0), ("stock_fit", 8.0, 3.0), ("floor", 2.0, 2 / 3)]
