"""ANLS*: how right an answer's tree is (Peer et al., arXiv 2402.03848), equal to the package `anls-star`.

The score is the sum of the leaves' similarities over the number of leaves. Objects are compared key by
key over the union of their keys, lists by the optimal assignment (see `assignment`), leaves as texts
(`str` of the value, lower case, white space made one), similarities below 0.5 counting 0. What cannot be
compared (a list with an object) scores 0 with the leaves of the larger side counted.

The reference's rules for "no value" are kept, and they are not symmetric: an expected null is met by
null, "", [], {} and by absence; an expected "" or [] is not met by null or absence; a key that was not
expected counts a leaf that is wrong, even if its value is null. Two empty containers of different kinds
hold no leaf, and nothing over nothing is 1. Where the reference raises because there is nothing to
choose from (an empty list of options against a string), the score is 0.
"""

from __future__ import annotations

from typing import NamedTuple

from evalcore.scoring.assignment import UNIT, Cell, Matching, match_elements
from evalcore.scoring.comparators import similarity
from evalcore.scoring.nodes import NULL, DictNode, LeafNode, ListNode, Node, NullNode, leaf_total


class Pair(NamedTuple):
    """An expected part compared with an answered one."""

    total: int
    """The sum of the leaves' similarities, in units of 1 / UNIT."""
    leaves: int
    exact: bool
    """Whether the part of the expected answer closest to the answered one equals it; decides ties."""


class TreeComparison:
    """Compares nodes of one Interner, each pair once."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], Pair] = {}
        self._matchings: dict[tuple[int, int], Matching] = {}
        self._blank = Pair(UNIT, 1, exact=True)
        self._wrong = Pair(0, 1, exact=False)

    def score(self, expected: Node, answered: Node) -> float:
        """Return ANLS* of an answer."""
        pair = self.pair(expected, answered)
        return pair.total / (pair.leaves * UNIT) if pair.leaves else 1.0

    def score_with_options(self, expected: Node, answered: Node) -> float:
        """Return ANLS* as the package gives it.

        A string answered where a list of strings was expected is compared with each of them, and the
        best counts: that is how question answering data sets list their accepted answers.
        """
        if isinstance(expected, ListNode) and _is_text(answered) and all(map(_is_text, expected.items)):
            return max((self.score(option, answered) for option in expected.items), default=0.0)
        return self.score(expected, answered)

    def pair(self, expected: Node, answered: Node) -> Pair:
        """Compare two parts."""
        if expected is answered:
            return Pair(expected.size * UNIT, expected.size, exact=True)
        if isinstance(expected, NullNode):
            return self._blank if answered.is_blank else Pair(0, max(1, answered.size), exact=False)
        key = (expected.number, answered.number)
        known = self._pairs.get(key)
        if known is None:
            known = self._pairs[key] = self._compare(expected, answered)
        return known

    def _compare(self, expected: Node, answered: Node) -> Pair:
        if isinstance(expected, LeafNode) and isinstance(answered, LeafNode):
            total = int(similarity(expected.text, answered.text) * UNIT)
            return Pair(total, 1, exact=expected.value == answered.value)
        if isinstance(expected, DictNode) and isinstance(answered, DictNode):
            return self._compare_dicts(expected.fields, answered.fields)
        if isinstance(expected, ListNode) and isinstance(answered, ListNode):
            return self._compare_lists(expected, answered)
        return Pair(0, max(expected.size, answered.size), exact=False)

    def _compare_dicts(self, expected: dict[str, Node], answered: dict[str, Node]) -> Pair:
        total = leaves = 0
        exact = True
        for name, field in expected.items():
            other = answered.get(name)
            if other is None:
                part = self.pair(field, NULL)
                exact = exact and field.is_blank
            else:
                part = self.pair(field, other)
                exact = exact and part.exact
            total += part.total
            leaves += part.leaves
        for name, field in answered.items():
            if name not in expected:
                leaves += max(1, field.size)
                exact = False
        return Pair(total, leaves, exact)

    def _compare_lists(self, expected: ListNode, answered: ListNode) -> Pair:
        left, right = expected.items, answered.items
        cells = [[self._cell(one, other) for other in right] for one in left]
        matching = match_elements(cells)
        self._matchings[expected.number, answered.number] = matching
        chosen = [cells[row][column] for row, column in matching]
        return Pair(
            total=sum(cell.total for cell in chosen),
            leaves=leaf_total((expected, answered)) - sum(cell.saved for cell in chosen),
            exact=len(left) == len(right) and all(cell.exact for cell in chosen),
        )

    def _cell(self, one: Node, other: Node) -> Cell:
        total, leaves, exact = self.pair(one, other)
        return Cell(total, leaves, exact, one.size + other.size - leaves)

    def matching(self, expected: ListNode, answered: ListNode) -> Matching:
        """Return which elements of two lists, compared before, belong together."""
        if expected is answered:
            return tuple((at, at) for at in range(len(expected.items)))
        return self._matchings[expected.number, answered.number]


def _is_text(node: Node) -> bool:
    return isinstance(node, LeafNode) and isinstance(node.value, str)
