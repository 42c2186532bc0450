"""Chromium without a window, for tests of pages; and what happens where it, or node, is missing."""

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")

NO_BROWSER = "no browser: "
"""How the reason begins for which a test is skipped."""


def start_browser():
    """A selenium driver of a Chromium that records console and requests. The caller quits it.

    Without selenium, Chromium or its driver the test is skipped, or fails if the environment
    variable REQUIRE_BROWSER is set.
    """
    try:
        from selenium import webdriver
        from selenium.common.exceptions import SessionNotCreatedException
    except ImportError:
        give_up("selenium is not installed")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        give_up("chromium and chromedriver are needed (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in ARGUMENTS:
        options.add_argument(argument)
    try:
        return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    except SessionNotCreatedException as error:
        give_up(f"chromium does not start here: {error.msg}")


def give_up(reason):
    """Skip the test; where a browser is required, fail it."""
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"REQUIRE_BROWSER is set, but {reason}", pytrace=False)
    pytest.skip(NO_BROWSER + reason)


def untested(skipped):
    """One line that says how many tests lacked a browser, and why; None if none did.

    Args:
        skipped: reports of skipped tests, whose `longrepr` is (file, line, reason).
    """
    reasons = [str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped]
    reasons = [reason for reason in reasons if reason.startswith(NO_BROWSER)]
    if not reasons:
        return None
    return f"not tested: {len(reasons)} tests of pages, {reasons[0]}"
