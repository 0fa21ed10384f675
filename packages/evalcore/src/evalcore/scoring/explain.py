"""The rule and weight of every leaf of a component's expected answers, and why it has them.

For `evalcli score explain`: `explain(component, cases)`. How an answer fares by them is in
`evalcore.scoring.difference`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from evalcore.formats.percent import percent, whole_percent
from evalcore.library.component import Case, Component
from evalcore.scoring.canonical_text import scalar_text
from evalcore.scoring.leaves import comparator_shown
from evalcore.scoring.rules.field_rules import Field, expected_value, plan_fields
from evalcore.scoring.rules.rules import Comparator, Rule
from evalcore.structs import Frozen, JsonScalar, JsonValue

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
    """The comparator: exact, number, confidence, date, money, text, tokens, set, ignore, ..."""
    weight: float
    """In leaves; of prose the part of the share that is this leaf's."""
    why: str
    """A type or form of the schema, prose, what the value shows, or the policy's file and line."""


HEAVY_LIST = 0.5
"""Of a case's weight; one list over that decides the case almost alone."""
LIGHT_FIELD = 0.02
"""Of a case's weight; a key field under that hardly counts."""


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
    # An answer that is one list and nothing else has no other field that could weigh more.
    for name, weight in lists.items():
        if name != "." and weight > HEAVY_LIST * whole:
            yield (
                f"the list `{name}` holds {whole_percent(weight / whole)} of the weight; "
                f"give its fields a lower `weight`, or others a higher one"
            )
    for leaf in leaves:
        # Prose is meant to weigh little.
        is_key = not set(leaf.path) & set(".[") and leaf.weight and not leaf.why.startswith("prose")
        if is_key and leaf.weight < LIGHT_FIELD * whole:
            weighs = percent(leaf.weight / whole)
            yield f"the key field `{leaf.path}` weighs {weighs}; give it a higher `weight`"


def _leaf_rules(case: str, value: JsonValue, field: Field, shared: int) -> Iterator[LeafRule]:
    if isinstance(value, dict):
        # Counted anew in each object: it is there that prose shares its weight.
        inner = _shared(value, field)
        for name, item in value.items():
            yield from _leaf_rules(case, item, field.field(name), inner)
    elif isinstance(value, list):
        for item in value:
            yield from _leaf_rules(case, item, field.item(), shared)
    elif value is not None:
        rule = field.rule
        yield LeafRule(
            case,
            field.name,
            shown_value(value),
            comparator_of(rule, value),
            leaf_weight(rule, shared),
            rule.why,
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


def leaf_weight(rule: Rule, shared: int) -> float:
    """Return what a leaf weighs where so many leaves of prose share one weight."""
    return rule.weight / max(1, shared) if rule.shares else rule.weight


def comparator_of(rule: Rule, value: JsonScalar) -> Comparator:
    """Return by what a value is compared; what it shows decides where the rule leaves that open."""
    if rule.compare == "closeness":
        return "confidence"  # the word by which a policy asks for it
    return comparator_shown(value) if rule.compare == "as shown" else rule.compare


def shown_value(value: JsonScalar) -> str:
    """Return the JSON of a leaf, cut to LONGEST_SHOWN characters."""
    # Longer ones take Python quadratic time to write, and a model may write a million digits.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST_SHOWN:
        return str(value)
    if not isinstance(value, str):
        return scalar_text(value)[:LONGEST_SHOWN]
    text = value[:LONGEST_SHOWN]
    # Letters stand as they are, for people to read; half of a surrogate pair could not be written.
    written = scalar_text(text) if _SURROGATE.search(text) else json.dumps(text, ensure_ascii=False)
    return written[:LONGEST_SHOWN]
