"""How like two leaves are, by their field's rule: symmetric, in [0, 1]."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from evalcore.scoring.canonical_text import canonical_text
from evalcore.scoring.comparators import similarity
from evalcore.scoring.rules import CLOSENESS, Comparator, Rule
from evalcore.scoring.values import Quantity, equal_numbers, moment_of, plain_text, quantity_of
from evalcore.structs import JsonScalar

_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"[,;\n]")


class LeafComparison:
    """Compares leaves of one case; remembers what it has read out of its input and its texts."""

    def __init__(self, input_text: str) -> None:
        self._input = input_text
        self._plain_input: str | None = None

    def compare(self, rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
        """Return how like two leaves are; neither is null."""
        if rule.compare == "contained_in_input":
            return self._contained(left, right)
        return _COMPARATORS[rule.compare](rule, left, right)

    def _contained(self, left: JsonScalar, right: JsonScalar) -> float:
        """Any excerpt of the input is as good as another; of others, their texts count."""
        if self._plain_input is None:
            self._plain_input = plain_text(self._input)
        one, other = plain_text(_text(left)), plain_text(_text(right))
        held = (bool(one) and one in self._plain_input, bool(other) and other in self._plain_input)
        return float(all(held)) if any(held) else similarity(one, other)


def is_exact(left: JsonScalar, right: JsonScalar) -> bool:
    """Whether two scalars are one JSON value: 1 and 1.0 are, 1 and true or "1" are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return isinstance(left, str) == isinstance(right, str) and left == right


def _exact(_rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    return float(is_exact(left, right))


def _number(rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    one, other = quantity_of(left), quantity_of(right)
    if one is None or other is None:
        return _unread(left, right)
    return float(_same_unit(one, other) and _within(rule, one, other))


def _within(rule: Rule, one: Quantity, other: Quantity) -> bool:
    return equal_numbers(one.value, other.value, rule.tolerance, relative=rule.relative)


def _closeness(rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    one, other = quantity_of(left), quantity_of(right)
    if one is None or other is None:
        return _unread(left, right)
    try:
        return max(0.0, 1 - abs(one.value - other.value) / CLOSENESS)
    except OverflowError:
        return _exact(rule, left, right)


def _date(_rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    one, other = moment_of(left), moment_of(right)
    if one is None or other is None:
        return _unread(left, right)
    return float(one.at == other.at)


def _text_likeness(_rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    return similarity(plain_text(_text(left)), plain_text(_text(right)))


def _tokens(_rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    """F1 over words: 2 x common / (both together), repeated words counted as often as in both."""
    one, other = plain_text(_text(left)), plain_text(_text(right))
    words, others = Counter(_WORD.findall(one)), Counter(_WORD.findall(other))
    together = words.total() + others.total()
    return 2 * (words & others).total() / together if together else float(one == other)


def _set(_rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    """Texts as sets, their members set apart by comma, semicolon or line: common / all."""
    one, other = _members(left), _members(right)
    return len(one & other) / len(one | other) if one or other else 1.0


def _members(value: JsonScalar) -> set[str]:
    return {plain_text(part) for part in _SEPARATOR.split(_text(value)) if part.strip()}


def _one_of(rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    held = [any(is_exact(option, value) for option in rule.options) for value in (left, right)]
    return float(all(held) or is_exact(left, right))


def _range(rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    return float((_in_range(rule, left) and _in_range(rule, right)) or is_exact(left, right))


def _in_range(rule: Rule, value: JsonScalar) -> bool:
    quantity = quantity_of(value)
    if quantity is None:
        return False
    above = rule.low is None or quantity.value >= rule.low
    return above and (rule.high is None or quantity.value <= rule.high)


def _as_shown(rule: Rule, left: JsonScalar, right: JsonScalar) -> float:
    if isinstance(left, bool) or isinstance(right, bool):
        return float(left is right)
    if left == right and isinstance(left, str) == isinstance(right, str):
        return 1.0
    if moment_of(left) is not None or moment_of(right) is not None:
        return _date(rule, left, right)
    one, other = quantity_of(left), quantity_of(right)
    if one is not None or other is not None:
        if one is None or other is None or not _same_unit(one, other):
            return 0.0
        # Whole numbers may be identifiers: those are the same or not.
        whole = isinstance(one.value, int) and isinstance(other.value, int)
        return float(one.value == other.value if whole else _within(rule, one, other))
    return _text_likeness(rule, left, right)


def _same_unit(one: Quantity, other: Quantity) -> bool:
    return one.unit is None or other.unit is None or one.unit == other.unit


def _unread(left: JsonScalar, right: JsonScalar) -> float:
    return float(plain_text(_text(left)) == plain_text(_text(right)))


def _ignore(_rule: Rule, _left: JsonScalar, _right: JsonScalar) -> float:
    return 1.0


def _text(value: JsonScalar) -> str:
    return value if isinstance(value, str) else canonical_text(value)


_COMPARATORS: Mapping[Comparator, Callable[[Rule, JsonScalar, JsonScalar], float]] = {
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
