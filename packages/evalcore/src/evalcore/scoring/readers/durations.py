"""Lengths of time: `36 months`, `three years`, `1 year and 6 months`, `12-month`, `P3Y`.

Months and years are one kind, weeks, days and hours another: how many days a month has is not said.
"""

from __future__ import annotations

import re
from typing import Final

from evalcore.scoring.readers.numbers import Number, match_digits, match_words, scaled
from evalcore.structs import Frozen

_UNITS: Final = {
    "year": (12, 0), "yr": (12, 0), "month": (1, 0), "mo": (1, 0), "week": (0, 604_800), "wk": (0, 604_800),
    "fortnight": (0, 1_209_600), "day": (0, 86_400), "hour": (0, 3600), "hr": (0, 3600), "minute": (0, 60),
    "min": (0, 60), "second": (0, 1), "sec": (0, 1),
}  # fmt: skip
_UNIT: Final = re.compile(
    r"[ -]?(?:calendar )?(year|yr|month|mo|week|wk|fortnight|day|hour|hr|minute|min|second|sec)s?(?![\w-])\.?"
    r"|-(year|month|week|day|hour|minute|second)(?=-)"
)
_AND: Final = re.compile(r"(?:,? and |, ?| )(?=\w)")
_ISO: Final = re.compile(
    r"p(?=\d|t\d)(?:(\d{1,9})y)?(?:(\d{1,9})m)?(?:(\d{1,9})w)?(?:(\d{1,9})d)?"
    r"(?:t(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?)?(?!\w)"
)
_ISO_UNITS: Final = ((12, 0), (1, 0), (0, 604_800), (0, 86_400), (0, 3600), (0, 60), (0, 1))


class Duration(Frozen, frozen=True):
    """A length of time."""

    months: Number
    seconds: Number
    written: Number | None = None
    """The number that stands there, where there is but one."""

    @property
    def length(self) -> tuple[Number, Number]:
        """What makes two of them equal."""
        return self.months, self.seconds


def match_duration(text: str, at: int, number: Number, end: int) -> tuple[Duration, int] | None:
    """Return the duration that begins with a number that ends there, and where it ends itself."""
    months: Number = 0
    seconds: Number = 0
    first, smallest = number, (1_000, 0)
    count = 0
    while unit := _UNIT.match(text, end):
        size = _UNITS[unit[1] or unit[2]]
        # `30 days, 60 days` are two.
        if size >= smallest:
            break
        months += number * size[0]
        seconds += number * size[1]
        smallest, at, count = size, unit.end(), count + 1
        more = _AND.match(text, at)
        following = _number(text, more.end()) if more else None
        if following is None:
            break
        number, end = following
    if not count:
        return None
    return Duration(_whole(months), _whole(seconds), first if count == 1 else None), at


def read_duration(text: str) -> Duration | None:
    """Return the duration that a whole text is, ISO 8601's form included."""
    if found := _ISO.fullmatch(text):
        months = sum(
            int(count or 0) * unit[0] for count, unit in zip(found.groups(), _ISO_UNITS, strict=True)
        )
        seconds = sum(
            int(count or 0) * unit[1] for count, unit in zip(found.groups(), _ISO_UNITS, strict=True)
        )
        return Duration(months, seconds)
    number = _number(text, 0)
    found_at = match_duration(text, 0, *number) if number else None
    return found_at[0] if found_at and found_at[1] == len(text) else None


def _number(text: str, at: int) -> tuple[Number, int] | None:
    digits = match_digits(text, at)
    return (scaled(digits[0], digits[1]), digits[2]) if digits else match_words(text, at)


def _whole(number: Number) -> Number:
    # 1.5 years are 18 months, and 0.1 hours are 360 seconds, in spite of doubles.
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded
