"""Which runs are pooled, and the scores of several."""

import dataclasses
from types import SimpleNamespace

import pytest

from gan_vs_vae.pooling import Entry, pool_runs, pool_scores, pooled_rows
from sample_quality.protocol import Protocol, Quality, Score

PROTOCOL = Protocol("pixels", "", "test", "e" * 64, 100, 100, 0)


def run(title, seed, step=100, **keys):
    values = {"seed": seed, "name": "x", "output_dir": title, "loss": keys or {"c": 1}}
    return SimpleNamespace(
        title=title, values=values, seed=seed, step=step, name="x", folder_name=title
    )


def score(value, margin, protocol=PROTOCOL, parts=()):
    return Score(value, (value - margin, value + margin), 0.5, protocol, parts)


def members(runs):
    return [[run.title for run in entry.runs] for entry in pool_runs(runs)]


def test_seeds_of_one_configuration_are_pooled_in_the_order_given():
    runs = [run("1", 0), run("2", 0, c=2), run("3", 1), run("4", 2)]
    assert members(runs) == [["1", "3", "4"], ["2"]]
    assert [entry.title for entry in pool_runs(runs)] == ["x (seeds 0, 1 and 2)", "2"]


def test_the_same_seed_twice_is_not_two_results():
    assert members([run("1", 0), run("2", 0), run("3", 1)]) == [["1", "3"], ["2"]]


def test_how_a_run_is_watched_and_keys_that_came_later_do_not_matter():
    one, other = run("1", 0), run("2", 1)
    other.values |= {"log": {"every": 7}, "quality": {"every": 500}, "ema": {"decay": None}}
    assert members([one, other]) == [["1", "2"]]


def test_runs_that_stopped_elsewhere_are_not_pooled():
    assert members([run("1", 0), run("2", 1, step=50)]) == [["1"], ["2"]]


def test_titles_of_entries_are_their_own():
    runs = [run(str(k), seed, c=c) for k, (seed, c) in enumerate([(0, 1), (1, 1), (0, 2), (1, 2)])]
    titles = [entry.title for entry in pool_runs(runs)]
    assert titles == ["x (seeds 0 and 1)", "x (seeds 0 and 1) [2]"]


def test_pooled_scores_are_mean_spread_and_the_range_of_all_intervals():
    pooled = pool_scores([score(1.0, 0.5, parts=(0.2,)), score(3.0, 0.1, parts=(0.4,))])
    assert (pooled.value, pooled.low, pooled.high) == (2.0, 0.5, 3.1)
    assert pooled.spread == pytest.approx(2**0.5)
    assert pooled.num_runs == 2
    assert pooled.parts == pytest.approx((0.3,))
    assert pool_scores([score(1.0, 0.5)]).spread is None
    unknown = pool_scores([score(1.0, 0.5), dataclasses.replace(score(2.0, 0.5), interval=None)])
    assert (unknown.low, unknown.high) == (-float("inf"), float("inf"))


def test_rows_hold_scores_of_one_protocol():
    other = dataclasses.replace(PROTOCOL, seed=7)
    entries = [Entry("pair", (run("1", 0), run("2", 1))), Entry("3", (run("3", 0, c=2),))]
    qualities = {
        "1": Quality({"precision": score(1.0, 0.1)}, {}),
        "2": Quality({"precision": score(2.0, 0.1)}, {}),
        "3": Quality({"precision": score(5.0, 0.1, other), "recall": score(0.5, 0.1, other)}, {}),
    }
    found = {(row.name, row.protocol): row.scores for row in pooled_rows(entries, qualities)}
    assert list(found) == [("precision", PROTOCOL), ("precision", other), ("recall", other)]
    assert {title: cell.value for title, cell in found["precision", PROTOCOL].items()} == {
        "pair": 1.5
    }
    assert list(found["precision", other]) == ["3"]
