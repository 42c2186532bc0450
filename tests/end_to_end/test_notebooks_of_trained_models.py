"""The notebooks on trained models. What their texts say of the results is checked."""

import json
import re

import pytest

from tests.notebooks.execution import execute, printed, shown

pytestmark = pytest.mark.network


def distances_of(notebook):
    """What the cell "scores" has printed: the name that begins a line to the number behind it."""
    rows = re.findall(r"^(\S.*?) +(\d+\.\d+)", printed(notebook, "scores"), re.MULTILINE)
    return {name: float(number) for name, number in rows}


def test_a_prior_fitted_to_the_codes_gives_better_samples(tmp_path):
    notebook = execute("3_where_the_codes_are", tmp_path)
    distances = distances_of(notebook)
    assert distances["N(0, I)"] > 3 * distances["10 Gaussians"]
    assert distances["1 Gaussian"] > 0.6 * distances["N(0, I)"]  # "little better"
    assert distances["10 Gaussians"] > distances["100 Gaussians"]


def test_clipping_and_denoising_clean_the_samples(tmp_path):
    notebook = execute("4_clipping_and_denoising", tmp_path)
    share = int(re.search(r"(\d+)% of the generated", printed(notebook, "histogram"))[1])
    assert 20 < share < 60
    distances = distances_of(notebook)
    assert distances["raw"] > distances["clipped"] > distances["denoised"]
    assert distances["denoised"] > 3 * distances["floor"]  # "far from the floor"


def test_own_images_give_a_gif_and_samples_of_each_class(tmp_path):
    notebook = execute("5_your_own_images", tmp_path)
    (run,) = (tmp_path / "outputs").glob("*-gan_images")
    environment = json.loads((run / "environment.json").read_text())
    assert environment["data"]["class_names"] == ["fish", "house", "tree"]
    assert shown(notebook, "gif") >= {"image/gif"}
    assert "(24, 32, 32, 3) uint8" in printed(notebook, "sample")
    assert (run / "quality.json").is_file()
