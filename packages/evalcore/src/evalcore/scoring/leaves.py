"""How like two leaves are, by their field's rule: symmetric, in [0, 1]."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.comparators import similarity
from evalcore.scoring.rules.rules import CLOSENESS, Comparator, Rule
from evalcore.scoring.values import (
    CURRENCIES,
    Moment,
    Quantity,
    equal_numbers,
    moment_of,
    plain_text,
    quantity_of,
)
from evalcore.structs import JsonScalar

_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"[,;\n]")


class Reading:
    """A scalar, and what it says; each reading of it is made once."""

    __slots__ = ("_moment", "_plain", "_quantity", "_words", "value")

    def __init__(self, value: JsonScalar) -> None:
        self.value = value
        self._plain: str | None = None
        self._quantity: Quantity | bool | None = False
        self._moment: Moment | bool | None = False
        self._words: Counter[str] | None = None

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
    return float(_same_unit(one, other) and _within(rule, one, other))


def _within(rule: Rule, one: Quantity, other: Quantity) -> bool:
    return equal_numbers(one.value, other.value, rule.tolerance, relative=rule.relative)


def _closeness(rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.quantity, right.quantity
    if one is None or other is None:
        return _unread(left, right)
    try:
        return max(0.0, 1 - abs(one.value - other.value) / CLOSENESS)
    except OverflowError:
        return _exact(rule, left, right)


def _date(_rule: Rule, left: Reading, right: Reading) -> float:
    one, other = left.moment, right.moment
    if one is None or other is None:
        return _unread(left, right)
    return float(one.at == other.at)


def _text_likeness(_rule: Rule, left: Reading, right: Reading) -> float:
    return similarity(left.plain, right.plain)


def _tokens(_rule: Rule, left: Reading, right: Reading) -> float:
    """F1 over words: 2 x common / (both together), repeated words counted as often as in both."""
    words, others = left.words, right.words
    together = words.total() + others.total()
    return 2 * (words & others).total() / together if together else float(left.plain == right.plain)


def _set(_rule: Rule, left: Reading, right: Reading) -> float:
    """Texts as sets, their members set apart by comma, semicolon or line: common / all."""
    one, other = _members(left), _members(right)
    return len(one & other) / len(one | other) if one or other else 1.0


def _members(reading: Reading) -> set[str]:
    return {plain_text(part) for part in _SEPARATOR.split(reading.text) if part.strip()}


def _one_of(rule: Rule, left: Reading, right: Reading) -> float:
    held = [any(is_exact(option, side.value) for option in rule.options) for side in (left, right)]
    return float(all(held) or is_exact(left.value, right.value))


def _range(rule: Rule, left: Reading, right: Reading) -> float:
    return float((_in_range(rule, left) and _in_range(rule, right)) or is_exact(left.value, right.value))


def _in_range(rule: Rule, reading: Reading) -> bool:
    quantity = reading.quantity
    if quantity is None:
        return False
    above = rule.low is None or quantity.value >= rule.low
    return above and (rule.high is None or quantity.value <= rule.high)


def comparator_shown(value: JsonScalar) -> Comparator:
    """Return what a value shows itself to be, where schema and policy leave its comparison open."""
    reading = Reading(value)
    if isinstance(value, bool):
        return "exact"
    if reading.moment is not None:
        return "date"
    if reading.quantity is None:
        return "text"
    return "money" if reading.quantity.unit in CURRENCIES else "number"


def _as_shown(rule: Rule, left: Reading, right: Reading) -> float:
    if isinstance(left.value, bool) or isinstance(right.value, bool):
        return float(left.value is right.value)
    if left.moment is not None or right.moment is not None:
        return _date(rule, left, right)
    one, other = left.quantity, right.quantity
    if one is None and other is None:
        return similarity(left.plain, right.plain)
    if one is None or other is None or not _same_unit(one, other):
        return 0.0
    # Whole numbers may be identifiers: those are the same or not.
    whole = isinstance(one.value, int) and isinstance(other.value, int)
    return float(one.value == other.value if whole else _within(rule, one, other))


def _same_unit(one: Quantity, other: Quantity) -> bool:
    return one.unit is None or other.unit is None or one.unit == other.unit


def _unread(left: Reading, right: Reading) -> float:
    return float(left.plain == right.plain)


def _ignore(_rule: Rule, _left: Reading, _right: Reading) -> float:
    return 1.0


_COMPARATORS: Mapping[Comparator, Callable[[Rule, Reading, Reading], float]] = {
    "exact": _exact,
    "number": _number,
    "closeness": _closeness,
    "date": _date,
    "money": _number,
    "text": _text_likeness,
    "tokens": _tokens,
    "set": _set,
    "one_of": _one_of,
    "range": _range,
    "as shown": _as_shown,
    "ignore": _ignore,
}
