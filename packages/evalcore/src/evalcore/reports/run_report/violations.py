"""How answers disobey the schema, counted by place and keyword; none of an answer's own words is kept."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from evalcore.library.schema import SchemaViolation, Validator
from evalcore.reports.run_report.declared import ANY_KEY, Declared
from evalcore.structs import JsonValue

MOST_VIOLATIONS: Final = 20_000
"""Over all replies, at 50 microseconds each; of further replies the first one alone is looked at."""
LARGE_ANSWER: Final = 2_000
"""Values of an answer of which the first violation alone is looked at: each of them may be one."""
_SAID: Final = {
    "additionalProperties": "holds keys that are not declared",
    "unevaluatedProperties": "holds keys that are not declared",
    "anyOf": "fits none of the alternatives",
    "oneOf": "does not fit exactly one of the alternatives",
    "const": "is not the constant",
    "enum": "is none of the allowed values",
    "falseSchema": "must not be there",
    "uniqueItems": "holds an element twice",
}


class ViolationKind(NamedTuple):
    """Violations that count as one kind."""

    path: str
    """With `[]` for any element, and `*` for a key that is not declared; empty for the whole answer."""
    keyword: str
    message: str


class ViolationTally:
    """Counts the violations of a run's answers."""

    def __init__(self, validator: Validator, root: Declared) -> None:
        self._validator = validator
        self._root = root
        self._left = MOST_VIOLATIONS
        self.replies: Counter[ViolationKind] = Counter()
        """How many replies have such a violation."""
        self.occurrences: Counter[ViolationKind] = Counter()
        self.is_cut = False
        """Whether of some replies the first violation alone was counted."""

    def add(self, answer: JsonValue, values: int, replies: int) -> None:
        """Count an answer that is not valid, of so many values, which so many replies gave."""
        # The validator makes all errors of a value before the first can be seen.
        only_first = self._left <= 0 or values > LARGE_ANSWER
        found = Counter(map(self._kind, self._validator.violations(answer, only_first=only_first)))
        self.is_cut = self.is_cut or only_first
        self._left -= found.total()
        for kind, count in found.items():
            self.replies[kind] += replies
            self.occurrences[kind] += count * replies

    def _kind(self, violation: SchemaViolation) -> ViolationKind:
        place: Declared | None = self._root
        path = ""
        for step in violation.path:
            if isinstance(step, int):
                path += "[]"
                place = place and place.item()
            else:
                # An undeclared key is the answer's own word, and may be out of a confidential document.
                name = step if place is not None and step in place.names else ANY_KEY
                path = f"{path}.{name}" if path else name
                place = place and place.field(step)
        return ViolationKind(path, violation.keyword, _message(violation))


def _message(violation: SchemaViolation) -> str:
    keyword, detail = violation.keyword, violation.detail
    if keyword == "type":
        return f"is not of type {detail}"
    if keyword == "required":
        return f"lacks the key {detail}"
    return _SAID.get(keyword) or f"disobeys {keyword} {detail}".rstrip()
