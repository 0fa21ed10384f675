"""What a scalar says: the number, amount of money or moment that a value is, however it is written."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import TypeAlias

from evalcore.structs import Frozen, JsonScalar

LONGEST_QUANTITY = 60
"""Characters; a longer text is no number and no date."""

_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032`\u00b4"), "'")
_DOUBLE_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"')
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad"), "-")
_ALIKE = _QUOTES | _DOUBLE_QUOTES | _DASHES

_CURRENCIES = {"$": "usd", "us$": "usd", "usd": "usd", "€": "eur", "eur": "eur", "£": "gbp", "gbp": "gbp"}
CURRENCIES = frozenset(_CURRENCIES.values())
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "billion": 10**9}
_QUANTITY = re.compile(
    r"(?P<open>\()?(?P<sign>[+-])?\s?(?P<before>us\$|[$€£]|(?:usd|eur|gbp)\s)?\s?(?P<sign2>-)?"
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?"
    r"\s?(?P<scale>(?:k|thousand|m|million|b|billion)\b)?\s?(?P<after>%|percent|usd|eur|gbp|dollars|euros?)?"
    r"(?(open)\))"
)
_UNITS = {"percent": "%", "dollars": "usd", "euro": "eur", "euros": "eur"}

_MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTHS = {name[:length]: at for at, name in enumerate(_MONTH_NAMES, 1) for length in (3, len(name))} | {
    "sept": 9
}
# No 24:00 and no +05:75, of which later Pythons think otherwise than earlier ones.
_HOUR, _MINUTE = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_ISO = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?:[t ]{_HOUR}:{_MINUTE}(?::{_MINUTE}(?:\.\d{{1,6}})?)?"
    rf"\s?(?:z|[+-]{_HOUR}:?{_MINUTE})?)?"
)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([a-z]{3,9})\.?,? (\d{4})")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")

Number: TypeAlias = int | float


class Quantity(Frozen, frozen=True):
    """A number, with its unit where one is written (`usd`, `%`)."""

    value: Number
    unit: str | None = None


class Moment(Frozen, frozen=True):
    """A date, or a date with a time; in UTC where the text gives an offset, else as if it were."""

    at: datetime


def plain_text(text: str) -> str:
    """Make texts that read alike equal: Unicode NFKC, case folding, white space, quotes, dashes."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_ALIKE))
        return " ".join(text.casefold().split())
    return " ".join(text.replace("`", "'").lower().split())


def quantity_of(value: JsonScalar) -> Quantity | None:
    """Return the number that a value is, or that it writes (`$4,125`, `1.2 million`, `15%`)."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return Quantity(value)
    if len(value) > LONGEST_QUANTITY or not any(map(str.isdigit, value)):
        return None
    found = _QUANTITY.fullmatch(plain_text(value))
    return _quantity(found) if found else None


def _quantity(found: re.Match[str]) -> Quantity:
    whole = found["whole"].replace(",", "")
    number: Number = float(f"{whole}.{found['part']}") if found["part"] else int(whole)
    scale = _SCALES.get(found["scale"] or "", 1)
    # 1.2 million is a whole number again; through a rounding, since 1.2 is not exact.
    number = round(number * scale, 6) if isinstance(number, float) else number * scale
    if isinstance(number, float) and number.is_integer() and scale > 1:
        number = int(number)
    if found["open"] or "-" in (found["sign"], found["sign2"]):
        number = -number
    before, after = (found["before"] or "").strip(), found["after"] or ""
    unit = _CURRENCIES.get(before) or _CURRENCIES.get(after) or _UNITS.get(after) or after or None
    return Quantity(number, unit)


def moment_of(value: JsonScalar) -> Moment | None:
    """Return the date or date-time of a text: ISO 8601, `July 1, 2026`, `1 July 2026`, `7/1/2026`."""
    if not isinstance(value, str) or len(value) > LONGEST_QUANTITY or not any(map(str.isdigit, value)):
        return None
    text = plain_text(value)
    if _ISO.fullmatch(text):
        return _iso(text)
    if found := _MONTH_FIRST.fullmatch(text):
        return _day(found[3], _MONTHS.get(found[1]), found[2])
    if found := _DAY_FIRST.fullmatch(text):
        return _day(found[3], _MONTHS.get(found[2]), found[1])
    if found := _SLASHED.fullmatch(text):
        return _day(found[3], int(found[1]), found[2])
    return None


def _iso(text: str) -> Moment | None:
    try:
        moment = datetime.fromisoformat(text.replace(" +", "+").replace(" z", "z").upper())
        if moment.tzinfo is None:
            return Moment(moment)
        return Moment(moment.astimezone(UTC).replace(tzinfo=None))
    except (ValueError, OverflowError):
        return None


def _day(year: str, month: int | None, day: str) -> Moment | None:
    try:
        return Moment(datetime(int(year), month or 0, int(day)))  # noqa: DTZ001 (a date has no zone)
    except ValueError:
        return None


def equal_numbers(left: Number, right: Number, tolerance: float, *, relative: bool) -> bool:
    """Whether two numbers are equal within a tolerance; relative to the larger of the two."""
    if left == right:
        return True
    try:
        allowed = tolerance * max(abs(left), abs(right)) if relative else tolerance
        # 0.65 - 0.5 is a little over 0.15 in doubles.
        return abs(left - right) <= allowed * (1 + 1e-9)
    except OverflowError:  # an integer beyond every double
        return False
