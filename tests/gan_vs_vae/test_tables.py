"""The table of scores: one protocol to a group, the clear winner in bold."""

import dataclasses
import re
from types import SimpleNamespace

import pytest

from gan_vs_vae.pooling import Measured, Row
from gan_vs_vae.tables import MEANINGS, protocol_in_words, score_table
from sample_quality.protocol import METRICS, Protocol

PROTOCOL = Protocol("mnist classifier", "f" * 64, "test", "e" * 64, 10_000, 5_000, 3)
ENTRIES = [SimpleNamespace(title=title, family="GAN") for title in "ab"]


def html_of(*rows):
    return score_table("Scores", ENTRIES, list(rows), {"a": "#111", "b": "#222"})


def measured(value, margin, spread=None, num_runs=1):
    return Measured(value, value - margin, value + margin, spread, num_runs, ())


def test_every_score_has_its_meaning():
    assert METRICS.keys() <= MEANINGS.keys()


def test_scores_of_two_protocols_are_in_two_groups():
    other = dataclasses.replace(PROTOCOL, num_generated=100)
    html = html_of(
        Row("precision", PROTOCOL, 0.9, {"a": measured(0.8, 0.01)}),
        Row("precision", other, 0.9, {"b": measured(0.7, 0.01)}),
    )
    groups = re.findall(r'scope="rowgroup" colspan="4"><span>([^<]+)<', html)
    assert groups == [f"{protocol_in_words(one)}; seed 3" for one in (PROTOCOL, other)]
    assert html.count("<td>–</td>") == 2


@pytest.mark.parametrize(
    ("name", "margin", "bold"),
    [("precision", 0.01, "0.800"), ("frechet_distance", 0.01, "0.700"), ("precision", 0.1, None),
     ("density", 0.01, None)],
)  # fmt: skip
def test_only_what_is_better_beyond_the_intervals_is_bold(name, margin, bold):
    cells = {"a": measured(0.8, margin), "b": measured(0.7, margin)}
    html = html_of(Row(name, PROTOCOL, 0.9, cells))
    assert re.findall(r"<strong>([^<]+)</strong>", html) == ([bold] if bold else [])


def test_pooled_scores_show_spread_and_number():
    html = html_of(Row("recall", PROTOCOL, 0.9, {"a": measured(0.5, 0.1, 0.02, 3)}))
    assert "0.500 ± 0.020<small>0.400 to 0.600; n = 3</small>" in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "5,000 samples against 10,000 test images (eeeeeeee), seen through the features of "
             "the mnist classifier (ffffffff)"),
        ({"features": "pixels", "features_sha256": "", "split": "train"},
         "5,000 samples against 10,000 training images (eeeeeeee), compared pixel by pixel"),
        ({"features": "pixels", "features_sha256": "", "num_generated": 0},
         "10,000 test images (eeeeeeee), encoded, decoded and compared pixel by pixel"),
        ({"features": "Bernoulli likelihood", "features_sha256": "", "num_generated": 0},
         "10,000 test images (eeeeeeee), Bernoulli likelihood"),
    ],
)  # fmt: skip
def test_protocols_in_words(changes, words):
    assert protocol_in_words(dataclasses.replace(PROTOCOL, **changes)) == words
