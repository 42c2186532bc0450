"""Colours of the page and of its curves can be told apart: WCAG 2.2, level AA."""

import re
from pathlib import Path

import pytest

import gan_vs_vae
from training_run.pictures.curves import COLORS, NAME_COLORS, PALE_TEXT, TEXT

CSS = (Path(gan_vs_vae.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")

TEXT_ON = [
    (ink, paper) for ink in ("ink", "faint", "accent") for paper in ("paper", "card", "shade")
] + [("accent-ink", "accent")]


def schemes():
    """Name of a scheme to its custom properties: dark ones replace light ones."""
    light, dark, printed = re.findall(r":root \{([^}]*)\}", CSS)
    properties = {}
    for name, text in (("light", light), ("dark", light + dark), ("print", light + printed)):
        properties[name] = dict(re.findall(r"--([a-z-]+): *(#[0-9a-f]+)", text))
    return properties


def luminance(color):
    """Relative luminance of "#rgb" or "#rrggbb"."""
    digits = color.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    values = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """(L1 + 0.05) / (L2 + 0.05), the lighter first."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.478, abs=1e-3)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_can_be_read(scheme):
    colors = schemes()[scheme]
    for ink, paper in TEXT_ON:
        if (scheme, ink) != ("print", "accent-ink"):  # buttons are not printed
            assert contrast(colors[ink], colors[paper]) >= 4.5, (ink, paper)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_the_dots_of_runs_and_what_has_the_focus_can_be_seen(scheme):
    colors = schemes()[scheme]
    for dot in COLORS:
        assert contrast(dot, colors["card"]) >= 3, dot
    assert contrast(colors["accent"], colors["paper"]) >= 3


def test_curves_their_names_and_their_numbers_can_be_seen_on_white():
    assert all(contrast(color, "#fff") >= 3 for color in COLORS)
    assert all(contrast(color, "#fff") >= 4.5 for color in (*NAME_COLORS, TEXT, PALE_TEXT))


def test_no_colour_of_the_page_escapes_the_test():
    """Beside the custom properties, only the white paper of curves."""
    rules = re.sub(r":root \{[^}]*\}", "", CSS)
    assert set(re.findall(r"#[0-9a-fA-F]{3,6}\b", rules)) == {"#fff"}
