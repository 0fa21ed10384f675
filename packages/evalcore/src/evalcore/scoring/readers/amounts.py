"""Numbers with what they are numbers of: amounts of money, percentages, `12 pages`."""

from __future__ import annotations

import re
from typing import Final

from evalcore.scoring.readers.currencies import CURRENCIES, UNIT_OF, WORD_LIKE, same_currency
from evalcore.scoring.readers.numbers import SCALES, Number, match_digits, match_words, scaled
from evalcore.structs import Frozen

PERCENT: Final = "%"

# A sign that may be a currency's: no letter, and none of those that stand for something else.
_SIGN: Final = r"[^\w\s.,;:+()'\"/%#&*<=>@\[\]\\^`{|}~!?-]"
# A currency before a number: letters, a sign, or both (`us$`, `usd $`).
_BEFORE: Final = re.compile(
    r"(?P<minus>-(?=[^\d\s+-]))?(?P<letters>[a-zčł]{2,4}\.?(?![a-z])|[a-z]{1,3}(?=[$¥]))?(?P<gap> )?"
    rf"(?P<symbol>{_SIGN})? ?(?P<sign>[+-])?(?=\d)"
)
_SCALE: Final = re.compile(
    r"(?P<gap> ?)(?P<scale>k|thousand|mn|mm|mio|millions?|m|bn|billions?|b|tn|trillions?|t)\.?(?![a-z0-9])"
)
_PERCENT: Final = re.compile(r" ?%| (?:percent|per cent|pct)(?![a-z])|-percent(?![a-z])")
_NAMES: Final = re.compile(rf" ?(?P<name>(?:u\.s\. )?[^\W\d_]+[$]?(?:[ -][^\W\d_]+){{0,4}}|{_SIGN})")
_NAME_BEFORE: Final = re.compile(r"(?P<name>(?:u\.s\. )?[^\W\d_]+(?:[ -][^\W\d_]+){0,4}) (?=\d)")
# As many as the longest has: `são tomé and príncipe dobra`.
_WORDS_OF_NAME: Final = 5
NO_NAMES_BEFORE: Final = frozenset({"won"})
"""Before a number these are other words."""
NAMES_BEGIN: Final = frozenset(name.split(" ")[0].rstrip(".$¥") for name in UNIT_OF if name[0].isalpha())
"""The first words of all currencies' names and codes."""


class Quantity(Frozen, frozen=True):
    """A number, with its unit where one is written: a currency, `%`, or a word (`page`)."""

    value: Number
    unit: str | None = None

    @property
    def is_money(self) -> bool:
        """Whether it is an amount of money."""
        return self.unit in CURRENCIES


def same_unit(one: str | None, other: str | None) -> bool:
    """Whether two units may be one: what gives none leaves it open."""
    return one is None or other is None or one == other or same_currency(one, other)


def match_amount(text: str, at: int, cased: str = "") -> tuple[Quantity, int] | None:
    """Return the number at a place with its sign, scale, currency or percent sign, and where it ends.

    `cased` is the text before its case was folded, where it has the same length: codes that are words as
    well count in capitals alone.
    """
    before = _BEFORE.match(text, at)
    unit, start, sign = None, at, ""
    if before is None and (name := _NAME_BEFORE.match(text, at)):
        # A name: `US dollars 500`.
        unit, start = UNIT_OF.get(name["name"]), name.end()
        if unit is None or name["name"] in NO_NAMES_BEFORE:
            return None
    elif before:
        unit = _unit_before(before, cased)
        if unit is None and (before["letters"] or before["symbol"]):
            return None
        start, sign = before.end(), before["minus"] or before["sign"] or ""
    digits = match_digits(text, start, is_amount=True)
    if digits is None or (unit is None and digits != match_digits(text, start)):
        # A decimal comma, and blanks between thousands, need a currency or a percent sign.
        plain = match_digits(text, start)
        if digits is not None and _ends_as_amount(text, digits[2], cased):
            plain = digits
        if plain is None:
            return None
        digits = plain
    return _finished(text, digits, unit, sign, cased)


def match_written_amount(text: str, at: int) -> tuple[Quantity, int] | None:
    """Return the number in words at a place, with a currency or percent sign."""
    found = match_words(text, at)
    if found is None:
        return None
    value, end = found
    unit, end = _unit_after(text, end, "")
    return Quantity(value, unit), end


def read_amount(text: str, cased: str = "") -> Quantity | None:
    """Return the number or amount that a whole text is; in brackets it is below nothing."""
    is_negative = len(text) > 2 and text[0] == "(" and text[-1] == ")"  # noqa: PLR2004 (two brackets)
    # As accounts write a loss.
    if is_negative:
        text, cased = text[1:-1], cased[1:-1]
    found = match_amount(text, 0, cased) or match_written_amount(text, 0)
    if found is None or found[1] != len(text):
        return None
    return Quantity(-found[0].value, found[0].unit) if is_negative else found[0]


def _finished(
    text: str, digits: tuple[str, str, int], unit: str | None, sign: str, cased: str
) -> tuple[Quantity, int]:
    whole, part, end = digits
    power, scale_end = _scale(text, end, has_currency=unit is not None)
    after, unit_end = _unit_after(text, scale_end, cased)
    if power and unit is None and after is None:
        # Of itself `5 m` may be metres.
        power, scale_end = _scale(text, end, has_currency=False)
        unit_end = scale_end
    if not power:
        after, unit_end = _unit_after(text, end, cased)
    value = scaled(whole, part, power)
    value = -value if sign == "-" else value
    if after is None:
        return Quantity(value, unit), max(end, scale_end if power else end)
    if unit is None:
        return Quantity(value, after), unit_end
    if not same_currency(unit, after):
        return Quantity(value, unit), max(end, scale_end if power else end)
    # `$4,125 usd`: the code says which dollar.
    return Quantity(value, after if after in UNIT_OF and UNIT_OF[after] == after else unit), unit_end


def _scale(text: str, end: int, *, has_currency: bool) -> tuple[int, int]:
    found = _SCALE.match(text, end)
    if found is None:
        return 0, end
    scale = found["scale"]
    is_certain = len(scale) > 2 or scale in {"bn", "tn", "mn"}  # noqa: PLR2004
    # `5k` is how people write money; `5 k` may be anything.
    is_attached = not found["gap"] and scale in {"k", "m", "b"}
    if is_certain or is_attached or has_currency or _currency_follows(text, found.end()):
        return SCALES[scale], found.end()
    return 0, end


def _currency_follows(text: str, end: int) -> bool:
    unit, _ = _unit_after(text, end, "")
    return unit is not None and unit != PERCENT


def _ends_as_amount(text: str, end: int, cased: str) -> bool:
    _, end = _scale(text, end, has_currency=True)
    return _unit_after(text, end, cased)[0] is not None


def _unit_before(found: re.Match[str], cased: str) -> str | None:
    letters, symbol = found["letters"] or "", found["symbol"] or ""
    if letters and symbol and not found["gap"]:
        return UNIT_OF.get(letters + symbol)
    unit = UNIT_OF.get(letters) if letters and letters not in NO_NAMES_BEFORE else None
    if letters and (unit is None or not _is_code(letters, cased, found.start("letters"))):
        return None
    other = UNIT_OF.get(symbol) if symbol else None
    if symbol and (other is None or (unit is not None and not same_currency(unit, other))):
        return None
    return unit or other


def _unit_after(text: str, end: int, cased: str) -> tuple[str | None, int]:
    """Return the percent sign or currency after a number, and where it ends."""
    if percent := _PERCENT.match(text, end):
        return PERCENT, percent.end()
    found = _NAMES.match(text, end)
    if found is None:
        return None, end
    words = found["name"]
    for _ in range(_WORDS_OF_NAME):
        unit = UNIT_OF.get(words)
        stop = found.start("name") + len(words)
        follows = text[stop : stop + 1]
        if unit and not follows.isalnum() and _is_code(words, cased, found.start("name")):
            return unit, stop
        # From the longest name down: `dollars` is a part of `hong kong dollars`.
        shorter = max(words.rfind(" "), words.rfind("-"))
        if shorter < 0:
            break
        words = words[:shorter]
    return None, end


def _is_code(letters: str, cased: str, at: int) -> bool:
    return letters not in WORD_LIKE or cased[at : at + len(letters)].isupper()
