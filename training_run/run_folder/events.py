"""What health.log says, for pictures that mark it: which step, and what went wrong in a few words.

A line of health.log is `step 1,800: diversity has collapsed: since step 1,000 samples have ...`.
"""

import re
from typing import NamedTuple

_LINE = re.compile(r"^step ([\d,]+): ([^:]+)(?:: since step ([\d,]+))?")


class Event(NamedTuple):
    """Something that went wrong.

    Attributes:
        step: where it began, or where it was seen if that is not known.
        label: a few words, "diversity has collapsed".
    """

    step: int
    label: str


def read_events(path):
    """The `Event`s of a health.log, by step; none where there is no such file.

    Lines that are none of a health.log are left out.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = [_LINE.match(line) for line in text.splitlines()]
    events = [
        Event(int((match[3] or match[1]).replace(",", "")), match[2].strip())
        for match in found
        if match
    ]
    return sorted(events)
