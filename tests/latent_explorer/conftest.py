"""Small runs, really trained, the page in which they live, and a browser for it.

Where REQUIRE_BROWSER is set, as in CI, a missing browser or a missing node is a failure; elsewhere
the tests that need it are skipped.
"""

import os
import shutil

import pytest

from gan_mnist.train import main as train_gan
from latent_explorer.command import main
from tests.soak import tiny
from vae_mnist.train import main as train_vae

NAME = "a <b>run</b> & more"
"""The name of the GAN, which a browser must show as it is."""


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing(what):
    """End a test that needs what is not installed."""
    (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)(what)


@pytest.fixture(scope="session")
def browser():
    """A Chromium without a window."""
    try:
        from selenium import webdriver
        from selenium.common.exceptions import SessionNotCreatedException
    except ImportError:
        missing("no browser: selenium is not installed")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        missing(
            "no browser: chromium and chromedriver are needed (Debian: chromium, chromium-driver)"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    try:
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    except SessionNotCreatedException as error:
        missing(f"no browser: chromium does not start here: {error.msg}")
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def runs(tiny_data, tmp_path_factory):
    """Folder of a GAN with a discriminator and networks of steps 0, 10 and 20, and of a VAE, both
    of 8x8 images."""
    folder = tmp_path_factory.mktemp("runs")
    without_scores = "quality.every=null"
    assert (
        train_gan([*tiny.gan_arguments(tiny_data, folder), without_scores, "explorer.keep=4"]) == 0
    )
    assert train_vae([*tiny.vae_arguments(tiny_data, folder), without_scores]) == 0
    config = folder / "00001-gan_mlp_smoke" / "config.yaml"
    text = config.read_text()
    assert "name: gan_mlp_smoke" in text
    config.write_text(text.replace("name: gan_mlp_smoke", f"name: '{NAME}'"))
    return folder


@pytest.fixture(scope="session")
def page(runs, tmp_path_factory):
    """Path of the page of both runs."""
    out = tmp_path_factory.mktemp("page") / "explore.html"
    assert main(["1", "2", "--outputs", str(runs), "--out", str(out)]) == 0
    return out
