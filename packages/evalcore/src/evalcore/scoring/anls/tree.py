"""ANLS*: how right an answer's tree is (Peer et al., arXiv 2402.03848), equal to the package `anls-star`.

The score is the sum of the leaves' similarities over the number of leaves. Objects are compared key by
key over the union of their keys, lists by the optimal assignment (see `assignment`), leaves as texts
(`str` of the value, lower case, white space made one), similarities below 0.5 counting 0. What cannot be
compared (a list with an object) scores 0 with the leaves of the larger side counted.

The reference's rules for "no value" are followed, and they are not symmetric: an expected null is met by
null, "", [], {} and by absence; an expected "" or [] is not met by null or absence; a key that was not
expected counts a leaf that is wrong, even if its value is null. Two empty containers of different kinds
hold no leaf, and nothing over nothing is 1. Where the reference raises because there is nothing to
choose from (an empty list of options against a string), the score is 0.

A reply may be of any size, so the work is bounded: by MOST_PAIRS and `is_lopsided`, by `nodes.DEEPEST` for
nesting and by `comparators.LONGEST_TEXT`.
"""

from __future__ import annotations

from collections import defaultdict

from evalcore.scoring.anls.nodes import NULL, DictNode, LeafNode, ListNode, Node, NullNode
from evalcore.scoring.assignment import UNIT, Matching, Pair, is_lopsided, match_elements
from evalcore.scoring.comparators import LONGEST_TEXT, find_similar, similarity

MOST_PAIRS = 500_000
"""Of list elements that one comparison compares; beyond, elements of lists match if they are equal."""

_BLANK = Pair(UNIT, 1, exact=True)
_WRONG = Pair(0, 1, exact=False)
FEW_TEXTS = 4
"""Of a list that are compared one by one, which is faster then than to look for similar ones first."""


class TreeComparison:
    """Compares nodes of one Interner, each pair once."""

    def __init__(self) -> None:
        self._pairs: defaultdict[int, dict[int, Pair]] = defaultdict(dict)
        self._matchings: dict[tuple[int, int], Matching] = {}
        self._pairs_left = MOST_PAIRS

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
        known = self._pairs[expected.number]
        found = known.get(answered.number)
        if found is None:
            found = known[answered.number] = self._compare(expected, answered)
        return found

    def _compare(self, expected: Node, answered: Node) -> Pair:
        # Equal parts are one node (see `nodes`), so that what is right costs nothing.
        if expected is answered:
            return Pair(expected.size * UNIT, expected.size, exact=True)
        if isinstance(expected, LeafNode) and isinstance(answered, LeafNode):
            return _compare_leaves(expected, answered)
        if isinstance(expected, DictNode) and isinstance(answered, DictNode):
            return self._compare_dicts(expected.fields, answered.fields)
        if isinstance(expected, ListNode) and isinstance(answered, ListNode):
            return self._compare_lists(expected, answered)
        if isinstance(expected, NullNode) and answered.is_blank:
            return _BLANK
        return Pair(0, max(expected.size, answered.size), exact=False)

    def _compare_dicts(self, expected: dict[str, Node], answered: dict[str, Node]) -> Pair:
        total = leaves = 0
        exact = True
        for name, field in expected.items():
            other = answered.get(name)
            if other is field:
                total += field.size * UNIT
                leaves += field.size
                continue
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
        matching, chosen = self._match(expected, answered)
        self._matchings[expected.number, answered.number] = matching
        saved = sum(left[row].size + right[column].size for row, column in matching)
        return Pair(
            total=sum(pair.total for pair in chosen),
            leaves=expected.size + answered.size - saved + sum(pair.leaves for pair in chosen),
            exact=len(left) == len(right) and all(pair.exact for pair in chosen),
        )

    def _match(self, expected: ListNode, answered: ListNode) -> tuple[Matching, list[Pair]]:
        """Return which elements belong together, and how well each two of them fit."""
        left, right = expected.items, answered.items
        count = len(left) * len(right)
        # The reference compares all pairs; beyond this it would take hours, and so only equal ones are
        # matched.
        if count > self._pairs_left or is_lopsided(len(left), len(right)):
            matching = _match_equal(left, right)
            return matching, [self.pair(left[row], right[column]) for row, column in matching]
        self._pairs_left -= count
        pairs = [self._row(one, answered) for one in left]
        if answered.texts and expected.texts and all(pair is _WRONG for row in pairs for pair in row):
            # Nothing to choose between, as with most of the lists of two sections.
            matching = tuple((at, at) for at in range(min(len(left), len(right))))
            return matching, [_WRONG] * len(matching)
        matching = match_elements(pairs, [node.size for node in left], [node.size for node in right])
        return matching, [pairs[row][column] for row, column in matching]

    def _row(self, expected: Node, answered: ListNode) -> list[Pair]:
        others = answered.items
        # The innermost loop of long lists of texts, which hardly ever come twice: nothing is looked up.
        if isinstance(expected, LeafNode) and answered.texts and len(expected.text) <= LONGEST_TEXT:
            if len(others) <= FEW_TEXTS:
                size = len(expected.text)
                return [
                    # Texts of which one is over twice as long as the other are not alike.
                    _compare_leaves(expected, other)
                    if 2 * size >= len(text) and 2 * len(text) >= size and isinstance(other, LeafNode)
                    else _WRONG
                    for other, text in zip(others, answered.texts, strict=True)
                ]
            row = [_WRONG] * len(others)
            for at in find_similar(expected.text, answered.texts):
                other = others[at]
                row[at] = _compare_leaves(expected, other) if isinstance(other, LeafNode) else _WRONG
            return row
        return [self.pair(expected, other) for other in others]

    def matching(self, expected: ListNode, answered: ListNode) -> Matching:
        """Return which elements of two lists, compared before, belong together."""
        if expected is answered:
            return tuple((at, at) for at in range(len(expected.items)))
        return self._matchings[expected.number, answered.number]


def _match_equal(left: tuple[Node, ...], right: tuple[Node, ...]) -> Matching:
    columns: dict[int, list[int]] = {}
    for column, node in enumerate(right):
        columns.setdefault(node.number, []).append(column)
    return tuple(
        (row, columns[node.number].pop()) for row, node in enumerate(left) if columns.get(node.number)
    )


def _compare_leaves(expected: LeafNode, answered: LeafNode) -> Pair:
    share = similarity(expected.text, answered.text)
    return Pair(int(share * UNIT), 1, expected.value == answered.value) if share else _WRONG


def _is_text(node: Node) -> bool:
    return isinstance(node, LeafNode) and isinstance(node.value, str)
