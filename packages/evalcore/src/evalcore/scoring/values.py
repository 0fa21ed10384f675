"""What a scalar says: the number, amount of money or moment that a value is, however it is written."""

from __future__ import annotations

import re
from typing import Final

from evalcore.scoring.plain_text import plain_text, uncased_text
from evalcore.scoring.readers.amounts import Quantity, match_amount, match_written_amount, read_amount
from evalcore.scoring.readers.dates import MONTHS, Moment, read_moment
from evalcore.scoring.readers.numbers import NUMBER_WORDS, Number
from evalcore.structs import JsonScalar

__all__ = ["Moment", "Number", "Quantity", "equal_numbers", "moment_of", "quantity_of"]

LONGEST_QUANTITY: Final = 60
"""Characters; a longer text is no number and no date."""
_UNIT_WORD: Final = re.compile(r"[ -]?([^\W\d_]{2,}|(?<=[ -])[^\W\d_])")
_NO_UNITS: Final = frozenset({*MONTHS, *NUMBER_WORDS, "am", "pm", "and", "or", "to", "of"})


def quantity_of(value: JsonScalar) -> Quantity | None:
    """Return the number that a value is, or that it writes (`$4,125`, `1.2 million`, `15%`, `12 pages`)."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return Quantity(value)
    if len(value) > LONGEST_QUANTITY:
        return None
    text = plain_text(value).rstrip(".;")
    cased = uncased_text(value)[: len(text)]
    return read_amount(text, cased) or _with_unit(text, cased)


def _with_unit(text: str, cased: str) -> Quantity | None:
    found = match_amount(text, 0, cased) or match_written_amount(text, 0)
    if found is None or found[0].unit is not None:
        return None
    word = _UNIT_WORD.fullmatch(text, found[1])
    if word is None or word[1] in _NO_UNITS:
        return None
    # One page and many pages are one unit.
    return Quantity(found[0].value, word[1].removesuffix("s"))


def moment_of(value: JsonScalar) -> Moment | None:
    """Return the date or moment of a text, or of eight digits."""
    # A model may write the date 20260701 as a number of JSON.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**8:
        value = str(value)
    if not isinstance(value, str) or len(value) > LONGEST_QUANTITY:
        return None
    return read_moment(plain_text(value).rstrip(".;,"))


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
