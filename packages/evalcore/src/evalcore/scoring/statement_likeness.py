"""How like two statements are: not at all where they state different things, else as their words are.

Two texts are alike only if the multisets of values that the readers find in both are equal, and their
negations, ticks and bounds; how far is then a matter of the remaining words.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from evalcore.scoring.comparators import similarity
from evalcore.scoring.readers.amounts import PERCENT, same_unit
from evalcore.scoring.readers.currencies import CURRENCIES
from evalcore.scoring.readers.dates import read_moment
from evalcore.scoring.rules.rules import NUMBER_TOLERANCE
from evalcore.scoring.statements import IGNORED, Statement
from evalcore.scoring.tokens import Token, Value
from evalcore.scoring.values import equal_numbers

LEAST_IN_COMMON: Final = 0.5
"""Of words in common: texts that share no more of them have nothing to do with each other."""


def likeness(left: Statement, right: Statement, *, by_words: bool = False) -> float:
    """Return how like two texts are, in [0, 1]: 0 where they state different things.

    `by_words` takes words in common alone, whatever their letters.
    """
    # Two texts of words alone share one guard, and are most of what is compared.
    if left.guard is not right.guard:
        if left.negations != right.negations:
            return 0.0
        if left.bounds != right.bounds and _contradict(left.bounds, right.bounds):
            return 0.0
        if left.key != right.key:
            # `20260701` is a number until the other side is a date, as `36` is one beside `36 months`.
            return float(_same_when_read_together(left, right))
    # Not cached until here: of two long lists most pairs end above, sooner than they would be looked up.
    return _likeness_of_like(left, right, by_words)


@lru_cache(maxsize=32_768)
def _likeness_of_like(left: Statement, right: Statement, by_words: bool) -> float:  # noqa: FBT001 (as a key)
    """Return how like two texts with the same values are.

    The pairs compared last are cached: each two replies of a case are compared, and most of what differs in
    them differs in several.
    """
    if left.guard is not right.guard and left.values and not _agree(left, right):
        return 0.0
    return _likeness_of_words(left, right, by_words=by_words)


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
    # Spelling is compared only where the words differ: texts with the same words are spelled alike.
    letters = similarity(left.rest, right.rest) if shared < 1 else 1.0
    # Words in another order are the same statement, which letter by letter they are not.
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
    # `over 5` leaves out what `5` is. A bound is met by its value alone: `up to 15 pages` is `15 pages`, and
    # only the opposite bound is another.
    if (over, under) != other[2:]:
        return True
    return bool(
        (most and not least and other[1] and not other[0])
        or (least and not most and other[0] and not other[1])
    )


def _agree(left: Statement, right: Statement) -> bool:
    """Whether values that are equal have units that are, and belong to the same words."""
    ones, others = left.values, right.values
    # A lone value has no order that it could be out of.
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
