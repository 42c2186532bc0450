"""The report in a real browser, where one is installed."""

import pytest


@pytest.fixture
def page(browser, report):
    """The report just opened from disk, 1400 pixels wide."""
    resize(browser, 1400)
    browser.get(report.as_uri())
    return browser


def resize(browser, width, **more):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False, **more}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def moving(page):
    """(source, caption, alt) of the first run's progress."""
    return page.execute_script(
        "const one = document.querySelector('.moving'), image = one.querySelector('img');"
        "return [image.src, one.querySelector('.step').textContent, image.alt]"
    )


def test_it_opens_without_a_word_and_with_all_pictures(page):
    broken = page.execute_script(
        "return Array.from(document.images).filter(i => !i.complete || !i.naturalWidth).length"
    )
    assert broken == 0
    assert page.execute_script("return document.images.length") == 20
    assert page.get_log("browser") == []


def test_the_slider_moves_frames_and_captions(page):
    source, caption, alt = moving(page)
    assert caption.startswith("step 40 of 40")
    slider = page.find_element("id", "slider")
    assert slider.is_displayed()
    slider.send_keys("\ue011")  # Home
    first, first_caption, first_alt = moving(page)
    assert (first_caption.partition(" ·")[0], first == source) == ("step 0 of 40", False)
    assert first_alt != alt
    assert slider.get_attribute("aria-valuetext") == "0% of the training"
    slider.send_keys("\ue014")  # arrow to the right
    assert moving(page)[1].startswith("step 10 of 40")
    assert page.get_log("browser") == []


def test_play_goes_through_to_the_end_and_pause_stops(page):
    from selenium.webdriver.support.ui import WebDriverWait

    button = page.find_element("id", "play")
    button.click()
    assert button.text == "Pause"
    soon = WebDriverWait(page, 10, poll_frequency=0.05)
    soon.until(lambda _: moving(page)[1].startswith("step 20 of 40"))
    button.click()
    assert button.text == "Play"
    button.click()
    soon.until(lambda _: button.text == "Play")
    assert moving(page)[1].startswith("step 40 of 40")


@pytest.mark.parametrize("width", [320, 375, 768, 1400])
def test_the_page_never_scrolls_sideways(page, width):
    resize(page, width, mobile=width < 768)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 667)])
def test_samples_are_side_by_side_on_the_first_screen(page, width, height):
    """Of two runs, that is; of three, a phone shows two."""
    resize(page, width, height=height, mobile=width < 768)
    boxes = page.execute_script(
        "return Array.from(document.querySelectorAll('.first img')).slice(0, 2)"
        ".map(image => image.closest('.grid').getBoundingClientRect().toJSON())"
    )
    left, right = boxes
    assert left["top"] == right["top"]
    assert left["right"] < right["left"] and right["right"] <= width
    assert left["bottom"] <= height
    assert page.execute_script("return document.querySelector('h1').offsetTop") < left["top"]


def test_paper_gets_the_last_pictures_and_everything_unfolded(page):
    page.find_element("id", "slider").send_keys("\ue011")
    page.execute_script(
        "dispatchEvent(new Event('beforeprint'));"
        "window.printed = [document.querySelectorAll('details:not([open])').length,"
        " document.querySelector('.step').textContent];"
        "dispatchEvent(new Event('afterprint'));"
    )
    folded, caption = page.execute_script("return window.printed")
    assert folded == 0
    assert caption.startswith("step 40 of 40")
    assert moving(page)[1].startswith("step 0 of 40")
    assert page.execute_script("return document.querySelectorAll('details[open]').length") == 0


def test_without_scripts_the_last_pictures_are_shown(browser, report):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(report.as_uri())
        assert not browser.find_element("id", "controls").is_displayed()
        caption = browser.find_element("css selector", ".moving .step").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert caption.startswith("step 40 of 40")
