import pytest

from gan_vs_vae.wording import duration, join_with_and, number, percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.908859, "7.91"), (0.7644, "0.764"), (31.39, "31.4"), (1234.5, "1,234"), (100, "100"),
        (2.0, "2"), (0, "0"), (-3.139e-4, "−0.0003"), (-1e-5, "0"), (None, "–"), (99.96, "100.0"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_no_exponent(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(47.6, "48 s"), (59.7, "1 min 0 s"), (344, "5 min 44 s"), (4320, "1 h 12 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_spread_needs_fewer_digits():
    assert number(0.2236, 2) == "0.22"


def test_lists_and_shares():
    assert join_with_and(["a"]) == "a"
    assert join_with_and(["a", "b"]) == "a and b"
    assert join_with_and(["a", "b", "c"]) == "a, b and c"
    assert [percent(0.1492), percent(0), percent(1)] == ["14.9%", "0%", "100%"]
