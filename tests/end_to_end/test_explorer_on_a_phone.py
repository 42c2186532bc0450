"""The page of the bundled models on a slow phone with a slow connection."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from latent_explorer.command import main
from tests.latent_explorer.test_browser import open_page, pixels, resize, settle, wait

MEGABYTE = 1_000_000
LARGEST = 4.5 * MEGABYTE
FAST_3G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8}
"""Milliseconds, and bytes a second."""


@pytest.fixture(scope="module")
def bundled_page(tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "explore.html"
    assert main(["bundled:gan_fast", "bundled:vae_fast", "--out", str(out)]) == 0
    return out


@pytest.fixture
def address(bundled_page):
    """Where a server of this machine has the page."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=bundled_page.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{bundled_page.name}"
        server.shutdown()


def test_both_models_fit_into_a_mail(bundled_page):
    assert bundled_page.stat().st_size <= LARGEST


def test_it_loads_over_3g_on_a_slow_processor(browser, address):
    resize(browser, 375, 812, mobile=True)
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {**FAST_3G, "uploadThroughput": 100_000}
    )
    browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 4})
    try:
        browser.set_page_load_timeout(120)
        browser.get_log("browser")
        browser.get(address)
        ready = "return document.documentElement.dataset.ready"
        wait(browser, lambda: browser.execute_script(ready), seconds=120)
        settle(browser)
        assert not browser.find_element("id", "loading").is_displayed()
        before = pixels(browser, "picture")
        browser.find_element("id", "pad").send_keys("\ue014" * 8)  # arrows to the right
        settle(browser)
        assert pixels(browser, "picture") != before
        assert browser.get_log("browser") == []
    finally:
        browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 1})
        browser.execute_cdp_cmd("Network.disable", {})


def test_the_bundled_gan_draws_the_same_in_the_page_as_in_keras(browser, bundled_page):
    import keras
    import numpy as np

    network = keras.saving.load_model("training_run/models/gan_fast/generator.keras", compile=False)
    z = np.random.default_rng(0).normal(size=(20, 100)).astype(np.float32)
    expected = (np.asarray(network(z)).reshape(20, -1) + 1) / 2
    open_page(browser, bundled_page)
    found = browser.execute_script(
        "return arguments[0].map((z) => Array.from(explorer.model.draw(z)))", z.tolist()
    )
    assert np.abs(np.array(found) - expected).mean() < 1 / 255  # 8 bits a weight
