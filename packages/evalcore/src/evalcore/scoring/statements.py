"""What a short text states: its values, negations, ticked boxes and bounds, and the words that are left.

Digits, negations and ticks are not spelling: two texts in which they differ are two statements, however
like their letters are. So two texts are alike only if the multisets of values that the readers find in
both are equal, and their negations, ticks and bounds; how far is then a matter of the remaining words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.comparators import similarity
from evalcore.scoring.plain_text import plain_text, uncased_text
from evalcore.scoring.readers.amounts import (
    NAMES_BEGIN,
    PERCENT,
    Quantity,
    match_amount,
    match_written_amount,
    read_amount,
    same_unit,
)
from evalcore.scoring.readers.currencies import CURRENCIES
from evalcore.scoring.readers.dates import (
    MONTHS,
    WEEKDAYS,
    Moment,
    match_moment,
    match_part_of_year,
    read_moment,
    read_year_and_month,
)
from evalcore.scoring.readers.durations import match_duration, read_duration
from evalcore.scoring.readers.numbers import MOST_DIGITS, NUMBER_WORDS, Number, match_words, ordinal_word
from evalcore.scoring.readers.times import match_time
from evalcore.scoring.rules.rules import NUMBER_TOLERANCE
from evalcore.scoring.values import equal_numbers

LONGEST: Final = 65_536
"""Characters; of a longer text no values are looked for: it is equal or not."""
LEAST_IN_COMMON: Final = 0.5
"""Of words in common: texts that share no more of them have nothing to do with each other."""

NEGATED: Final = {
    "prohibited": "permitted", "prohibits": "permitted", "prohibit": "permitted", "forbidden": "permitted",
    "forbids": "permitted", "forbid": "permitted", "disallowed": "permitted", "unallowable": "permitted",
    "unallowed": "permitted", "impermissible": "permitted", "banned": "permitted", "barred": "permitted",
    "ineligible": "eligible", "unauthorized": "authorized", "unauthorised": "authorized", "unable": "able",
    "unavailable": "available", "inapplicable": "applicable", "unacceptable": "acceptable",
    "incomplete": "complete", "invalid": "valid", "inactive": "active", "insufficient": "sufficient",
    "unnecessary": "required", "optional": "required", "excluded": "included", "excludes": "included",
    "excluding": "included", "exclude": "included", "indirect": "direct", "inadmissible": "admissible",
    "without": "with", "cannot": "can", "never": "", "no": "",
    "not": "", "neither": "", "none": "", "nothing": "", "nobody": "", "non": "",
}  # fmt: skip
"""Words that negate, and what they negate: `prohibited` is `not permitted`."""
ALIKE: Final = {
    "allowed": "permitted", "allowable": "permitted", "permissible": "permitted", "permit": "permitted",
    "permits": "permitted", "allow": "permitted", "allows": "permitted", "mandatory": "required",
    "necessary": "required", "requires": "required", "require": "required", "needed": "required",
    "shall": "must", "permitting": "permitted", "allowing": "permitted", "includes": "included",
    "include": "included", "including": "included", "nor": "or",
    "authorised": "authorized",
}  # fmt: skip
"""Words that say the same."""
ZONES: Final = {
    name: zone
    for zone, names in {
        "eastern": "et est edt", "central": "ct cst cdt", "mountain": "mt mst mdt", "pacific": "pt pst pdt",
        "utc": "gmt",
    }.items()
    for name in (zone, *names.split())
}  # fmt: skip
"""Of clock times: a time in one zone is none in another."""
_IGNORED_WORDS: Final = (
    "a an the of in on at for to by and is are was were be been do does did it its this that with from as"
    " between through until"
)
IGNORED: Final = frozenset(_IGNORED_WORDS.split())
"""Words that are not counted, where there are others."""

# Bounds, said with a negation or without one. What is over or under a value says so in front of it.
_BEGINS_VALUE: Final = rf"(?=[\d$\u20ac\u00a3]|(?:{'|'.join(sorted(NUMBER_WORDS | MONTHS.keys()))})\b)"
_MOST: Final = re.compile(
    r"\b(?:(?:no|not) (?:more|greater|longer|larger|higher) than|not to exceed|not exceed(?:ing)?"
    r"|up to|at most|(?:a )?maximum(?: of)?|max\.?|limited to|or (?:fewer|less))(?![a-z])|\u2264 ?|<= ?"
)
_LEAST: Final = re.compile(
    r"\b(?:(?:no|not) (?:less|fewer|lower|shorter|smaller) than|at least|(?:a )?minimum(?: of)?"
    r"|(?<!\d )min\.?|or (?:more|greater))(?![a-z])|\u2265 ?|>= ?"
)
_BY: Final = re.compile(r"\b(?:(?:no|not) later than|on or before)\b")
_FROM: Final = re.compile(r"\b(?:(?:no|not) (?:earlier|sooner) than|on or after|not before)\b")
_OVER: Final = re.compile(
    r"\b(?:(?:more|greater|larger|higher|longer|later) than|in excess of|over|above|exceed(?:s|ing)?|after) "
    + _BEGINS_VALUE
)
_UNDER: Final = re.compile(
    r"\b(?:(?:less|fewer|smaller|lower|shorter|earlier) than|under|below|before) " + _BEGINS_VALUE
)
_BOUNDING: Final = (
    "no not up maximum max minimum min more greater larger higher longer later excess over above exceed"
    " exceeds exceeding after less fewer smaller lower shorter earlier under below before least most limited"
)
_BOUND_WORDS: Final = frozenset(_BOUNDING.split())
_NUMBER_SIGN: Final = re.compile(r"\bnos?[.:] ?(?=[a-z]{0,4}[ -]?\d)|\bnumber (?=[a-z]{0,4}-?\d)|#(?=\d)")
_NON: Final = re.compile(r"\bnon-?(?=[a-z]{4})(?!etheless|sense|chalant)")
_SHORT: Final = re.compile(r"\b(?:(fy)|q)(?= ?'?\d)")
_CONTRACTION: Final = re.compile(r"\b(ca|wo|sha|[a-z]+)n't\b")
_FULL: Final = {"ca": "can", "wo": "will", "sha": "must"}
_TICK: Final = re.compile(r"\[([ x*]?)\](?= |$)|([\u2610-\u2612\u2713-\u2718\u2705\u274c\u274e])")
_TICKED: Final = frozenset("x*\u2611\u2612\u2713\u2714\u2705")
_TICK_MARKS: Final = frozenset("[\u2610\u2611\u2612\u2713\u2714\u2715\u2716\u2717\u2718\u2705\u274c\u274e")
_RANGE: Final = re.compile(
    r"(?<![\w.,/:-])([$\u20ac\u00a3]?)([1-9]\d{0,8})-[$\u20ac\u00a3]?([1-9]\d{0,8})"
    r"(?![\w/:-]|[.,]\d)(%| (?:thousand|million|billion|percent)\b)?"
)

# `c++` and `c#` are not `c`.
_WORD: Final = re.compile(r"[^\W\d_]+[+#]*")
_LEAD: Final = re.compile(r"""[("'\[<{*~\u00a7\u2022>=|]*""")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_DIGIT: Final = re.compile(r"\d")
_RUN: Final = re.compile(
    r"\^-?\d+|\d{1,3}(?:,\d{3})+(?![\d,])|\d+(?:\.\d+)*|[^\W\d_]+|[$\u20ac\u00a3\u00a5%]"
)
_ORDINAL: Final = re.compile(r"([1-9]\d{0,5})(?:st|nd|rd|th)(?!\w)")
_AGAIN: Final = re.compile(r" ?\((\d[\d,]*)\)")
_GOES_ON: Final = re.compile(r"\w|[-./:,']\d|-[a-z]\d|\^")
_CURRENCY_SIGN: Final = re.compile(r"[+-]?[^\w\s.,;:+()'\"/%#&*<=>@\[\]\\^`{|}~!?-]? ?\d")

_NAMED: Final = frozenset({*MONTHS, *WEEKDAYS, "the", "noon", "midnight"})
TRIGGERS: Final = NUMBER_WORDS | (_NAMED - {"the"}) | NEGATED.keys() | ALIKE.keys() | _BOUND_WORDS | {"t"}
"""Words without which a text without digits is nothing but its letters."""


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


_NOTHING: Final = object()


class Statement:
    """A text taken apart."""

    __slots__ = ("bounds", "guard", "key", "month", "negations", "plain", "rest", "tokens", "values", "words")

    def __init__(self, text: str, original: str = "") -> None:
        """Take apart a plain text; `original` is the text as it was written, in its own case."""
        self.plain = text
        self.guard: object = _NOTHING
        """What makes two texts two statements; one object for all that state nothing but words."""
        self.bounds = (0, 0, 0, 0)
        self.month = read_year_and_month(text) if len(text) <= len("2026-07") else None
        """The month of a year that the whole may be (`2026-07`), where the other side is one."""
        self.negations = 0
        self.values: tuple[Value, ...] = ()
        self.key: frozenset[tuple[tuple[str, object], int]] = frozenset()
        words = _WORD.findall(text)
        is_plain = (
            _DIGIT.search(text) is None
            and TRIGGERS.isdisjoint(words)
            and _TICK_MARKS.isdisjoint(text)
            and "non" not in text
        )
        if is_plain or len(text) > LONGEST:
            self.tokens: list[Token] = []
            self.rest = text
        else:
            self.guard = self
            self._take_apart(text, original)
            words = [token for token in self.tokens if isinstance(token, str)]
        self.words = _counted(words, has_values=bool(self.values))

    @classmethod
    def of_number(cls, value: Number) -> Statement:
        """Return what a JSON number states."""
        statement = cls("")
        statement.plain = canonical_text(value)
        statement.guard = statement
        lone = Value("number", value)
        statement.tokens, statement.values, statement.key = [lone], (lone,), _key((lone,))
        return statement

    def _take_apart(self, text: str, original: str) -> None:
        plain = text
        if not _TICK_MARKS.isdisjoint(text):
            text = _TICK.sub(_as_box, text)
        if "n't" in text:
            text = _CONTRACTION.sub(lambda found: f"{_FULL.get(found[1], found[1])} not", text)
        text = _SHORT.sub(lambda found: "fiscal year " if found[1] else "quarter ", text)
        text = _NON.sub("non ", _NUMBER_SIGN.sub("", text))
        text = self._without_bounds(text)
        text = _RANGE.sub(_as_range, text)
        # Codes of currencies that are words are told by their case, where nothing has moved them.
        cased = uncased_text(original) if text == plain else ""
        cased = cased if len(cased) == len(text) else ""
        if text[:1] == "(" and (amount := read_amount(text, cased)):
            self.tokens = [Value("number", amount.value, amount.unit)]
        else:
            lone = _lone_duration(text)
            self.tokens = [lone] if lone else self._without_negations(_tokens(text, cased))
        boxes = [token for token in self.tokens if isinstance(token, Value) and token.kind == "box"]
        if boxes == [OPEN_BOX]:
            # A lone box that is open is no more than the mark of a list's item.
            self.tokens.remove(OPEN_BOX)
        self.values = tuple(token for token in self.tokens if isinstance(token, Value))
        if self.values:
            self.key = _key(self.values)
        self.rest = " ".join(token for token in self.tokens if isinstance(token, str))

    def _without_negations(self, found: Iterable[Token]) -> list[Token]:
        tokens: list[Token] = []
        for token in found:
            if not isinstance(token, str):
                tokens.append(token)
            elif token in ZONES and tokens and isinstance(last := tokens[-1], Value) and last.kind == "time":
                tokens.append(Value("zone", ZONES[token]))
            elif token in NEGATED:
                self.negations += 1
                if NEGATED[token]:
                    tokens.append(NEGATED[token])
            else:
                tokens.append(ALIKE.get(token, token))
        return tokens

    def _without_bounds(self, text: str) -> str:
        text, most = _MOST.subn("", text)
        text, least = _LEAST.subn("", text)
        text = _FROM.sub("", _BY.sub("", text))
        text = text.replace("not only", "")
        text, over = _OVER.subn("", text)
        text, under = _UNDER.subn("", text)
        self.bounds = (most, least, over, under)
        return text


@lru_cache(maxsize=8_192)
def statement_of(text: str) -> Statement:
    """Return what a text states; those met last are kept, since replies repeat each other."""
    return Statement(plain_text(text), text)


@lru_cache(maxsize=32_768)
def likeness(left: Statement, right: Statement, *, by_words: bool = False) -> float:
    """Return how like two texts are, in [0, 1]: 0 where they state different things.

    `by_words` takes words in common alone, without regard to their letters. The pairs compared last are kept:
    each two replies of a case are compared, and most of what differs in them differs in several.
    """
    if left.guard is not right.guard:
        if left.negations != right.negations:
            return 0.0
        if left.bounds != right.bounds and _contradict(left.bounds, right.bounds):
            return 0.0
        if left.key != right.key:
            return float(_same_when_read_together(left, right))
        if left.values and not _agree(left, right):
            return 0.0
    return _likeness_of_words(left, right, by_words=by_words)


def _key(values: Iterable[Value]) -> frozenset[tuple[tuple[str, object], int]]:
    """Return the multiset of values, units aside."""
    return frozenset(Counter((value.kind, value.says) for value in values).items())


def _likeness_of_words(left: Statement, right: Statement, *, by_words: bool) -> float:
    words, others = left.words, right.words
    if left.values and not (words and others):
        if words == others or _is_unit(left.tokens, right.tokens) or _is_unit(right.tokens, left.tokens):
            return 1.0
        return 0.0
    common = len(words & others)
    together = len(words) + len(others)
    shared = 2 * common / together if together else 0.0
    if by_words:
        return shared if shared >= LEAST_IN_COMMON else 0.0
    letters = similarity(left.rest, right.rest) if shared < 1 else 1.0
    return max(letters, shared) if shared > LEAST_IN_COMMON else letters


def _is_unit(tokens: list[Token], others: list[Token]) -> bool:
    """Whether the one is a number, and the other that number with its unit."""
    return (
        len(tokens) == 1
        and len(others) == 2  # noqa: PLR2004 (number and unit)
        and isinstance(others[0], Value)
        and others[0].kind == "number"
    )


def _same_when_read_together(left: Statement, right: Statement) -> bool:
    """Whether two lone values are one, where the one shows what the other is."""
    month = left.month or right.month
    if month is not None and [left.month or month] == [right.month or month]:
        alone = [side.tokens == [Value("month", month)] or side.month == month for side in (left, right)]
        return all(alone)
    if len(left.tokens) != 1 or len(right.tokens) != 1:
        return False
    one, other = left.tokens[0], right.tokens[0]
    if not isinstance(one, Value) or not isinstance(other, Value):
        return False
    return _shown_by(one, other) or _shown_by(other, one)


def _shown_by(one: Value, other: Value) -> bool:
    """Whether a value in digits is what the other side is, which of itself may be anything."""
    digits = other.says
    if other.kind != "number" or not isinstance(digits, int | float):
        return False
    if one.kind == "duration":
        return other.unit is None and one.written == digits
    if one.kind == "date":
        moment = read_moment(str(digits))
        return moment is not None and (moment.at.year, moment.at.month, moment.at.day) == one.says
    if one.kind == "number" and isinstance(one.says, int | float):
        # Numbers, of which one went through doubles; amounts of money are exact.
        is_exact = {one.unit, other.unit} & CURRENCIES or (
            isinstance(one.says, int) and isinstance(digits, int)
        )
        return not is_exact and equal_numbers(one.says, digits, NUMBER_TOLERANCE, relative=True)
    return False


def _contradict(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    most, least, over, under = one
    if (over, under) != other[2:]:
        return True
    return bool(
        (most and not least and other[1] and not other[0])
        or (least and not most and other[0] and not other[1])
    )


def _agree(left: Statement, right: Statement) -> bool:
    """Whether values that are equal have units that are, and belong to the same words."""
    ones, others = left.values, right.values
    if len(ones) == len(others) == 1:
        return ones[0].unit == others[0].unit or same_unit(ones[0].unit, others[0].unit)
    if _in_kinds(ones) == _in_kinds(others):
        return all(
            same_unit(one.unit, other.unit)
            for one, other in zip(sorted(ones, key=_sort), sorted(others, key=_sort), strict=True)
        )
    # In another order, each must keep a word beside it: `year 1: $5; year 2: $6` is not `year 1: $6; ...`.
    around = _neighbours(left.tokens)
    for value, before, after in _neighbours(right.tokens):
        for at, (other, its_before, its_after) in enumerate(around):
            if (
                value[:2] == other[:2]
                and same_unit(value.unit, other.unit)
                and ((before and before == its_before) or (after and after == its_after))
            ):
                del around[at]
                break
        else:
            return False
    return True


def _in_kinds(values: Iterable[Value]) -> dict[str, list[object]]:
    """Return the values of each sort in their order: a date and an amount may change places."""
    kinds: dict[str, list[object]] = {}
    for value in values:
        kinds.setdefault(_sort(value), []).append(value.says)
    return kinds


def _sort(value: Value) -> str:
    return value.kind if value.kind != "number" or value.unit is None else f"number {value.unit == PERCENT}"


def _neighbours(tokens: list[Token]) -> list[tuple[Value, Token | None, Token | None]]:
    kept = [token for token in tokens if not (isinstance(token, str) and token in IGNORED)]
    bare = [token[:2] if isinstance(token, Value) else token for token in kept]
    return [
        (token, bare[at - 1] if at else None, bare[at + 1] if at + 1 < len(kept) else None)  # type: ignore[misc]
        for at, token in enumerate(kept)
        if isinstance(token, Value)
    ]


def _counted(words: list[str], *, has_values: bool) -> frozenset[str]:
    """Return a multiset of words as a set: each one's second time is another word."""
    counted = [word for word in words if word not in IGNORED]
    if not counted and not has_values:
        counted = words
    found = frozenset(counted)
    if len(found) == len(counted):
        return found
    times: dict[str, int] = {}
    for word in counted:
        times[word] = times.get(word, 0) + 1
    return frozenset(word if at == 0 else f"{word} {at}" for word in times for at in range(times[word]))


def _as_box(found: re.Match[str]) -> str:
    return f" {TICKED if (found[1] or found[2]) in _TICKED else OPEN} "


def _as_range(found: re.Match[str]) -> str:
    """Write `10-15` as `10 to 15`; what does not rise is a number with a hyphen (`26-508` does)."""
    sign, low, high, scale = found.groups("")
    return f"{sign}{low}{scale} to {sign}{high}{scale}" if int(low) < int(high) else found[0]


def _tokens(text: str, cased: str) -> list[Token]:
    """Return the words and values of a text, in order."""
    tokens: list[Token] = []
    at, length = 0, len(text)
    while at < length:
        if text[at] == " ":
            at += 1
            continue
        begins = at == 0 or text[at - 1] == " "
        if text[at] in BOXES:
            tokens.append(BOXES[text[at]])
            at += 1
            continue
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
        return _moment(text, at) or _time(text, at) or _ordinal(text, at) or _number(text, at, cased)
    letters = _LETTERS.match(text, at)
    if letters is None:
        return _number(text, at, cased) if _CURRENCY_SIGN.match(text, at) else None
    word = letters[0]
    if word in _NAMED and (found := _moment(text, at) or _time(text, at)):
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
    written = match_written_amount(text, at) if end == number[1] else None
    return _with_unit(text, at, *(written or (Quantity(value), end)))


def _add_chunk(tokens: list[Token], chunk: str) -> None:
    """Take a chunk that is no value for its words and its runs of digits."""
    if _DIGIT.search(chunk) is None:
        tokens.extend(_WORD.findall(chunk))
        return
    for run in _RUN.findall(chunk):
        if run[0] == "^":
            tokens.append(Value("digits", run))
        elif not run[0].isdigit():
            if run.isalpha():
                tokens.append(run)
        elif len(run) > MOST_DIGITS:
            tokens.append(Value("digits", run))
        elif "," in run:
            tokens.append(Value("number", int(run.replace(",", ""))))
        elif (run[0] == "0" and run[1:2] not in {"", "."}) or run.count(".") > 1:
            tokens.append(Value("digits", run))
        else:
            tokens.append(Value("number", float(run) if "." in run else int(run)))


def _lone_duration(text: str) -> Value | None:
    """Return the duration of ISO 8601 that a whole text is (`P3Y`)."""
    duration = read_duration(text) if text[0] == "p" else None
    return Value("duration", duration.length) if duration else None
