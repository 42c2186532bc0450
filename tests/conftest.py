"""What tests of several packages share."""

import os

import pytest

from tests.browser import start_browser, untested
from tests.soak import tiny

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory):
    """A local `.npz` of 60 labelled 8x8 images, bars at ten heights: a path for `data.path`."""
    return tiny.write_images(tmp_path_factory.mktemp("data") / "tiny.npz")


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory, tiny_data):
    """A cache folder with a classifier of the tiny images, for `GAN_VAE_MNIST_CACHE`."""
    return tiny.write_classifier(tmp_path_factory.mktemp("cache"), tiny_data)


@pytest.fixture(scope="session")
def browser():
    """A selenium driver of Chromium; tests are skipped, or in CI fail, where there is none."""
    driver = start_browser()
    yield driver
    driver.quit()


def pytest_terminal_summary(terminalreporter):
    """Say in one line what was not tested."""
    line = untested(terminalreporter.stats.get("skipped", ()))
    if line:
        terminalreporter.write_line(line)
