"""The table of scores: one group for each protocol, the clearly best in bold."""

import dataclasses
from types import SimpleNamespace

import pytest

from gan_vs_vae.pooling import PooledScore, ScoreRow
from gan_vs_vae.tables import MEANINGS, describe_protocol, score_table
from sample_quality.protocol import EACH_IMAGE, METRICS, Protocol

PROTOCOL = Protocol("mnist classifier", "f" * 64, "test", "e" * 64, 10_000, 5_000, 3)
ENTRIES = [SimpleNamespace(title=title, family="GAN") for title in "ab"]


def groups_of(*rows):
    return score_table(ENTRIES, list(rows)).groups


def pooled(value, margin, spread=None, num_runs=1):
    return PooledScore(value, value - margin, value + margin, spread, num_runs, ())


def test_every_score_has_its_meaning():
    assert METRICS.keys() <= MEANINGS.keys()


def test_scores_of_two_protocols_are_in_two_groups():
    other = dataclasses.replace(PROTOCOL, num_generated=100)
    groups = groups_of(
        ScoreRow("precision", PROTOCOL, 0.9, {"a": pooled(0.8, 0.01)}),
        ScoreRow("precision", other, 0.9, {"b": pooled(0.7, 0.01)}),
    )
    expected = [f"{describe_protocol(one)}; seed 3" for one in (PROTOCOL, other)]
    assert [group.title for group in groups] == expected
    texts = [[cell.text for cell in group.rows[0].cells] for group in groups]
    assert texts == [["0.800", "–", "0.900"], ["–", "0.700", "0.900"]]


@pytest.mark.parametrize(
    ("name", "margin", "bold"),
    [("precision", 0.01, "0.800"), ("frechet_distance", 0.01, "0.700"), ("precision", 0.1, None),
     ("density", 0.01, None)],
)  # fmt: skip
def test_only_what_is_better_beyond_the_intervals_is_bold(name, margin, bold):
    scores = {"a": pooled(0.8, margin), "b": pooled(0.7, margin)}
    (group,) = groups_of(ScoreRow(name, PROTOCOL, 0.9, scores))
    assert [cell.text for cell in group.rows[0].cells if cell.is_bold] == ([bold] if bold else [])


def test_more_precision_than_real_images_is_not_bold():
    scores = {"a": pooled(0.95, 0.01), "b": pooled(0.7, 0.01)}
    (group,) = groups_of(ScoreRow("precision", PROTOCOL, 0.9, scores))
    assert not any(cell.is_bold for cell in group.rows[0].cells)
    assert group.rows[0].note.endswith("higher is better, up to that of real images")


def test_pooled_scores_show_spread_and_number():
    (group,) = groups_of(ScoreRow("recall", PROTOCOL, 0.9, {"a": pooled(0.5, 0.1, 0.02, 3)}))
    assert group.rows[0].cells[0] == ("0.500 ± 0.020", "0.400 to 0.600; n = 3", False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "5,000 samples and 10,000 test images (eeeeeeee), compared in the features of the "
             "mnist classifier (ffffffff)"),
        ({"features": "pixels", "features_sha256": "", "split": "train"},
         "5,000 samples and 10,000 training images (eeeeeeee), compared pixel by pixel"),
        ({"features": "pixels", "features_sha256": "", "num_generated": 0},
         "10,000 test images (eeeeeeee), encoded, decoded and compared pixel by pixel"),
        ({"features": EACH_IMAGE, "features_sha256": "", "num_real": 0},
         "5,000 samples, each image by itself"),
        ({"features": "Bernoulli likelihood", "features_sha256": "", "num_generated": 0},
         "10,000 test images (eeeeeeee), Bernoulli likelihood"),
    ],
)  # fmt: skip
def test_protocols_in_words(changes, words):
    assert describe_protocol(dataclasses.replace(PROTOCOL, **changes)) == words
