"""Numbers, times and lists as text for a reader."""

import math

MAX_DECIMALS = 4


def number(value, num_digits=3):
    """A number with `num_digits` significant digits and no exponent; "–" for None.

    Example: 7.908 gives "7.91", 0.7644 gives "0.764", 1234.5 gives "1,234".
    """
    if value is None:
        return "–"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = num_digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{value:,.{min(MAX_DECIMALS, max(0, decimals))}f}"
    if not text.strip("-0."):
        return "0"
    if "." in text and value == int(value):
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")


def percent(share):
    """A share of 1 as a percentage: 0.1492 gives "14.9%". Few are not none, and most not all."""
    if share in (0, 1):
        return f"{100 * share:.0f}%"
    text = f"{100 * share:.1f}%"
    return {"0.0%": "under 0.1%", "100.0%": "over 99.9%"}.get(text, text)


def duration(seconds):
    """Seconds in larger units: 344 gives "5 min 44 s"."""
    minutes, seconds = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def join_with_and(texts):
    """Texts as a list in a sentence: "a", "a and b", "a, b and c"."""
    *others, last = texts
    return f"{', '.join(others)} and {last}" if others else last


def interval(score):
    """The interval of a `PooledScore`: "7.43 to 8.39", or "no interval"."""
    if not math.isfinite(score.low):
        return "no interval"
    return f"{number(score.low)} to {number(score.high)}"
