"""The page in a real browser: every panel answers to the hand, and nothing leaves the page."""

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.latent_explorer.conftest import NAME


def resize(browser, width, height=900, **more):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False, **more}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def wait(browser, condition, seconds=20):
    return WebDriverWait(browser, seconds, poll_frequency=0.05).until(lambda _: condition())


def open_page(browser, page, fragment=""):
    browser.get("about:blank")  # a fragment alone would not load the page anew
    browser.get(page.as_uri() + fragment)
    wait(browser, lambda: browser.execute_script("return document.documentElement.dataset.ready"))


@pytest.fixture
def explorer(browser, page):
    """The page just opened, 1280 pixels wide, at the GAN. It must end without a word."""
    resize(browser, 1280)
    browser.get_log("browser")
    open_page(browser, page)
    yield browser
    assert browser.get_log("browser") == []


@pytest.fixture
def vae(explorer):
    """The page at the VAE."""
    explorer.find_element("id", "tab-1").click()
    wait(explorer, lambda: explorer.find_element("id", "sketch-panel").is_displayed())
    settle(explorer)
    return explorer


def settle(browser):
    """Wait for the frames in which a change is shown."""
    browser.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def pixels(browser, name):
    """The pixels of a canvas, as its data address."""
    return browser.execute_script(f"return document.getElementById('{name}').toDataURL()")


def latent(browser):
    return browser.execute_script("return Array.from(explorer.state.z)")


def drag(browser, name, *moves):
    """Press in the middle of an element, move by each (x, y), let go."""
    element = browser.find_element("id", name)
    actions = ActionChains(browser, duration=20).move_to_element(element).click_and_hold()
    for x, y in moves:
        actions.move_by_offset(x, y)
    actions.release().perform()
    settle(browser)


def test_dragging_changes_the_picture_and_leaves_a_trail(explorer):
    before, trail = pixels(explorer, "picture"), pixels(explorer, "pad")
    drag(explorer, "pad", (90, 0), (0, -90))
    assert pixels(explorer, "picture") != before
    assert pixels(explorer, "pad") != trail
    assert explorer.find_element("id", "pad-place").text != "0.00, 0.00"


def test_arrow_keys_move_along_one_direction(explorer):
    pad = explorer.find_element("id", "pad")
    pad.send_keys(Keys.ARROW_RIGHT)
    settle(explorer)
    first = latent(explorer)
    pad.send_keys(Keys.ARROW_RIGHT)
    settle(explorer)
    second = latent(explorer)
    direction = explorer.execute_script("return Array.from(explorer.state.plane.first)")
    assert sum(d * d for d in direction) == pytest.approx(1, abs=1e-5)
    moved = [b - a for a, b in zip(first, second, strict=True)]
    length = sum(m * d for m, d in zip(moved, direction, strict=True))
    assert length > 0.04 * 1.5  # a 25th of the half side
    assert moved == pytest.approx([length * d for d in direction], abs=1e-3)


def test_a_bar_is_one_latent(explorer):
    before = latent(explorer)
    bars = explorer.find_element("id", "latents")
    bars.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    settle(explorer)
    changed = [b - a for a, b in zip(before, latent(explorer), strict=True)]
    assert changed == pytest.approx([0, 0.1, 0, 0], abs=1e-5)
    assert "latent 2 of 4" in explorer.find_element("id", "latent-name").text


def test_new_pin_and_walk(explorer):
    frames = "#walk-line canvas"
    explorer.find_element("id", "new").click()
    explorer.find_element("id", "pin").click()
    settle(explorer)
    assert len(explorer.find_elements("css selector", "#pins li")) == 3
    assert len(explorer.find_elements("css selector", frames)) == 11
    ends = explorer.execute_script(
        f"const all = [...document.querySelectorAll('{frames}')];"
        "return [all[0].toDataURL(), all[5].toDataURL(), all[10].toDataURL()]"
    )
    assert len(set(ends)) == 3
    assert ends[2] == pixels(explorer, "picture")  # the last pin is what was just drawn
    explorer.find_elements("css selector", "#walk-line button")[0].click()
    settle(explorer)
    assert pixels(explorer, "picture") == ends[0]
    for _ in range(2):
        explorer.find_element("css selector", "#pins .remove").click()
        settle(explorer)
    assert explorer.find_element("id", "walk-note").is_displayed()


def test_a_minus_a_plus_c_is_c(explorer):
    for name, value in (("sum-a", "A"), ("sum-b", "A"), ("sum-c", "B")):
        Select(explorer.find_element("id", name)).select_by_value(value)
    explorer.find_element("id", "sum-go").click()
    settle(explorer)
    pin = explorer.execute_script("return Array.from(explorer.state.pins[1].z)")
    assert latent(explorer) == pytest.approx(pin, abs=1e-5)


def test_the_plane_through_three_pins_holds_them(explorer):
    for _ in range(3):
        explorer.find_element("id", "new").click()
        settle(explorer)
        explorer.find_element("id", "pin").click()
        settle(explorer)
    Select(explorer.find_element("id", "plane")).select_by_value("pins")
    settle(explorer)
    assert explorer.find_element("id", "axis-x").text.startswith("from A to B")
    explorer.find_element("id", "flatten").click()
    settle(explorer)
    pin = explorer.execute_script("return Array.from(explorer.state.pins[0].z)")
    assert latent(explorer) == pytest.approx(pin, abs=1e-4)


def test_the_logit_is_shown_with_its_gradient(explorer):
    assert explorer.find_element("id", "logit").text
    assert not explorer.find_element("id", "overlay").is_displayed()
    explorer.find_element("id", "show-gradient").click()
    settle(explorer)
    assert explorer.find_element("id", "overlay").is_displayed()
    slope, difference = explorer.execute_script(
        "const m = explorer.model, x = m.draw(explorer.state.z);"
        "const { gradient } = m.judge(x); const at = 20, d = 0.01;"
        "const up = x.slice(), down = x.slice(); up[at] += d; down[at] -= d;"
        "const width = m.range[1] - m.range[0];"
        "return [gradient[at], (m.judge(up).logit - m.judge(down).logit) / (2 * d * width)]"
    )
    assert slope == pytest.approx(difference, abs=0.02 * max(1, abs(slope)))


def test_time_goes_back_to_earlier_networks(explorer):
    slider = explorer.find_element("id", "moment")
    assert explorer.find_element("id", "moment-value").text == "trained"
    trained = pixels(explorer, "picture")
    slider.send_keys(Keys.ARROW_LEFT)
    settle(explorer)
    assert explorer.find_element("id", "moment-value").text == "step 20"
    later = pixels(explorer, "picture")
    slider.send_keys(Keys.HOME)
    settle(explorer)
    assert explorer.find_element("id", "moment-value").text == "step 0"
    assert len({trained, later, pixels(explorer, "picture")}) == 3
    slider.send_keys(Keys.END)
    settle(explorer)
    assert pixels(explorer, "picture") == trained


def test_truncation_brings_samples_together(explorer):
    def spread():
        return explorer.execute_script(
            "const all = [...document.querySelectorAll('#samples-normal canvas')];"
            "return new Set(all.map(c => c.toDataURL())).size"
        )

    assert spread() == 24
    before = pixels_of_samples(explorer)
    slider = explorer.find_element("id", "truncation")
    slider.send_keys(Keys.HOME)
    settle(explorer)
    assert explorer.find_element("id", "truncation-value").text == "±0.1"
    assert pixels_of_samples(explorer) != before
    explorer.find_element("id", "temperature").send_keys(Keys.HOME)
    settle(explorer)
    assert spread() == 1  # all are the picture of the origin


def pixels_of_samples(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('#samples-normal canvas')].map(c => c.toDataURL())"
    )


def test_drawing_and_erasing_change_the_reconstruction(vae):
    vae.find_element("id", "sketch-clear").click()
    settle(vae)
    empty = pixels(vae, "back")
    drag(vae, "sketch", (60, 10), (-30, 60))
    drawn = pixels(vae, "back")
    assert drawn != empty
    vae.find_element("id", "tool-erase").click()
    drag(vae, "sketch", (60, 10))
    assert pixels(vae, "back") != drawn
    vae.find_element("id", "sketch-go").click()
    settle(vae)
    assert pixels(vae, "picture") == pixels(vae, "back")


def test_a_real_image_reaches_the_encoder_as_it_is(vae):
    vae.find_elements("css selector", "#examples button")[2].click()
    settle(vae)
    seen, image = vae.execute_script(
        "const canvas = document.getElementById('seen');"
        "const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        "return [Array.from(data).filter((_, i) => i % 4 === 0),"
        " Array.from(explorer.model.real.testImage(2), v => Math.round(255 * v))]"
    )
    assert seen == image


def test_a_pen_moved_by_keys_draws(vae):
    vae.find_element("id", "sketch-clear").click()
    settle(vae)
    empty = pixels(vae, "back")
    vae.find_element("id", "sketch").send_keys(" ", *[Keys.ARROW_RIGHT] * 6)
    settle(vae)
    assert pixels(vae, "back") != empty


def test_panels_are_those_of_the_family(explorer):
    assert not explorer.find_element("id", "sketch-panel").is_displayed()
    assert explorer.find_element("id", "show-gradient").is_displayed()
    explorer.find_element("id", "tab-1").click()
    settle(explorer)
    assert explorer.find_element("id", "sketch-panel").is_displayed()
    assert not explorer.find_element("id", "show-gradient").is_displayed()
    explorer.find_element("id", "tab-0").click()
    settle(explorer)
    assert not explorer.find_element("id", "sketch-panel").is_displayed()


def test_a_link_gives_the_same_picture(explorer, page):
    drag(explorer, "pad", (50, 30))
    picture, z = pixels(explorer, "picture"), latent(explorer)
    explorer.find_element("id", "copy").click()
    link = explorer.execute_script("return location.hash")
    open_page(explorer, page, link)
    settle(explorer)
    assert latent(explorer) == pytest.approx(z, abs=1 / 4096)
    assert explorer.execute_script("return explorer.state.model") == 0
    assert len(pixels(explorer, "picture")) == pytest.approx(len(picture), rel=0.2)


@pytest.mark.parametrize("fragment", ["#z=%%%", "#run=nobody&z=AAAA", "#run=&z=", "#hello"])
def test_a_wrong_link_is_passed_over(browser, page, fragment):
    browser.get_log("browser")
    open_page(browser, page, fragment)
    assert browser.execute_script("return explorer.state.model") == 0
    assert browser.get_log("browser") == []


def test_a_name_with_html_stays_text(explorer):
    assert NAME in explorer.find_element("id", "tab-0").text
    assert explorer.find_elements("css selector", "b b, #tab-0 b") == []
    assert NAME in explorer.title


def test_the_tour_has_five_stops(explorer):
    explorer.find_element("id", "tour").click()
    questions = []
    for number in range(1, 6):
        assert explorer.find_element("id", "tour-count").text == f"{number} of 5"
        questions.append(explorer.find_element("id", "tour-question").text)
        explorer.find_element("id", "tour-next").click()
    assert len(set(questions)) == 5
    assert not explorer.find_element("id", "tour-card").is_displayed()


def test_no_request_leaves_the_page_and_none_could(explorer):
    explorer.get_log("performance")
    drag(explorer, "pad", (50, 30))
    blocked = explorer.execute_async_script(
        "const done = arguments[0];"
        "fetch('https://example.org/').then(() => done('sent'), () => done('refused'))"
    )
    assert blocked == "refused"
    violations = [entry["message"] for entry in explorer.get_log("browser")]
    assert len(violations) >= 1
    assert all("Content Security Policy" in message for message in violations)
    sent = [m for m in explorer.get_log("performance") if "Network.responseReceived" in str(m)]
    assert sent == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_page_never_scrolls_sideways(explorer, width):
    resize(explorer, width, mobile=width < 768)
    for tab in ("tab-1", "tab-0"):
        explorer.find_element("id", tab).click()
        settle(explorer)
        wide = explorer.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
    resize(explorer, 1280)


def test_a_finger_moves_through_the_plane(explorer):
    resize(explorer, 375, 812, mobile=True)
    settle(explorer)
    before = pixels(explorer, "picture")
    x, y = explorer.execute_script(
        "const pad = document.getElementById('pad'); pad.scrollIntoView({ block: 'center' });"
        "const box = pad.getBoundingClientRect();"
        "return [box.left + box.width / 4, box.top + box.height / 4]"
    )
    scrolled = explorer.execute_script("return scrollY")
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 40, "y": y + 90}]),
        ("touchEnd", []),
    ):
        explorer.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settle(explorer)
    assert pixels(explorer, "picture") != before
    assert explorer.execute_script("return scrollY") == scrolled  # the finger moved the ring alone
    resize(explorer, 1280)


def test_nothing_moves_by_itself_for_who_prefers_stillness(browser, page):
    preference = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})
    try:
        open_page(browser, page)
        browser.execute_script("document.getElementById('loop').scrollIntoView()")
        settle(browser)
        settle(browser)
        assert browser.find_element("id", "play").text == "Play"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    open_page(browser, page)
    browser.execute_script("document.getElementById('loop').scrollIntoView()")
    wait(browser, lambda: browser.find_element("id", "play").text == "Pause")
