"""Clock times: `17:00`, `5:00 pm`, `5 p.m.`, `17:00:30.25`, `noon`."""

from __future__ import annotations

import re
from typing import Final

from evalcore.structs import Frozen

_NOON: Final = 12
_CLOCK: Final = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<part>\d{1,12}))?)?)?"
    r"(?: ?(?P<half>[ap]\.?m\.?|noon|midnight)(?![a-z0-9]))?(?![\w:%]|[.,]\d)"
)
_WORD: Final = re.compile(r"(noon|midnight)(?!\w)")


class ClockTime(Frozen, frozen=True):
    """A time of the day."""

    second: int
    """Since midnight."""
    part: str = ""
    """Digits of a fraction of a second, without zeros at their end."""


def match_time(text: str, at: int) -> tuple[ClockTime, int] | None:
    """Return the clock time at a place, and where it ends; 24:00 is none, nor is a bare hour."""
    found = _CLOCK.match(text, at)
    if found is None:
        word = _WORD.match(text, at)
        return (ClockTime(_NOON * 3600 if word[1] == "noon" else 0), word.end()) if word else None
    hour, half = int(found["hour"]), found["half"]
    # `17` alone may be anything.
    if found["minute"] is None and half is None:
        return None
    if half is not None:
        # `13 pm` and `5 noon` are slips, and no times.
        if not 1 <= hour <= _NOON or (half in {"noon", "midnight"} and hour != _NOON):
            return None
        # 12 a.m. is midnight, 12 p.m. noon.
        hour = hour % _NOON + (_NOON if half[0] in "pn" else 0)
    elif hour > 23:  # noqa: PLR2004 (hours of a day)
        return None
    second = hour * 3600 + int(found["minute"] or 0) * 60 + int(found["second"] or 0)
    return ClockTime(second, (found["part"] or "").rstrip("0")), found.end()
