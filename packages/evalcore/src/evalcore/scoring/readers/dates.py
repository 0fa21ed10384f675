"""Dates, and dates with a time: ISO 8601 in its forms, with names of months, with slashes and dots.

Decided: dots are day first (`01.07.2026`), slashes and hyphens month first unless that cannot be
(`25/12/2026`), years have four digits, a weekday is passed over, right or wrong. Zones are `Z`, `UTC`,
offsets, and the American abbreviations that RFC 5322 (4.3) defines.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from evalcore.scoring.readers.times import ClockTime, match_time
from evalcore.structs import Frozen

_MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTHS: Final = {
    name[:length]: at for at, name in enumerate(_MONTH_NAMES, 1) for length in (3, len(name))
} | {"sept": 9}
_WEEKDAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS: Final = frozenset(
    {name[:length] for name in _WEEKDAY_NAMES for length in (3, len(name))}
    | {"tues", "wednes", "thur", "thurs"}
)

_MONTH: Final = f"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})"
_DAY: Final = r"(?P<day>0?[1-9]|[12]\d|3[01])"
# What goes on is a longer number or a code, and no date.
_NOT_MORE: Final = r"(?![\w]|[-/.]\d)"
# Only before what may be a date: `sat` alone is a word.
_WEEKDAY: Final = re.compile(rf"(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})\.?,? (?=[\da-z])")
_MONTH_FIRST: Final = re.compile(
    rf"{_MONTH}\.?(?: (?:the )?|[-/]){_DAY}(?:st|nd|rd|th)?(?:,? |,|[-/])(?P<year>[1-9]\d{{3}}){_NOT_MORE}"
)
_DAY_FIRST: Final = re.compile(
    rf"(?:the )?{_DAY}(?:st|nd|rd|th|\.)?(?: (?:day )?(?:of )?|[-/])?{_MONTH}\.?(?:,? |,|[-/])?"
    rf"(?P<year>[1-9]\d{{3}}){_NOT_MORE}"
)
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>[1-9]\d{{3}})(?:,? |[-/]){_MONTH}\.?(?: |[-/]){_DAY}(?:st|nd|rd|th)?{_NOT_MORE}"
)
# The same mark twice: `2026-07/01` is none.
_ISO: Final = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d/]|-\d|\.\d)"
)
_LAST_YEAR: Final = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>[1-9]\d{3})(?![\d/]|-\d|\.\d)"
)
# `20260701` may be any number: it is a date where a whole text, or the other side, is one.
_EIGHT: Final = re.compile(r"(?P<year>[1-9]\d{3})(?P<month>\d\d)(?P<day>\d\d)")
_BASIC: Final = re.compile(
    rf"{_EIGHT.pattern}t(?P<hour>\d\d)(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?(?:[.,](?P<part>\d{{1,12}}))?"
)
_BEFORE_TIME: Final = re.compile(r"t|,? (?:at )?|, ?")
_ISO_TIME: Final = re.compile(
    r"(?P<hour>[01]\d|2[0-3]):?(?P<minute>[0-5]\d)(?::?(?P<second>[0-5]\d)(?:[.,](?P<part>\d{1,12}))?)?(?=z)"
)
_ZONES: Final = {
    "z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7,
}  # fmt: skip
_ZONE: Final = re.compile(
    rf" ?(?P<name>{'|'.join(_ZONES)})(?![\w+-])"
    r"|(?: ?(?:utc|gmt)| ?)(?P<sign>[+-])(?P<hours>[01]\d|2[0-3])(?::?(?P<minutes>[0-5]\d))?(?![\w:])"
)
_MONTH_OF_YEAR: Final = re.compile(rf"{_MONTH}\.?,?(?: of)? (?P<year>[1-9]\d{{3}}){_NOT_MORE}")
_DAY_OF_MONTH: Final = re.compile(
    rf"{_MONTH}\.?[ -](?:the )?{_DAY}(?:st|nd|rd|th)?(?![\w]|[-/.:]\d|,? \d{{4}})"
)
_DAY_THEN_MONTH: Final = re.compile(
    rf"(?:the )?{_DAY}(?:st|nd|rd|th)?(?: (?:of )?|-){_MONTH}\.?(?![\w]|[-/.:]\d|,? \d{{4}})"
)
_YEAR_AND_MONTH: Final = re.compile(
    r"(?P<year>\d{4})[-/](?P<month>\d{1,2})|(?P<month2>\d{1,2})/(?P<year2>\d{4})"
)


class Moment(Frozen, frozen=True):
    """A date, or a date with a time; a date is midnight of its day."""

    at: datetime
    """In UTC where the text gives a zone, else as it stands; always naive."""
    is_zoned: bool = False
    part: str = ""
    """Digits of a second's fraction beyond the sixth, without zeros at their end."""


class PartOfYear(Frozen, frozen=True):
    """A month of a year, or a day of any year."""

    month: int
    year: int | None = None
    day: int | None = None


def match_moment(text: str, at: int, *, eight_digits: bool = False) -> tuple[Moment, int] | None:
    """Return the date or moment at a place, and where it ends.

    `eight_digits` says that `20260701` is a date: of itself it may as well be any number.
    """
    # Where it contradicts the date, the date counts (docs/decisions/0012).
    if weekday := _WEEKDAY.match(text, at):
        at = weekday.end()
    if text[at : at + 1].isdigit():
        return _match_basic(text, at, eight_digits=eight_digits) or _with_time(text, _match_digits(text, at))
    for pattern in (_MONTH_FIRST, _DAY_FIRST):
        if found := pattern.match(text, at):
            return _with_time(text, _named(found))
    return None


def read_moment(text: str) -> Moment | None:
    """Return the date or moment that a whole text is, eight digits included."""
    found = match_moment(text, 0, eight_digits=True)
    return found[0] if found and found[1] == len(text) else None


def match_part_of_year(text: str, at: int) -> tuple[PartOfYear, int] | None:
    """Return the month with its year (`july 2026`), or the day without one (`july 1`), at a place."""
    if found := _MONTH_OF_YEAR.match(text, at):
        return PartOfYear(MONTHS[found["month"]], int(found["year"])), found.end()
    found = _DAY_OF_MONTH.match(text, at) or _DAY_THEN_MONTH.match(text, at)
    if found:
        return PartOfYear(MONTHS[found["month"]], day=int(found["day"])), found.end()
    return None


def read_year_and_month(text: str) -> PartOfYear | None:
    """Return the month that a whole text is in digits: `2026-07`, `07/2026`."""
    found = _YEAR_AND_MONTH.fullmatch(text)
    if found is None:
        return None
    month = int(found["month"] or found["month2"])
    return PartOfYear(month, int(found["year"] or found["year2"])) if 1 <= month <= 12 else None  # noqa: PLR2004


def _match_digits(text: str, at: int) -> tuple[datetime, int] | None:
    if found := _ISO.match(text, at):
        return _day(found["year"], found["month"], found["day"], found.end())
    if found := _LAST_YEAR.match(text, at):
        one, two = found["one"], found["two"]
        is_day_first = found["mark"] == "." or int(one) > 12  # noqa: PLR2004 (months of a year)
        month, day = (two, one) if is_day_first else (one, two)
        return _day(found["year"], month, day, found.end())
    for pattern in (_DAY_FIRST, _YEAR_FIRST):
        if found := pattern.match(text, at):
            return _named(found)
    return None


def _match_basic(text: str, at: int, *, eight_digits: bool) -> tuple[Moment, int] | None:
    if found := _BASIC.match(text, at):
        day = _day(found["year"], found["month"], found["day"], found.end())
        if day is None or int(found["hour"]) > 23:  # noqa: PLR2004 (hours of a day)
            return None
        second = int(found["hour"]) * 3600 + int(found["minute"]) * 60 + int(found["second"] or 0)
        return _moment(text, day[0], second, found["part"] or "", found.end())
    if (
        eight_digits
        and (found := _EIGHT.match(text, at))
        and not text[found.end() : found.end() + 1].isdigit()
    ):
        return _with_time(text, _day(found["year"], found["month"], found["day"], found.end()))
    return None


def _named(found: re.Match[str]) -> tuple[datetime, int] | None:
    return _day(found["year"], str(MONTHS[found["month"]]), found["day"], found.end())


def _day(year: str, month: str, day: str, end: int) -> tuple[datetime, int] | None:
    try:
        return datetime(int(year), int(month), int(day)), end  # noqa: DTZ001 (a date has no zone)
    except ValueError:
        return None


def _with_time(text: str, day: tuple[datetime, int] | None) -> tuple[Moment, int] | None:
    """Take in the time that follows a date."""
    if day is None:
        return None
    date, end = day
    mark = _BEFORE_TIME.match(text, end)
    # In ISO 8601 the zone follows the time's last digit, which `match_time` takes for a word going on.
    time = (_time_before_zone(text, mark.end()) or match_time(text, mark.end())) if mark else None
    if time is None:
        # `2026-07-01t...` with something else is no date.
        return None if text[end : end + 1] == "t" else (Moment(date), end)
    clock, end = time
    return _moment(text, date, clock.second, clock.part, end)


def _time_before_zone(text: str, at: int) -> tuple[ClockTime, int] | None:
    found = _ISO_TIME.match(text, at)
    if found is None:
        return None
    second = int(found["hour"]) * 3600 + int(found["minute"]) * 60 + int(found["second"] or 0)
    return ClockTime(second, found["part"] or ""), found.end()


def _moment(text: str, date: datetime, second: int, part: str, end: int) -> tuple[Moment, int] | None:
    micros = int(part[:6].ljust(6, "0"))
    at = date + timedelta(seconds=second, microseconds=micros)
    # Python's datetime holds microseconds: what is finer is compared as text.
    finer = part[6:].rstrip("0")
    zone = _ZONE.match(text, end)
    if zone is None:
        return Moment(at, part=finer), end
    if zone["name"]:
        offset = timedelta(hours=_ZONES[zone["name"]])
    else:
        offset = timedelta(hours=int(zone["hours"]), minutes=int(zone["minutes"] or 0))
        offset = -offset if zone["sign"] == "-" else offset
    try:
        at = at.replace(tzinfo=timezone(offset)).astimezone(UTC).replace(tzinfo=None)
    # Of the first or last day of the calendar the zone leads out of it.
    except OverflowError:
        return None
    return Moment(at, is_zoned=True, part=finer), zone.end()
