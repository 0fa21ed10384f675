"""How like two leaves are, by their field's rule: symmetric, in [0, 1]."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.comparators import similarity
from evalcore.scoring.plain_text import plain_text
from evalcore.scoring.readers.amounts import PERCENT, same_unit
from evalcore.scoring.readers.currencies import CURRENCIES
from evalcore.scoring.rules.rules import CLOSENESS, MONEY_TOLERANCE, NUMBER_TOLERANCE, Comparator, Rule
from evalcore.scoring.statement_likeness import likeness
from evalcore.scoring.statements import Statement, statement_of
from evalcore.scoring.values import Moment, Quantity, equal_numbers, moment_of, quantity_of
from evalcore.structs import JsonScalar

_WORD = re.compile(r"\w+")
LONGEST_KEPT = 500
"""The longest text, in characters, whose Statement is shared with equal texts of other replies.

Shared ones stay in memory beyond their case (see `statement_of`); the bound keeps that small.
"""
_SEPARATOR = re.compile(r"[,;\n]")


class Reading:
    """A scalar, and what it says; each reading of it is made once."""

    __slots__ = ("_moment", "_plain", "_quantity", "_statement", "_words", "value")

    def __init__(self, value: JsonScalar) -> None:
        self.value = value
        self._plain: str | None = None
        # False: not read yet. None: read, and there is none.
        self._quantity: Quantity | bool | None = False
        self._moment: Moment | bool | None = False
        self._words: Counter[str] | None = None
        self._statement: Statement | None = None

    @property
    def text(self) -> str:
        """A text as it stands, anything else as JSON."""
        return self.value if isinstance(self.value, str) else canonical_text(self.value)

    @property
    def plain(self) -> str:
        """The text with all that reads alike made equal."""
        if self._plain is None:
            self._plain = plain_text(self.text)
        return self._plain

    @property
    def quantity(self) -> Quantity | None:
        """The number or amount that it is, or writes."""
        if isinstance(self._quantity, bool):
            self._quantity = quantity_of(self.value)
        return self._quantity

    @property
    def moment(self) -> Moment | None:
        """The date or time that it writes."""
        if isinstance(self._moment, bool):
            self._moment = moment_of(self.value)
        return self._moment

    @property
    def statement(self) -> Statement:
        """What it states: its values, negations and words."""
        if self._statement is None:
            value = self.value
            if isinstance(value, str):
                kept = len(value) <= LONGEST_KEPT
                self._statement = statement_of(value) if kept else Statement(self.plain, value)
            else:
                self._statement = Statement.of_number(value or 0)
        return self._statement

    @property
    def words(self) -> Counter[str]:
        """Its words, with how often each occurs."""
        if self._words is None:
            self._words = Counter(_WORD.findall(self.plain))
        return self._words


class LeafComparison:
    """Compares leaves of one case; `excerpts` are those that its author took from the input."""

    def __init__(self, input_text: str, excerpts: Iterable[Reading] = ()) -> None:
        self._input = input_text
        self._plain_input: str | None = None
        self._excerpts = frozenset(excerpt.plain for excerpt in excerpts)

    def compare(self, rule: Rule, left: Reading, right: Reading) -> float:
        """Return how like two leaves are; neither is null."""
        if rule.compare == "contained_in_input":
            return self._contained(left, right)
        return _COMPARATORS[rule.compare](rule, left, right)

    def _contained(self, left: Reading, right: Reading) -> float:
        """Any excerpt of the input is as good as another, the author's too, who may have cut it short."""
        if self._plain_input is None:
            self._plain_input = plain_text(self._input)
        sides = left.plain, right.plain
        held = [bool(text) and text in self._plain_input for text in sides]
        # Where both stand in the input there is nothing to weigh: which excerpt is cited is the author's
        # choice.
        if all(stands or text in self._excerpts for stands, text in zip(held, sides, strict=True)):
            return 1.0
        return 0.0 if any(held) else similarity(*sides)


def is_exact(left: JsonScalar, right: JsonScalar) -> bool:
    """Whether two scalars are one JSON value: 1 and 1.0 are, 1 and true or "1" are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return isinstance(left, str) == isinstance(right, str) and left == right


def _exact(_rule: Rule, left: Reading, right: Reading) -> float:
    return float(is_exact(left.value, right.value))


def _number(rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.quantity, right.quantity
    if one is None or other is None:
        return _unread(left, right)
    # A schema that says "number" leaves open whether 5 % is written 5 or 0.05.
    if rule.fractions and PERCENT in {one.unit, other.unit} and _is_fraction_of(one, other):
        return 1.0
    return float(same_unit(one.unit, other.unit) and _within(rule, one, other))


def _is_fraction_of(one: Quantity, other: Quantity) -> bool:
    """Whether the one is a percentage, and the other that share of one."""
    percentage, share = (one, other) if one.unit == PERCENT else (other, one)
    return share.unit is None and equal_numbers(
        percentage.value / 100, share.value, NUMBER_TOLERANCE, relative=True
    )


def _within(rule: Rule, one: Quantity, other: Quantity) -> bool:
    tolerance = rule.tolerance
    if tolerance is None:
        is_money = rule.compare == "money" or one.is_money or other.is_money
        tolerance = MONEY_TOLERANCE if is_money else NUMBER_TOLERANCE
    return equal_numbers(one.value, other.value, tolerance, relative=rule.relative)


def _closeness(rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.quantity, right.quantity
    if one is None or other is None:
        return _unread(left, right)
    try:
        return max(0.0, 1 - abs(one.value - other.value) / CLOSENESS)
    except OverflowError:
        # whole numbers beyond what a float can hold: JSON bounds none
        return _exact(rule, left, right)


def _date(_rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.moment, right.moment
    if one is None or other is None:
        return _unread(left, right)
    return float(one == other)


def _text_likeness(rule: Rule, left: Reading, right: Reading) -> float:
    # Prose is judged by its wording as a whole: a value in it that differs is one word among many.
    if rule.is_prose:
        return similarity(left.plain, right.plain)
    one, other = left.statement, right.statement
    return 1.0 if one.plain == other.plain else likeness(one, other)


def _words(_rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.statement, right.statement
    return 1.0 if one.plain == other.plain else likeness(one, other, by_words=True)


def _normalized(_rule: Rule, left: Reading, right: Reading) -> float:
    return float(left.plain == right.plain)


def _tokens(_rule: Rule, left: Reading, right: Reading) -> float:
    """F1 over words: 2 x common / (both together), repeated words counted as often as in both."""
    words, others = left.words, right.words
    # Two texts without a word, such as signs alone, share no word that could be counted.
    together = words.total() + others.total()
    return 2 * (words & others).total() / together if together else float(left.plain == right.plain)


def _set(_rule: Rule, left: Reading, right: Reading) -> float:
    """Texts as sets, their members set apart by comma, semicolon or line: common / all."""
    one, other = _members(left), _members(right)
    return len(one & other) / len(one | other) if one or other else 1.0


def _members(reading: Reading) -> set[str]:
    return {plain_text(part) for part in _SEPARATOR.split(reading.text) if part.strip()}


def _one_of(rule: Rule, left: Reading, right: Reading) -> float:
    # Listed values stand for each other on both sides: the comparison of two replies has no expected one.
    held = [any(is_exact(option, side.value) for option in rule.options) for side in (left, right)]
    return float(all(held) or is_exact(left.value, right.value))


def _range(rule: Rule, left: Reading, right: Reading) -> float:
    # An expected value outside of the range is the author's, and is met by itself.
    return float((_in_range(rule, left) and _in_range(rule, right)) or is_exact(left.value, right.value))


def _in_range(rule: Rule, reading: Reading) -> bool:
    quantity = reading.quantity
    if quantity is None:
        return False
    above = rule.low is None or quantity.value >= rule.low
    return above and (rule.high is None or quantity.value <= rule.high)


def comparator_shown(value: JsonScalar) -> Comparator:
    """Return what a value shows itself to be, where schema and policy leave its comparison open."""
    if isinstance(value, bool):
        return "exact"
    tokens = Reading(value).statement.tokens
    lone = tokens[0] if len(tokens) == 1 else None
    if lone is None or isinstance(lone, str):
        return "number" if quantity_of(value) else "text"
    # A lone value decides: "3 years" is a number, "within 3 years of the start" is a text that holds one.
    if lone.kind in {"number", "duration"}:
        return "money" if lone.unit in CURRENCIES else "number"
    return "text" if lone.kind == "digits" else "date"


def _as_shown(rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.value, right.value
    if isinstance(one, str) and isinstance(other, str):
        return _text_likeness(rule, left, right)
    if isinstance(one, bool) or isinstance(other, bool):
        # Python's True is a number and equal to 1
        return float(one is other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        # Whole numbers may be identifiers: those are the same or not.
        whole = isinstance(one, int) and isinstance(other, int)
        return float(one == other if whole else equal_numbers(one, other, NUMBER_TOLERANCE, relative=True))
    return _text_likeness(rule, left, right)


def _unread(left: Reading, right: Reading) -> float:
    """Compare values of which one is not what its field is for: they are the same statement or not."""
    if left.plain == right.plain:
        return 1.0
    return float(likeness(left.statement, right.statement) == 1)


def _ignore(_rule: Rule, _left: Reading, _right: Reading) -> float:
    return 1.0


_COMPARATORS: Mapping[Comparator, Callable[[Rule, Reading, Reading], float]] = {
    "exact": _exact,
    "number": _number,
    "closeness": _closeness,
    "confidence": _closeness,
    "date": _date,
    "money": _number,
    "text": _text_likeness,
    "normalized": _normalized,
    "words": _words,
    "tokens": _tokens,
    "set": _set,
    "one_of": _one_of,
    "range": _range,
    "as shown": _as_shown,
    "ignore": _ignore,
}
