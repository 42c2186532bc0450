"""Scores in a run's folder are used if they are of this network and of the wanted protocol."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from gan_vs_vae import scores
from gan_vs_vae.scores import has_protocols, score_runs, stored_quality
from sample_quality.protocol import Protocol, Quality, Score, read_quality, write_quality
from training_run.data.image_data import make_image_data
from training_run.files import sha256_of_file
from training_run.run_folder.paths import RunDir

PIXELS = Protocol("pixels", "", "test", "e" * 64, 10, 50, 0)


SHARPNESS = Score(0.75, (0.7, 0.8), 0.76, Protocol.of_each(50, 0))


def quality(protocol=PIXELS, checksum="", value=1.0):
    score = Score(value, (0.0, 2.0), 0.0, protocol)
    about = {"run": "x", "network": "generator.keras", "network_sha256": checksum, "notes": []}
    of_each = dict.fromkeys(("sharpness", "fine_detail", "contrast"), SHARPNESS)
    return Quality({**of_each, "duplicated": score}, about)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "generator.keras").write_bytes(b"weights")
    settings = SimpleNamespace(data=None)
    return SimpleNamespace(
        folder=RunDir(tmp_path), network="generator", title="x", settings=settings
    )


def checksum(run):
    return sha256_of_file(run.folder.network(run.network))


def test_only_scores_of_the_network_as_it_is_are_taken(run):
    path = run.folder.path / "quality.json"
    assert stored_quality(run) is None
    write_quality(path, quality(checksum=checksum(run)))
    assert stored_quality(run).scores["duplicated"].value == 1.0
    run.folder.network("generator").write_bytes(b"trained on")
    assert stored_quality(run) is None
    path.write_text("{")
    assert stored_quality(run) is None


def test_another_protocol_or_a_missing_score_does_not_fit():
    assert has_protocols(quality(), {"duplicated": PIXELS})
    assert not has_protocols(quality(), {"duplicated": dataclasses.replace(PIXELS, seed=1)})
    assert not has_protocols(quality(), {"frechet_distance": PIXELS})


@pytest.fixture
def data():
    images = np.zeros((60, 8, 8), np.uint8)
    return make_image_data({"x_train": images[:50], "x_test": images[50:]}, None, "made here")


@pytest.fixture
def measured(monkeypatch, data):
    """Number of runs that were scored; scoring itself is replaced."""
    calls = []

    def measure(folder, name, settings, num, seed):
        calls.append((folder, num, seed))
        return quality(value=7.0, checksum=sha256_of_file(folder.network(name)))

    def measure_pixels(folder, name, settings, data, num, seed):
        calls.append((folder, num, seed))
        return {"sharpness": SHARPNESS}

    monkeypatch.setattr(scores, "measure_run", measure)
    monkeypatch.setattr(scores, "measure_each_image", measure_pixels)
    monkeypatch.setattr(scores, "find_classifier", lambda data, data_config, note: None)
    return calls


def test_a_run_without_scores_is_scored_and_keeps_them(run, data, measured):
    found = score_runs([run], data, 50, 0, report=lambda line: None)
    assert found["x"].scores["duplicated"].value == 7.0
    assert len(measured) == 1
    assert read_quality(run.folder.path / "quality.json") == found["x"]


def test_scores_of_the_wanted_protocol_are_not_computed_again(run, data, measured):
    wanted = scores.wanted_protocols(data, None, 10_000, 0)["duplicated"]
    assert wanted.num_generated == 50  # as many as there are training images
    kept = quality(wanted, checksum(run))
    write_quality(run.folder.path / "quality.json", kept)
    assert score_runs([run], data, 10_000, 0, report=lambda line: None)["x"] == kept
    assert not measured


def test_what_an_older_version_did_not_measure_is_added_and_all_else_stays(run, data, measured):
    wanted = scores.wanted_protocols(data, None, 10_000, 0)["duplicated"]
    older = quality(wanted, checksum(run))
    older = older._replace(scores={"duplicated": older.scores["duplicated"]})
    write_quality(run.folder.path / "quality.json", older)
    found = score_runs([run], data, 50, 0, report=lambda line: None)["x"]
    assert found.scores == {"sharpness": SHARPNESS, **older.scores}
    assert list(found.scores) == ["sharpness", "duplicated"]  # in the order of tables
    assert read_quality(run.folder.path / "quality.json") == found
    assert len(measured) == 1


def test_scores_of_another_protocol_stay_in_the_folder(run, data, measured):
    kept = quality(checksum=checksum(run))
    write_quality(run.folder.path / "quality.json", kept)
    found = score_runs([run], data, 50, 5, report=lambda line: None)
    assert found["x"].scores["duplicated"].value == 7.0
    assert read_quality(run.folder.path / "quality.json") == kept


def test_scores_of_samples_of_another_prior_are_not_taken(run):
    run.network = "decoder"
    (run.folder.path / "decoder.keras").write_bytes(b"weights")
    path = run.folder.path / "quality.json"
    write_quality(path, quality(checksum=checksum(run)))
    assert stored_quality(run)
    (run.folder.path / "prior.npz").write_bytes(b"fitted since")
    assert stored_quality(run) is None
    prior = sha256_of_file(run.folder.path / "prior.npz")
    scored = quality(checksum=checksum(run))
    write_quality(path, scored._replace(about=scored.about | {"prior_sha256": prior}))
    assert stored_quality(run)
