"""Why a score is what it is: the rule of every leaf, and an answer beside the expected one, leaf by leaf.

For `evalcli score explain` use `explain(component, cases)`. For `evalcli score` use

    rules = plan_fields(component, cases)
    difference = diff(scorer_of(component, case, rules), parsed.value)

`difference.score` has the figures; `difference.tree` is to be drawn as a tree: a node with children is
an object or a list (`name` is its key, `[]` for a list's element), one without is a leaf whose `status`
says how it fared. `matched` is green (a `score` below 1 means: nearly), `wrong`, `invented` and `missed`
each their own colour; `weight` is in leaves, 0 for what does not count; `rule` and `why` say how it was
compared; `expected` and `answered` are texts of JSON, "" on the side where there is none. All texts may
hold what a model wrote: escape them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from evalcore.library.component import Case, Component
from evalcore.scoring.assignment import UNIT
from evalcore.scoring.canonical_text import scalar_text
from evalcore.scoring.interface import Score
from evalcore.scoring.leaves import comparator_shown
from evalcore.scoring.parts import Items, Leaf, Object, Part
from evalcore.scoring.rules.field_rules import Field, expected_value, plan_fields
from evalcore.scoring.rules.rules import Comparator, Rule
from evalcore.scoring.scorer import Compared, TreeScorer
from evalcore.scoring.tally import children
from evalcore.structs import Frozen, JsonScalar, JsonValue

Status = Literal["matched", "wrong", "missed", "invented"]
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


class Difference(Frozen, frozen=True):
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


def diff(scorer: TreeScorer, answer: JsonValue) -> Difference:
    """Compare an answer with the expected one, and keep every leaf."""
    score = scorer.score(answer)
    if scorer.is_too_large(answer):
        return Difference(score, None)
    compared = scorer.compare(answer)
    tree = _Differ(compared).tree(scorer.expected, compared.part)
    return Difference(score, tree, tuple(dict.fromkeys(compared.tally.lacking)))


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


class _Differ:
    """Lays two answers beside each other along the assignment that was found."""

    def __init__(self, compared: Compared) -> None:
        self._comparison = compared.comparison

    def tree(self, left: Part | None, right: Part | None) -> DiffNode | None:
        """Return the parts of two sides as one node; the prose of an object shares its weight."""
        return self._node(left, right, ".", self._open_prose(left, right))

    def _node(self, left: Part | None, right: Part | None, name: str, shared: int) -> DiffNode | None:
        """Return two parts as one node; `shared` prose leaves around them share one weight."""
        if left is None or right is None:
            part = left or right
            return None if part is None else self._alone(part, name, shared, is_missed=right is None)
        if isinstance(left, Leaf) and isinstance(right, Leaf):
            return self._leaf(left, right, name, shared)
        if isinstance(left, Object) and isinstance(right, Object):
            names = dict.fromkeys((*left.fields, *right.fields))
            fields = [(left.fields.get(key), right.fields.get(key), key) for key in names]
            inside = sum(self._open_prose(one, other) for one, other, _ in fields)
            inner = [self._node(one, other, key, inside) for one, other, key in fields]
        elif isinstance(left, Items) and isinstance(right, Items):
            inner = [self._node(one, other, "[]", shared) for one, other in self._pairs(left, right)]
        else:
            inner = [
                self._alone(left, "expected", shared, is_missed=True),
                self._alone(right, "answered", shared, is_missed=False),
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
        matching = dict(self._comparison.matching(left, right))
        taken = set(matching.values())
        pairs: list[tuple[Part | None, Part | None]] = [
            (part, right.items[matching[row]] if row in matching else None)
            for row, part in enumerate(left.items)
        ]
        return pairs + [(None, part) for column, part in enumerate(right.items) if column not in taken]

    def _leaf(self, left: Leaf, right: Leaf, name: str, shared: int) -> DiffNode:
        rule = left.field.rule
        score = self._comparison.likeness(left, right) / UNIT
        return DiffNode(
            name=name,
            path=left.field.name,
            status="matched" if score > 0 else "wrong",
            score=score,
            weight=_weight(rule, shared),
            rule=_comparator(rule, left.value),
            why=rule.why,
            expected=_shown(left.value),
            answered=_shown(right.value),
        )

    def _alone(self, part: Part, name: str, shared: int, *, is_missed: bool) -> DiffNode:
        status: Status = "missed" if is_missed else "invented"
        rule, shown = part.field.rule, _shown(part.value) if isinstance(part, Leaf) else ""
        inside = list(children(part))
        names = list(part.fields) if isinstance(part, Object) else ["[]"] * len(inside)
        inner = zip(names, inside, strict=True)
        is_leaf = isinstance(part, Leaf)
        if isinstance(part, Object):
            shared = sum(child.prose for child in inside)
        nodes = tuple(self._alone(child, key, shared, is_missed=is_missed) for key, child in inner)
        return DiffNode(
            name=name,
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
    return scalar_text(value[:LONGEST_SHOWN] if isinstance(value, str) else value)[:LONGEST_SHOWN]
