"""An answer beside the expected one, leaf by leaf: why a score is what it is.

For `evalcli score` use

    rules = plan_fields(component, cases)
    difference = diff(scorer_of(component, case, rules), parsed.value)

`difference.score` has the figures; `difference.tree` is to be drawn as a tree: a node with children is
an object or a list (`name` is its key; of a list's element `[2]`, its place on the side it comes from, the
expected one where it is on both, or `[code="x"]` where the policy aligns by `code`), one without is a leaf
whose `status` says how it fared. `matched` is green (a `score` below 1 means: nearly), `wrong`, `invented`
and `missed` each their own colour; `weight` is in leaves, 0 for what does not count; `rule` and `why` say
how it was compared; `expected` and `answered` are texts of JSON, "" on the side where there is none. All
texts may hold what a model wrote: escape them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from evalcore.scoring.assignment import UNIT
from evalcore.scoring.excerpts import excerpts
from evalcore.scoring.explain import LONGEST_SHOWN, comparator_of, leaf_weight, shown_value
from evalcore.scoring.interface import Score
from evalcore.scoring.parts import Items, Leaf, Object, Part, Placer
from evalcore.scoring.rules.field_rules import Field
from evalcore.scoring.scorer import Compared, TreeScorer
from evalcore.scoring.tally import children
from evalcore.structs import Frozen, JsonObject, JsonScalar, JsonValue

Status = Literal["matched", "wrong", "missed", "invented"]


class DiffNode(Frozen, frozen=True):
    """A part of the expected answer, of the given one, or of both."""

    name: str
    path: str
    status: Status
    """Of an object or list: `missed` or `invented` where all of it is, else `matched` or `wrong`, as all
    of its leaves are or are not fully right."""
    score: float
    """Of a leaf: its likeness; of others: the matched share of its weight. In [0, 1]."""
    weight: float
    rule: str = ""
    why: str = ""
    expected: str = ""
    answered: str = ""
    children: tuple[DiffNode, ...] = ()


class AnswerDifference(Frozen, frozen=True):
    """An answer beside the expected one."""

    score: Score
    tree: DiffNode | None
    """None where neither holds a leaf, or the answer is too large to be compared."""
    lacking: tuple[str, ...] = ()
    """The paths that the policy requires and the answer lacks, for which it scores 0."""
    is_too_large: bool = False
    """Whether the answer scores 0 unread."""


def diff(scorer: TreeScorer, answer: JsonValue) -> AnswerDifference:
    """Compare an answer with the expected one, and keep every leaf."""
    score = scorer.score(answer)
    # The score is 0 unread: a tree of it would be as large as the attack that it may be.
    if scorer.is_too_large(answer):
        return AnswerDifference(score, None, is_too_large=True)
    compared = scorer.compare(answer)
    sides = _Side(scorer.expected, scorer.value), _Side(compared.part, compared.named)
    tree = _Differ(compared).tree(*sides)
    return AnswerDifference(score, tree, tuple(dict.fromkeys(compared.tally.lacking)))


class _Side(NamedTuple):
    """A part of one side, None where that side has none, and the value that it was made of."""

    part: Part | None
    value: JsonValue

    def field(self, name: str) -> _Side:
        part = self.part.fields.get(name) if isinstance(self.part, Object) else None
        return _Side(part, self.value.get(name) if isinstance(self.value, dict) else None)


class _Element(NamedTuple):
    """An element of a list, and where it stands there."""

    part: Part
    value: JsonValue
    name: str
    place: int = 0
    """In the list as it was written; parts are sorted where order does not matter."""

    @property
    def side(self) -> _Side:
        return _Side(self.part, self.value)


_NOTHING = _Side(None, None)


class _Differ:
    """Lays two answers beside each other along the assignment that was found."""

    def __init__(self, compared: Compared) -> None:
        self._comparison = compared.comparison

    def tree(self, left: _Side, right: _Side) -> DiffNode | None:
        """Return the parts of two sides as one node; the prose of an object shares its weight."""
        return self._node(left, right, ".", self._open_prose(left.part, right.part))

    def _node(self, one: _Side, other: _Side, name: str, shared: int) -> DiffNode | None:
        """Return two parts as one node; `shared` prose leaves around them share one weight."""
        left, right = one.part, other.part
        if left is None or right is None:
            part, value = (right, other.value) if left is None else (left, one.value)
            alone = None if part is None else _Element(part, value, name)
            return None if alone is None else self._alone(alone, shared, is_missed=right is None)
        if isinstance(left, Leaf) and isinstance(right, Leaf):
            return self._leaf(left, right, name, shared)
        if isinstance(left, Object) and isinstance(right, Object):
            # The expected answer's first, in its order: readers have that beside them.
            names = dict.fromkeys((*left.fields, *right.fields))
            inside = sum(self._open_prose(left.fields.get(key), right.fields.get(key)) for key in names)
            inner = [self._node(one.field(key), other.field(key), key, inside) for key in names]
        elif isinstance(left, Items) and isinstance(right, Items):
            inner = [self._node(*pair, shared) for pair in self._named_pairs(one, other, left, right)]
        else:
            inner = [
                # Two kinds of value at one place: both are shown, each for what it is.
                self._alone(_Element(left, one.value, "expected"), shared, is_missed=True),
                self._alone(_Element(right, other.value, "answered"), shared, is_missed=False),
            ]
        return _branch(name, left.field, [node for node in inner if node is not None])

    def _open_prose(self, left: Part | None, right: Part | None) -> int:
        """Return how many prose leaves of two sides share a weight with others around them."""
        if isinstance(left, Leaf) and isinstance(right, Leaf):
            return left.prose
        if isinstance(left, Items) and isinstance(right, Items):
            return sum(self._open_prose(one, other) for one, other in self._pairs(left, right))
        return sum(part.prose for part in (left, right) if part is not None)

    def _pairs(self, left: Items, right: Items) -> list[tuple[Part | None, Part | None]]:
        return [
            (
                None if row is None else left.items[row],
                None if column is None else right.items[column],
            )
            for row, column in self._matched(left, right)
        ]

    def _named_pairs(
        self, one: _Side, other: _Side, left: Items, right: Items
    ) -> Iterator[tuple[_Side, _Side, str]]:
        ours, theirs = _elements(one), _elements(other)

        def as_written(pair: tuple[int | None, int | None]) -> tuple[bool, int]:
            row, column = pair
            return row is None, ours[row].place if row is not None else theirs[column or 0].place

        # In the order of the expected answer, then what was invented: that is how a reader checks a list.
        for row, column in sorted(self._matched(left, right), key=as_written):
            named = ours[row] if row is not None else theirs[column or 0]
            yield (
                _NOTHING if row is None else ours[row].side,
                _NOTHING if column is None else theirs[column].side,
                named.name,
            )

    def _matched(self, left: Items, right: Items) -> list[tuple[int | None, int | None]]:
        matching = dict(self._comparison.matching(left, right))
        taken = set(matching.values())
        rows: list[tuple[int | None, int | None]] = [
            (row, matching.get(row)) for row in range(len(left.items))
        ]
        return rows + [(None, column) for column in range(len(right.items)) if column not in taken]

    def _leaf(self, left: Leaf, right: Leaf, name: str, shared: int) -> DiffNode:
        rule = left.field.rule
        score = self._comparison.likeness(left, right) / UNIT
        expected, answered = _shown_beside(left.value, right.value)
        return DiffNode(
            name=name,
            path=left.field.name,
            status="matched" if score > 0 else "wrong",
            score=score,
            weight=leaf_weight(rule, shared),
            rule=comparator_of(rule, left.value),
            why=rule.why,
            expected=expected,
            answered=answered,
        )

    def _alone(self, element: _Element, shared: int, *, is_missed: bool) -> DiffNode:
        part = element.part
        status: Status = "missed" if is_missed else "invented"
        rule, shown = part.field.rule, shown_value(part.value) if isinstance(part, Leaf) else ""
        is_leaf = isinstance(part, Leaf)
        if isinstance(part, Object):
            # Within an object prose shares its weight anew.
            shared = sum(child.prose for child in children(part))
        nodes = tuple(self._alone(child, shared, is_missed=is_missed) for child in _inside(element))
        return DiffNode(
            name=element.name,
            path=part.field.name,
            status=status,
            score=0.0,
            weight=leaf_weight(rule, shared) if is_leaf else sum(node.weight for node in nodes),
            rule=comparator_of(rule, part.value) if isinstance(part, Leaf) else "",
            why=rule.why if is_leaf else "",
            expected=shown if is_missed else "",
            answered="" if is_missed else shown,
            children=nodes,
        )


def _inside(element: _Element) -> list[_Element]:
    if isinstance(element.part, Object):
        values = element.value if isinstance(element.value, dict) else {}
        return [_Element(part, values.get(name), name) for name, part in element.part.fields.items()]
    return sorted(_elements(element.side), key=lambda inner: inner.place)


def _elements(side: _Side) -> list[_Element]:
    """Name a list's elements by their place in the list as written: compared, it may be sorted."""
    items, values = side.part, side.value
    if not isinstance(items, Items):
        return []
    places: dict[str, list[int]] = {}
    placer = Placer()
    for at, value in enumerate(values if isinstance(values, list) else []):
        # Placed once more: a part knows its value's key, and not where it stood before lists were sorted.
        part = placer.part(value, items.field.item())
        if part is not None:
            places.setdefault(part.key, []).append(at)
    elements = []
    for part in items.items:
        # Of equal elements, each one its own place; in a set they are one.
        found = places.get(part.key, [])
        place = found.pop(0) if len(found) > 1 else next(iter(found), None)
        value = values[place] if place is not None and isinstance(values, list) else None
        name = _element_name(place, value, items.field.lists.align_by)
        elements.append(_Element(part, value, name, place or 0))
    return elements


def _element_name(at: int | None, value: JsonValue, align_by: Sequence[str]) -> str:
    keys = _keys(value, align_by) if isinstance(value, dict) else ""
    return f"[{keys or ('' if at is None else at)}]"


def _keys(value: JsonObject, align_by: Sequence[str]) -> str:
    known = [(name, value.get(name)) for name in align_by]
    return ", ".join(
        f"{name}={shown_value(item)}"
        for name, item in known
        if item is not None and not isinstance(item, list | dict)
    )


def _shown_beside(expected: JsonScalar, answered: JsonScalar) -> tuple[str, str]:
    if isinstance(expected, str) and isinstance(answered, str):
        # Both cut around the first difference: two long texts with one beginning would look the same.
        expected, answered = excerpts(expected, answered, LONGEST_SHOWN)
    return shown_value(expected), shown_value(answered)


def _branch(name: str, field: Field, nodes: Sequence[DiffNode]) -> DiffNode:
    weight = sum(node.weight for node in nodes)
    matched = sum(node.weight * node.score for node in nodes)
    # A branch that weighs nothing cannot be wrong.
    score = matched / weight if weight else 1.0
    return DiffNode(
        name=name,
        path=field.name,
        status=_common([node.status for node in nodes]),
        score=min(1.0, score),
        weight=weight,
        children=tuple(nodes),
    )


def _common(statuses: Iterable[Status]) -> Status:
    found = set(statuses)
    return found.pop() if len(found) == 1 else "wrong"
