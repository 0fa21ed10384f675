"""Why a score is what it is: the rule of every leaf, and an answer beside the expected one, leaf by leaf.

For `evalcli score explain` use `explain(component, cases)`. For `evalcli score` use

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

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from evalcore.library.component import Case, Component
from evalcore.scoring.assignment import UNIT
from evalcore.scoring.canonical_text import scalar_text
from evalcore.scoring.excerpts import excerpts
from evalcore.scoring.interface import Score
from evalcore.scoring.leaves import comparator_shown
from evalcore.scoring.parts import Items, Leaf, Object, Part, Placer
from evalcore.scoring.rules.field_rules import Field, expected_value, plan_fields
from evalcore.scoring.rules.rules import Comparator, Rule
from evalcore.scoring.scorer import Compared, TreeScorer
from evalcore.scoring.tally import children
from evalcore.structs import Frozen, JsonObject, JsonScalar, JsonValue

Status = Literal["matched", "wrong", "missed", "invented"]
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
LONGEST_SHOWN = 2_000
"""Characters of one leaf."""


class LeafRule(Frozen, frozen=True):
    """The rule of one leaf of a case's expected answer."""

    case: str
    path: str
    expected: str
    """Its JSON."""
    rule: str
    """The comparator: exact, number, closeness, date, money, text, tokens, set, ignore, ..."""
    weight: float
    """In leaves; of prose the part of the share that is this leaf's."""
    why: str
    """A type or form of the schema, prose, what the value shows, or the policy's file and line."""


HEAVY_LIST = 0.5
"""Of a case's weight; one list over that decides the case almost alone."""
LIGHT_FIELD = 0.02
"""Of a case's weight; a key field under that hardly counts."""


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


def explain(component: Component, cases: Sequence[Case]) -> list[LeafRule]:
    """Return the rule of every leaf of every case: its weight, and why.

    Raises ComponentError and CaseError as `plan_fields` does.
    """
    rules = plan_fields(component, cases)
    found: list[LeafRule] = []
    for case in cases:
        value = expected_value(component, case)
        found.extend(_leaf_rules(case.name, value, rules.root, _shared(value, rules.root)))
    return found


def weight_warnings(rules: Sequence[LeafRule]) -> list[str]:
    """Return what may be wrong with the weights of cases, whose rules `explain` gave: a line each.

    One list that holds over half of a case's weight, and a key field that weighs under 2 % of it. A key
    field is one of the answer's own, outside every list and object, that is no prose and weighs anything.
    """
    found: list[str] = []
    by_case: dict[str, list[LeafRule]] = {}
    for rule in rules:
        by_case.setdefault(rule.case, []).append(rule)
    for case, leaves in by_case.items():
        whole = sum(leaf.weight for leaf in leaves)
        if whole:
            found.extend(f"case {case}: {warning}" for warning in _warnings(leaves, whole))
    return found


def _warnings(leaves: Sequence[LeafRule], whole: float) -> Iterator[str]:
    lists: dict[str, float] = {}
    for leaf in leaves:
        if "[]" in leaf.path:
            name = leaf.path.partition("[]")[0] or "."
            lists[name] = lists.get(name, 0.0) + leaf.weight
    for name, weight in lists.items():
        if name != "." and weight > HEAVY_LIST * whole:
            yield (
                f"the list `{name}` holds {weight / whole:.0%} of the weight; "
                f"give its fields a lower `weight`, or others a higher one"
            )
    for leaf in leaves:
        is_key = not set(leaf.path) & set(".[") and leaf.weight and not leaf.why.startswith("prose")
        if is_key and leaf.weight < LIGHT_FIELD * whole:
            yield f"the key field `{leaf.path}` weighs {leaf.weight / whole:.1%}; give it a higher `weight`"


def diff(scorer: TreeScorer, answer: JsonValue) -> AnswerDifference:
    """Compare an answer with the expected one, and keep every leaf."""
    score = scorer.score(answer)
    if scorer.is_too_large(answer):
        return AnswerDifference(score, None)
    compared = scorer.compare(answer)
    sides = _Side(scorer.expected, scorer.value), _Side(compared.part, compared.named)
    tree = _Differ(compared).tree(*sides)
    return AnswerDifference(score, tree, tuple(dict.fromkeys(compared.tally.lacking)))


def _leaf_rules(case: str, value: JsonValue, field: Field, shared: int) -> Iterator[LeafRule]:
    if isinstance(value, dict):
        inner = _shared(value, field)
        for name, item in value.items():
            yield from _leaf_rules(case, item, field.field(name), inner)
    elif isinstance(value, list):
        for item in value:
            yield from _leaf_rules(case, item, field.item(), shared)
    elif value is not None:
        rule = field.rule
        yield LeafRule(
            case, field.name, _shown(value), _comparator(rule, value), _weight(rule, shared), rule.why
        )


def _shared(value: JsonValue, field: Field) -> int:
    """Return how many prose leaves share one weight in an object, other objects within aside."""
    if isinstance(value, dict):
        return sum(_open_prose(item, field.field(name)) for name, item in value.items())
    return _open_prose(value, field)


def _open_prose(value: JsonValue, field: Field) -> int:
    if isinstance(value, list):
        return sum(_open_prose(item, field.item()) for item in value)
    return int(field.rule.shares and not isinstance(value, dict) and value is not None)


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
            names = dict.fromkeys((*left.fields, *right.fields))
            inside = sum(self._open_prose(left.fields.get(key), right.fields.get(key)) for key in names)
            inner = [self._node(one.field(key), other.field(key), key, inside) for key in names]
        elif isinstance(left, Items) and isinstance(right, Items):
            inner = [self._node(*pair, shared) for pair in self._named_pairs(one, other, left, right)]
        else:
            inner = [
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
        for row, column in self._matched(left, right):
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
            weight=_weight(rule, shared),
            rule=_comparator(rule, left.value),
            why=rule.why,
            expected=expected,
            answered=answered,
        )

    def _alone(self, element: _Element, shared: int, *, is_missed: bool) -> DiffNode:
        part = element.part
        status: Status = "missed" if is_missed else "invented"
        rule, shown = part.field.rule, _shown(part.value) if isinstance(part, Leaf) else ""
        is_leaf = isinstance(part, Leaf)
        if isinstance(part, Object):
            shared = sum(child.prose for child in children(part))
        nodes = tuple(self._alone(child, shared, is_missed=is_missed) for child in _inside(element))
        return DiffNode(
            name=element.name,
            path=part.field.name,
            status=status,
            score=0.0,
            weight=_weight(rule, shared) if is_leaf else sum(node.weight for node in nodes),
            rule=_comparator(rule, part.value) if isinstance(part, Leaf) else "",
            why=rule.why if is_leaf else "",
            expected=shown if is_missed else "",
            answered="" if is_missed else shown,
            children=nodes,
        )


def _inside(element: _Element) -> list[_Element]:
    if isinstance(element.part, Object):
        values = element.value if isinstance(element.value, dict) else {}
        return [_Element(part, values.get(name), name) for name, part in element.part.fields.items()]
    return _elements(element.side)


def _elements(side: _Side) -> list[_Element]:
    """Name a list's elements by their place in the list as written: compared, it may be sorted."""
    items, values = side.part, side.value
    if not isinstance(items, Items):
        return []
    places: dict[str, list[int]] = {}
    placer = Placer()
    for at, value in enumerate(values if isinstance(values, list) else []):
        part = placer.part(value, items.field.item())
        if part is not None:
            places.setdefault(part.key, []).append(at)
    elements = []
    for part in items.items:
        # Of equal elements, each one its own place; in a set they are one.
        found = places.get(part.key, [])
        place = found.pop(0) if len(found) > 1 else next(iter(found), None)
        value = values[place] if place is not None and isinstance(values, list) else None
        elements.append(_Element(part, value, _element_name(place, value, items.field.lists.align_by)))
    return elements


def _element_name(at: int | None, value: JsonValue, align_by: Sequence[str]) -> str:
    keys = _keys(value, align_by) if isinstance(value, dict) else ""
    return f"[{keys or ('' if at is None else at)}]"


def _keys(value: JsonObject, align_by: Sequence[str]) -> str:
    known = [(name, value.get(name)) for name in align_by]
    return ", ".join(
        f"{name}={_shown(item)}"
        for name, item in known
        if item is not None and not isinstance(item, list | dict)
    )


def _shown_beside(expected: JsonScalar, answered: JsonScalar) -> tuple[str, str]:
    if isinstance(expected, str) and isinstance(answered, str):
        expected, answered = excerpts(expected, answered, LONGEST_SHOWN)
    return _shown(expected), _shown(answered)


def _weight(rule: Rule, shared: int) -> float:
    return rule.weight / max(1, shared) if rule.shares else rule.weight


def _branch(name: str, field: Field, nodes: Sequence[DiffNode]) -> DiffNode:
    weight = sum(node.weight for node in nodes)
    matched = sum(node.weight * node.score for node in nodes)
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


def _comparator(rule: Rule, value: JsonScalar) -> Comparator:
    return comparator_shown(value) if rule.compare == "as shown" else rule.compare


def _shown(value: JsonScalar) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST_SHOWN:
        return str(value)
    if not isinstance(value, str):
        return scalar_text(value)[:LONGEST_SHOWN]
    text = value[:LONGEST_SHOWN]
    # Letters stand as they are, for people to read; half of a surrogate pair could not be written.
    written = scalar_text(text) if _SURROGATE.search(text) else json.dumps(text, ensure_ascii=False)
    return written[:LONGEST_SHOWN]
