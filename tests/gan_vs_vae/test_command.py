"""The command on real small runs: one file with everything in it, or one sentence."""

import re
import shutil
import webbrowser
from html.parser import HTMLParser
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from gan_vs_vae.command import main, report_name
from training_run.errors import UserError
from training_run.run_folder.log import read_log


class Elements(HTMLParser):
    """Start tags of a page, with their attributes; headings and the texts of paragraphs."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def attributes(self, tag):
        return [attributes for found, attributes in self.found if found == tag]


@pytest.fixture(scope="module")
def page(report):
    return report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page)


def test_nothing_is_fetched(page, elements):
    addresses = [
        value
        for _, attributes in elements.found
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "data", "action", "poster")
    ]
    assert addresses
    assert all(
        address.startswith(("data:", "#")) or address == "explore.html" for address in addresses
    )
    assert not re.search(r"url\(|@import|//[a-z]", re.sub(r"data:[^\"]*", "", page))
    assert "default-src 'none'" in page


def test_every_picture_is_described_and_every_link_leads_somewhere(elements):
    images = elements.attributes("img")
    # Samples, progress, neighbours, strips and losses of each run, and real images; and, where a
    # finding is on sharpness, a row of each.
    assert len(images) == 3 * 5 + 1 + 4
    assert all(re.search(r"[0-9]", attributes["alt"]) for attributes in images)
    assert all(len(attributes["alt"]) > 20 for attributes in images)
    assert len({attributes["alt"] for attributes in images}) == len(images)
    anchors = {attributes["id"] for _, attributes in elements.found if "id" in attributes}
    for link in elements.attributes("a"):
        assert link["href"].removeprefix("#") in {"explore.html", *anchors}


def test_the_page_has_a_language_headings_in_order_and_labelled_controls(elements):
    assert elements.attributes("html") == [{"lang": "en"}]
    headings = [tag for tag, _ in elements.found if re.fullmatch("h[1-6]", tag)]
    assert headings == ["h1"] + ["h2"] * 9
    assert {"for": "slider"} in elements.attributes("label")
    for attributes in elements.attributes("th"):
        assert attributes["scope"] in ("col", "row", "rowgroup")


def test_both_families_their_seeds_and_their_scores_are_there(page):
    assert "<h1>GAN versus VAE</h1>" in page
    assert "gan_mlp_smoke (seeds 0 and 1)" in page
    assert "n = 2" in page
    assert "Fréchet distance" in page
    assert "Each seed by itself" in page
    assert "not scored while training" in page
    assert "set quality.every" in page
    assert "Images of tiny: 50 grey training images of 8×8 pixels" in page
    assert "encodings of two test images" in page
    assert "/tmp" not in page


def test_a_run_is_scored_once(report, outputs, tiny_cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    arguments = ["1", "2", "--outputs", str(outputs), "--out", str(tmp_path)]
    assert main([*arguments, "--num", "100"]) == 0
    assert "scoring" not in capsys.readouterr().out


def test_the_same_runs_give_the_same_bytes(
    outputs, tiny_cache, report, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    arguments = ["1", "2", "3", "--outputs", str(outputs), "--out", str(tmp_path / "new" / "one")]
    assert main([*arguments, "--num", "100"]) == 0
    written = tmp_path / "new" / "one" / "report.html"
    assert capsys.readouterr().out.splitlines()[-1] == str(written)
    assert written.read_bytes() == report.read_bytes()
    assert not list(tmp_path.rglob(".tmp-*"))


def test_an_unfinished_run_scored_while_training_without_classifier(
    outputs, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tmp_path / "empty"))
    run = tmp_path / "00001-gan_mlp_smoke"
    shutil.copytree(outputs / "00001-gan_mlp_smoke", run)
    (run / "quality.json").unlink(missing_ok=True)
    header, *rows = (run / "log.csv").read_text().splitlines()
    rows = [f"{row},{score}" for row, score in zip(rows[:3], ("90.5", "", "12.0"), strict=True)]
    (run / "log.csv").write_text("\n".join([f"{header},frechet_distance", *rows]) + "\n")
    assert np.isfinite(read_log(run / "log.csv")["frechet_distance"]).sum() == 2
    assert main([str(run), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "step 30 of 40" in page
    assert "there is no classifier of these images" in page
    assert "quality.every" not in page  # without a classifier, it would be refused
    assert "Curves of the Fréchet distance against the training time" in page
    assert "not scored while training" not in page


def test_each_report_gets_a_folder_of_its_own_and_may_be_shown(
    outputs, report, tiny_cache, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address))
    arguments = ["1", "2", "--outputs", str(outputs), "--num", "100"]
    for number in (1, 2):
        assert main([*arguments, *(["--open"] if number == 2 else [])]) == 0
        folder = outputs / "comparison" / f"0000{number}-gan_mlp_smoke-vae_mlp_smoke"
        assert (folder / "report.html").is_file()
    assert opened == [(folder / "report.html").resolve().as_uri()]
    assert "no browser could be opened" in capsys.readouterr().out  # the function gave None


def test_the_networks_live_in_a_page_beside_the_report(report):
    assert '<a href="explore.html">' in report.read_text()
    page = (report.parent / "explore.html").read_text()
    assert "gan_mlp_smoke" in page and "vae_mlp_smoke" in page


def test_without_a_network_that_the_page_can_run_there_is_no_link(
    outputs, tiny_cache, tmp_path, monkeypatch, capsys
):
    def refuse(runs):
        raise UserError("decoder.keras: the layer Fold cannot be run by the page")

    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    monkeypatch.setattr("latent_explorer.command.make_page", refuse)
    assert main(["1", "--outputs", str(outputs), "--out", str(tmp_path), "--num", "100"]) == 0
    assert "no explore.html beside the report. decoder.keras: the" in capsys.readouterr().out
    assert "explore.html" not in (tmp_path / "report.html").read_text()


def test_a_report_is_never_written_over_an_older_one(report, capsys):
    before = report.read_bytes()
    refused(["1", "--out", str(report.parent)], "expected a folder without a report.html", capsys)
    assert report.read_bytes() == before


def test_help_names_every_form_of_a_run_and_what_is_made_without_one(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for words in ("run folder", "number", "latest", "bundled:NAME", "gan_fast, gan_mlp, vae_fast"):
        assert words in text
    assert "denoiser" not in text
    assert "Without a RUN" in text and "gan_fast, 4,000 steps: about 2 minutes" in text


@pytest.mark.parametrize(
    ("names", "folder"),
    [(("a", "b", "a"), "a-b"), (("../x y",), ".._x_y"), (("n" * 99,), "n" * 80)],
)
def test_a_folder_is_named_by_its_runs(names, folder):
    assert report_name([SimpleNamespace(name=name) for name in names]) == folder


def refused(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--num", "3"], "--num: expected 100"),
        (["--seed", "-1"], "--seed: expected 0"),
        (["7"], "expected the number of a run"),
        (["nowhere"], "expected a run folder"),
        (["1", "--out", "{outputs}/00001-gan_mlp_smoke/log.csv"], "--out: expected a folder"),
    ],
)
def test_bad_usage_is_one_sentence(outputs, options, words, capsys, tmp_path):
    options = [option.format(outputs=outputs) for option in options]
    refused(["1", *options, "--outputs", str(outputs)], words, capsys)


def test_a_network_of_other_images_is_one_sentence(
    outputs, tiny_cache, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("GAN_VAE_MNIST_CACHE", str(tiny_cache))
    run = tmp_path / "00001-x"
    shutil.copytree(outputs / "00001-gan_mlp_smoke", run)
    layers = keras.layers
    other = keras.Sequential(
        [keras.Input((4,)), layers.Dense(16, "tanh"), layers.Reshape((4, 4, 1))]
    )
    other.save(run / "generator.keras")
    refused([str(run), "--out", str(tmp_path / "out")], "expected images of shape", capsys)
    assert not (tmp_path / "out").exists()
