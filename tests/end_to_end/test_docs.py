"""The documentation builds without a warning, is complete, and needs no network to be read."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import gan_mnist
import gan_vs_vae
import latent_explorer
import sample_quality
import vae_mnist
from gan_mnist.config import GANConfig
from gan_mnist.denoiser.config import DenoiserConfig
from training_run.config.load import preset_files
from training_run.config.messages import dotted_keys
from vae_mnist.config import VAEConfig

ROOT = Path(__file__).resolve().parents[2]

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_pages_load_nothing_from_elsewhere(site):
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]*src=\"?(?:https?:)?//|<link[^>]*href=\"?https?://"
    )
    pages = list(site.rglob("*.html"))
    assert [page.name for page in pages if loaded.search(page.read_text("utf-8"))] == []
    assert len(pages) > 25


@pytest.mark.parametrize(
    ("family", "config_class"),
    [("gan", GANConfig), ("vae", VAEConfig), ("denoiser", DenoiserConfig)],
)
def test_every_key_has_a_row_that_says_what_it_does(site, family, config_class):
    text = (site / "keys" / f"{family}.html").read_text("utf-8")
    row = re.compile(r"<tr>\s*<td><code>([\w.]+)</code></td>\s*<td>(.*?)</td>", re.DOTALL)
    rows = row.findall(text)
    sections = {key.rpartition(".")[0] for key in dotted_keys(config_class)}
    assert {key for key, _ in rows} == set(dotted_keys(config_class)) - sections
    assert [key for key, what_it_does in rows if len(what_it_does) < 5] == []


def test_every_preset_is_on_the_page_of_presets_with_its_time(site):
    text = (site / "presets.html").read_text("utf-8")
    rows = re.findall(r'<td><a href="#(\w+)">.*?</td>\s*<td>(.+?)</td>\s*<td>(.+?)</td>', text)
    assert sorted(name for name, _, _ in rows) == [path.stem for path in preset_files()]


@pytest.mark.parametrize(
    "package", [gan_mnist, vae_mnist, sample_quality, gan_vs_vae, latent_explorer]
)
def test_every_public_name_is_explained(site, package):
    text = "".join(page.read_text("utf-8") for page in (site / "api").glob("*.html"))
    explained = set(re.findall(r'<h2 id="([\w.]+)" class="doc', text))
    assert {f"{package.__name__}.{name}" for name in package.__all__} <= explained


def test_commands_on_the_pages_exist():
    """Modules after `python -m`, presets after `--config`, and goals after `make`."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    modules = set(re.findall(r"python -m ([a-z][\w.]+\w)", text)) - {"venv"}
    assert [name for name in modules if not module_exists(name)] == []
    presets = set(re.findall(r"--config (\w+)(?![\w./])", text)) - {"NAME", "NAME_OR_PATH", "my"}
    assert presets <= {path.stem for path in preset_files()}
    goals = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert goals <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def module_exists(name):
    """True for a module, or a package that is a command."""
    return find_spec(name) is not None


def test_links_between_files_lead_somewhere():
    """As they are on a page of the repository; mkdocs checks them on the site."""
    missing = []
    for page in PAGES:
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        paths = [os.path.normpath(page.parent / link) for link in links if "://" not in link]
        missing += [f"{page.name}: {path}" for path in paths if not os.path.exists(path)]
    assert missing == []


def hook_named(name):
    """A module of docs/hooks/."""
    spec = spec_from_file_location(name, ROOT / "docs" / "hooks" / f"{name}.py")
    hook = module_from_spec(spec)
    spec.loader.exec_module(hook)
    return hook


def test_choices_are_written_as_yaml_has_them(site):
    text = (site / "keys" / "gan.html").read_text("utf-8")
    row = text.split("<code>training.jit_compile</code>")[1].split("</tr>")[0]
    for choice in ("true", "false", "auto"):
        assert f"<code>{choice}</code>" in row


def test_a_minus_before_a_term_has_no_space_and_a_minimum_has_its_variable_below():
    to_mathml = hook_named("shown").to_mathml
    signed = '<mo form="prefix">&#x02212;</mo>'
    for formula in ("a = -b", "f(-b)", "[-b]"):
        assert to_mathml(formula, display="inline").count(signed) == 1
    assert signed not in to_mathml("a - b", display="inline")
    assert "<munder>" in to_mathml(r"\min_G V", display="block")


def test_a_logarithm_stands_apart_from_its_letter_and_a_distribution_from_its_sign():
    to_mathml = hook_named("shown").to_mathml
    assert '<mi>log</mi><mspace width="0.167em" /><mi>D</mi>' in to_mathml(
        r"\log D", display="inline"
    )
    assert "mspace" not in to_mathml(r"\log(D)", display="inline")
    assert "<mo>&#x0223C;</mo>" in to_mathml(r"z \sim N", display="inline")


def test_a_notebook_keeps_its_formulas_and_pictures():
    hook = hook_named("notebooks")
    outputs = [
        new_output("display_data", {"image/png": "UE5H"}),
        new_output("display_data", {"image/gif": "R0lG"}),
        new_output("stream", text="5 $ and 6 $"),
    ]
    text = "# Title\n\nA code $z_1$ costs\n$$x^2$$"
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell("x", outputs=outputs)])
    page, pictures = hook.to_markdown(notebook, "name", is_run=False)
    assert page.startswith("# Title\n\nA code `#!math z_1` costs\n\n\n```math\nx^2\n```\n")
    assert list(pictures.values()) == [b"PNG"]
    assert f"](./{next(iter(pictures))})" in page
    assert '<img src="data:image/gif;base64,R0lG">' in page
    assert "```python\nx\n```" in page
    assert "    5 $ and 6 $" in page
