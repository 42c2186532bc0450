"""The policy on tests of pages where there is no browser."""

from types import SimpleNamespace

import pytest

from tests.browser import give_up, start_browser, untested


def skipped(reason):
    return SimpleNamespace(longrepr=("file.py", 1, f"Skipped: {reason}"))


def test_a_user_without_a_browser_is_told_what_was_not_tested(monkeypatch):
    monkeypatch.delenv("REQUIRE_BROWSER", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception) as skip:
        start_browser()
    lines = untested([skipped(skip.value.msg), skipped(skip.value.msg), skipped("no network")])
    assert lines == (
        "not tested: 2 tests of pages, no browser: chromium and chromedriver are needed "
        "(Debian: chromium, chromium-driver)"
    )
    assert untested([skipped("no network")]) is None


def test_where_a_browser_is_required_a_skip_is_a_failure(monkeypatch):
    monkeypatch.setenv("REQUIRE_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="REQUIRE_BROWSER is set, but it is missing"):
        give_up("it is missing")
