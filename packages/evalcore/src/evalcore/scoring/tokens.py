"""A text as words and values, in order: dates, times, amounts, durations, numbers, digits of identifiers."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

from evalcore.scoring.readers.amounts import NAMES_BEGIN, Quantity, match_amount, match_written_amount
from evalcore.scoring.readers.dates import MONTHS, WEEKDAYS, Moment, match_moment, match_part_of_year
from evalcore.scoring.readers.durations import match_duration, read_duration
from evalcore.scoring.readers.numbers import MOST_DIGITS, NUMBER_WORDS, Number, match_words, ordinal_word
from evalcore.scoring.readers.times import match_time

# `c++` and `c#` are not `c`.
WORD: Final = re.compile(r"[^\W\d_]+[+#]*")
_LEAD: Final = re.compile(r"""[("'\[<{*~\u00a7\u2022>=|]*""")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
DIGIT: Final = re.compile(r"\d")
_RUN: Final = re.compile(
    r"\^-?\d+|\d{1,3}(?:,\d{3})+(?![\d,])|\d+(?:\.\d+)*|[^\W\d_]+|[$\u20ac\u00a3\u00a5%]"
)
_ORDINAL: Final = re.compile(r"([1-9]\d{0,5})(?:st|nd|rd|th)(?!\w)")
# As few as a number may have: int() raises where there are more than 4,300.
_AGAIN: Final = re.compile(rf" ?\((\d[\d,]{{0,{MOST_DIGITS - 1}}})\)")
_GOES_ON: Final = re.compile(r"\w|[-./:,']\d|-[a-z]\d|\^")
_CURRENCY_SIGN: Final = re.compile(r"[+-]?[^\w\s.,;:+()'\"/%#&*<=>@\[\]\\^`{|}~!?-]? ?\d")

NAMED: Final = frozenset({*MONTHS, *WEEKDAYS, "the", "noon", "midnight"})


class Value(NamedTuple):
    """A value in a text: of one kind, equal if what it says is equal."""

    kind: str
    """date, time, zone, moment, month, duration, number, box, or digits (of an identifier)."""
    says: object
    unit: str | None = None
    written: Number | None = None
    """Of a duration, its number."""


Token: TypeAlias = str | Value
OPEN, TICKED = "\u2610", "\u2611"
OPEN_BOX: Final = Value("box", False)
BOXES: Final = {OPEN: OPEN_BOX, TICKED: Value("box", True)}


def tokens_of(text: str, cased: str) -> list[Token]:
    """Return the words and values of a text, in order."""
    tokens: list[Token] = []
    at, length = 0, len(text)
    while at < length:
        if text[at] == " ":
            at += 1
            continue
        # Values begin at words: in the middle of one, as in `b2b`, digits are part of a name.
        begins = at == 0 or text[at - 1] == " "
        if text[at] in BOXES:
            tokens.append(BOXES[text[at]])
            at += 1
            continue
        # An opening bracket or quotation mark in front of a value is no part of it.
        lead = _LEAD.match(text, at)
        start = lead.end() if lead else at
        if start >= length or text[start] == " ":
            at = start
            continue
        found = _value(text, start, cased) if begins or start > at else None
        if found:
            tokens.extend(found[0])
            at = found[1]
            continue
        end = text.find(" ", start)
        end = length if end < 0 else end
        _add_chunk(tokens, text[start:end])
        at = end
    return tokens


def _value(text: str, at: int, cased: str) -> tuple[list[Token], int] | None:
    """Return the value that begins at a place, and where it ends."""
    first = text[at]
    if first.isdigit():
        # The longest reading first: a date begins with digits that are a time or a number by themselves.
        return _moment(text, at) or _time(text, at) or _ordinal(text, at) or _number(text, at, cased)
    letters = _LETTERS.match(text, at)
    if letters is None:
        return _number(text, at, cased) if _CURRENCY_SIGN.match(text, at) else None
    word = letters[0]
    if word in NAMED and (found := _moment(text, at) or _time(text, at)):
        return found
    if word in NUMBER_WORDS:
        return _in_words(text, at, word, letters.end())
    return _number(text, at, cased) if word in NAMES_BEGIN else None


def _moment(text: str, at: int) -> tuple[list[Token], int] | None:
    if found := match_moment(text, at):
        return _says(found[0]), found[1]
    if part := match_part_of_year(text, at):
        return [Value("month", part[0])], part[1]
    return None


def _says(moment: Moment) -> list[Token]:
    """Take a moment without a zone for its date and its time, which may stand apart."""
    at = moment.at
    if moment.is_zoned:
        return [Value("moment", (at, moment.part))]
    second = at.hour * 3600 + at.minute * 60 + at.second
    part = f"{at.microsecond:06}{moment.part}".rstrip("0")
    date: list[Token] = [Value("date", (at.year, at.month, at.day))]
    # Midnight is what many write who mean the day alone.
    return [*date, Value("time", (second, part))] if second or part else date


def _time(text: str, at: int) -> tuple[list[Token], int] | None:
    found = match_time(text, at)
    return ([Value("time", (found[0].second, found[0].part))], found[1]) if found else None


def _ordinal(text: str, at: int) -> tuple[list[Token], int] | None:
    found = _ORDINAL.match(text, at)
    return ([Value("number", int(found[1]))], found.end()) if found else None


def _number(text: str, at: int, cased: str) -> tuple[list[Token], int] | None:
    found = match_amount(text, at, cased)
    if found is None:
        return None
    return _with_unit(text, at, *found)


def _with_unit(text: str, at: int, quantity: Quantity, end: int) -> tuple[list[Token], int] | None:
    if quantity.unit is None and (duration := match_duration(text, at, quantity.value, end)):
        length, end = duration
        return [Value("duration", length.length, written=length.written)], end
    # What goes on is an identifier, such as a number of a report, and no amount.
    if _GOES_ON.match(text, end):
        return None
    return [Value("number", quantity.value, quantity.unit)], end


def _in_words(text: str, at: int, word: str, end: int) -> tuple[list[Token], int] | None:
    ordinal = ordinal_word(word)
    if ordinal is not None:
        return [Value("number", ordinal)], end
    number = match_words(text, at)
    if number is None:
        return None
    value, end = number
    # `ninety (90) days` says it twice.
    again = _AGAIN.match(text, end)
    if again and int(again[1].replace(",", "")) == value:
        end = again.end()
        if duration := match_duration(text, at, value, end):
            return [Value("duration", duration[0].length, written=duration[0].written)], duration[1]
    # Right behind the words a currency may stand, or a percent sign.
    written = match_written_amount(text, at) if end == number[1] else None
    return _with_unit(text, at, *(written or (Quantity(value), end)))


def _add_chunk(tokens: list[Token], chunk: str) -> None:
    """Take a chunk that is no value for its words and its runs of digits."""
    if DIGIT.search(chunk) is None:
        tokens.extend(WORD.findall(chunk))
        return
    for run in _RUN.findall(chunk):
        if run[0] == "^":
            tokens.append(Value("digits", run))
        elif not run[0].isdigit():
            if run.isalpha():
                tokens.append(run)
        # So many digits name something; as a number they would be rounded, and two names become one.
        elif len(run) > MOST_DIGITS:
            tokens.append(Value("digits", run))
        elif "," in run:
            tokens.append(Value("number", int(run.replace(",", ""))))
        # A leading zero or a second dot: a code or a version, where 1.10 is not 1.1.
        elif (run[0] == "0" and run[1:2] not in {"", "."}) or run.count(".") > 1:
            tokens.append(Value("digits", run))
        else:
            tokens.append(Value("number", float(run) if "." in run else int(run)))


def lone_duration(text: str) -> Value | None:
    """Return the duration of ISO 8601 that a whole text is (`P3Y`)."""
    duration = read_duration(text) if text[:1] == "p" else None
    return Value("duration", duration.length) if duration else None
