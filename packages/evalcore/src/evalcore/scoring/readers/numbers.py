"""Numbers in digits and in words: `4,125.50`, `1'200`, `1.234,56`, `ninety`, `two hundred and five`."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Number: TypeAlias = int | float

MOST_DIGITS: Final = 60
"""Of one number; what is longer is none."""

# Grouped by threes, in the Indian way, and plain. A comma is a decimal one where both marks stand in that
# order, or the dots form several groups; elsewhere (`1,23`) it may as well be a list's.
_DIGITS: Final = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,2}(?:,\d\d)+,\d{3}(?![\d,])|\d{1,3}(?:'\d{3})+(?!\d))"
    r"(?:\.(?P<part>\d+))?"
    r"|(?P<dotted>\d{1,3}(?:\.\d{3})+),(?P<cents>\d+)(?![\d,])"
    r"|(?P<groups>\d{1,3}(?:\.\d{3}){2,})(?![\d.])"
    r"|(?P<plain>\d+)(?:\.(?P<rest>\d+))?"
)
# Where a currency or a percent sign stands beside it, it can be nothing else.
_DECIMAL_COMMA: Final = re.compile(r"(?P<whole>\d{1,3}(?: \d{3})+|\d+),(?P<part>\d{1,2})(?![\d,.])")
_SPACED: Final = re.compile(r"(?P<whole>\d{1,3}(?: \d{3})+)(?:\.(?P<part>\d+))?(?![\d,])")

SCALES: Final = {
    "k": 3, "thousand": 3, "m": 6, "mn": 6, "mm": 6, "mio": 6, "million": 6, "millions": 6,
    "b": 9, "bn": 9, "billion": 9, "billions": 9, "t": 12, "tn": 12, "trillion": 12, "trillions": 12,
}  # fmt: skip
_ONES_IN_ORDER: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_TENS_IN_ORDER: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS_IN_ORDER: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
)
_ONES: Final = {word: at for at, word in enumerate(_ONES_IN_ORDER.split())}
_TENS: Final = {word: 10 * at for at, word in enumerate(_TENS_IN_ORDER.split(), 2)}
_ORDINALS: Final = {word: at for at, word in enumerate(_ORDINALS_IN_ORDER.split(), 1)}
NUMBER_WORDS: Final = frozenset({*_ONES, *_TENS, *_ORDINALS, "hundred"})
_WORD: Final = re.compile(r"(?: and |, | |-)?([a-z]+)")


def scaled(whole: str, part: str, power: int = 0) -> Number:
    """Return whole.part x 10^power, exact: an integer where it is one."""
    # By digits, and not by multiplying: 2.01 * 10**6 is 2009999.9999999998.
    part = part.rstrip("0")
    exponent = power - len(part)
    if exponent >= 0:
        return int(f"{whole}{part}{'0' * exponent}")
    # 1200 thousandths are 1.2.
    return float(f"{whole}{part}e{exponent}")


def match_digits(text: str, at: int, *, is_amount: bool = False) -> tuple[str, str, int] | None:
    """Return the digits before and after the decimal mark, and where the number ends.

    `is_amount` says that a currency stands beside it: then a decimal comma and blanks between groups of
    thousands are read as well. Leading zeros make it no number, but an identifier.
    """
    found = (_DECIMAL_COMMA.match(text, at) or _SPACED.match(text, at)) if is_amount else None
    if found is None:
        found = _DIGITS.match(text, at)
    # Longer ones name something, and int() takes time by the square of their length.
    if found is None or found.end() - at > MOST_DIGITS:
        return None
    parts = found.groupdict("")
    whole = parts["whole"] or parts.get("dotted", "") or parts.get("groups", "") or parts.get("plain", "")
    part = parts["part"] or parts.get("cents", "") or parts.get("rest", "")
    whole = re.sub(r"\D", "", whole)
    if whole[0] == "0" and len(whole) > 1:
        return None
    return whole, part, found.end()


def match_words(text: str, at: int) -> tuple[int, int] | None:
    """Return the number that is written out in words at a place, and where it ends."""
    total = group = 0
    ends, last = -1, 1000
    while found := _WORD.match(text, at):
        word = found[1]
        # The pattern takes a comma or `and` before a word, which belong between words alone.
        if last == 1000 and ends < 0 and found.start(1) != at:  # noqa: PLR2004 (it begins here)
            break
        joined = ends >= 0
        if word in _ONES and (_ONES[word] < 10 or last >= 100) and last > (_ONES[word] > 9) * 10 and last > 9:  # noqa: PLR2004
            group += _ONES[word]
            last = 9
        elif word in _TENS and last >= 100:  # noqa: PLR2004
            group += _TENS[word]
            last = 10
        elif word == "hundred" and (not joined or (0 < group < 20 and last <= 9)):  # noqa: PLR2004
            group = max(1, group) * 100
            last = 100
        elif word in {"thousand", "million", "billion"} and joined and group:
            total += group * 10 ** SCALES[word]
            group, last = 0, 999
        else:
            break
        at = ends = found.end()
    return (total + group, ends) if ends >= 0 else None


def ordinal_word(word: str) -> int | None:
    """Return 3 for `third`; None for what is no ordinal."""
    return _ORDINALS.get(word)
