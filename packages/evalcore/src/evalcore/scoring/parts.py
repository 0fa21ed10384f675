"""Answers as parts: JSON values placed at their fields, each with what its leaves weigh.

All prose leaves directly within one object share one weight, PROSE_GRAIN. What a prose leaf weighs is
therefore known only with the others of its object. Until then it is *open*: counted (`prose`), not weighed.
The prose of a part is *closed* once it weighs: at its object, or, where there is no object around it, at the
end of the comparison.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from evalcore.scoring.anls.nodes import DEEPEST
from evalcore.scoring.canonical_text import canonical_text, scalar_text
from evalcore.scoring.leaves import Reading
from evalcore.scoring.plain_text import plain_text
from evalcore.scoring.rules.field_rules import Field
from evalcore.structs import JsonValue

GRAIN = 2**20
"""Weights are whole numbers of 1/GRAIN leaf, so that sums are exact in any order."""
PROSE_GRAIN = GRAIN // 4
"""What the prose leaves of one object weigh together."""

_Present: TypeAlias = bool | int | float | str


class Part:
    """A value within an answer, with its field. One Placer makes one object for equal values at one field.

    `weight` is what its leaves weigh, in units of 1/GRAIN leaf, without its open prose (see the module);
    `prose` is the number of its open prose leaves.
    """

    __slots__ = ("field", "is_flat", "key", "number", "prose", "weight")

    def __init__(
        self, number: int, field: Field, key: str, weight: int, prose: int, *, is_flat: bool = True
    ) -> None:
        self.is_flat: Final = is_flat
        """Whether there is no list in it."""
        self.number: Final = number
        self.field: Final = field
        self.key: Final = key
        """Its canonical text, by which the elements of unordered lists are sorted."""
        self.weight: Final = weight
        self.prose: Final = prose

    @property
    def closed_weight(self) -> int:
        """What it weighs by itself, its open prose closed."""
        return self.weight + (PROSE_GRAIN if self.prose else 0)


class Leaf(Part):
    """A scalar that is not null."""

    __slots__ = ("reading", "value")

    def __init__(self, number: int, field: Field, value: _Present, key: str) -> None:
        rule = field.rule
        weight = 0 if rule.shares else round(rule.weight * GRAIN)
        super().__init__(number, field, key, weight, int(rule.shares))
        self.value: Final = value
        self.reading: Final = Reading(value)


class Items(Part):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, number: int, field: Field, items: Iterable[Part]) -> None:
        ordered = tuple(items)
        super().__init__(
            number,
            field,
            f"[{','.join(item.key for item in ordered)}]",
            sum(item.weight for item in ordered),
            sum(item.prose for item in ordered),
            is_flat=False,
        )
        self.items: Final = ordered


class Object(Part):
    """An object: null and empty fields are left out, and its prose shares a weight."""

    __slots__ = ("fields",)

    def __init__(self, number: int, field: Field, fields: dict[str, Part]) -> None:
        # The order of an object's fields means nothing; sorted, equal objects have equal keys.
        ordered = dict(sorted(fields.items()))
        prose = sum(part.prose for part in ordered.values())
        super().__init__(
            number,
            field,
            # Quoted, so that no name can look like the marks around it and make two objects one.
            f"{{{','.join(f'{name!a}:{part.key}' for name, part in ordered.items())}}}",
            sum(part.weight for part in ordered.values()) + (PROSE_GRAIN if prose else 0),
            0,
            is_flat=all(part.is_flat for part in ordered.values()),
        )
        self.fields: Final = ordered


class Placer:
    """Makes the parts of the answers that are compared with each other."""

    def __init__(self, known: Placer | None = None) -> None:
        # A copy: the expected answer's parts stay known, and those of one reply are gone with its Placer.
        self._parts: dict[tuple[int, str], Part] = dict(known._parts) if known else {}  # noqa: SLF001 (its own kind)
        self._count: int = known._count if known else 0  # noqa: SLF001

    def part(self, value: JsonValue, field: Field, depth: int = 0) -> Part | None:
        """Return the part of a value; None for what holds no leaf: null, and empty lists and objects."""
        if value is None:
            return None
        # As one text, as ANLS* compares it: every walk over parts may then be recursive.
        if isinstance(value, list | dict) and depth >= DEEPEST:
            value = canonical_text(value)
        if isinstance(value, list):
            return self._items(value, field, depth)
        if isinstance(value, dict):
            fields = {}
            for name, item in value.items():
                part = self.part(item, field.field(name), depth + 1)
                if part is not None:
                    fields[name] = part
            return self._known(Object(self._count, field, fields)) if fields else None
        # Most leaves are known: those that are right.
        # By JSON text, so that 1, 1.0 and true, which Python takes for one key, are three values.
        key = scalar_text(value)
        known = self._parts.get((id(field), key))
        return known or self._known(Leaf(self._count, field, value, key))

    def _items(self, values: list[JsonValue], field: Field, depth: int) -> Part | None:
        place, rule = field.item(), field.lists
        items = [part for value in values if (part := self.part(value, place, depth + 1)) is not None]
        if not rule.ordered:
            # Before a list is compared: no order that a model happened to choose can decide a tie.
            items.sort(key=_key)
        if rule.as_set:
            items = list({_member(part): part for part in items}.values())
        return self._known(Items(self._count, field, items)) if items else None

    def _known(self, part: Part) -> Part:
        known = self._parts.setdefault((id(part.field), part.key), part)
        if known is part:
            self._count += 1
        return known


def _key(part: Part) -> str:
    return part.key


def _member(part: Part) -> str:
    """What makes two members of a set one: texts that read alike are."""
    return plain_text(part.value) if isinstance(part, Leaf) and isinstance(part.value, str) else part.key


def holds_more_than(value: JsonValue, limit: int) -> bool:
    """Whether a value is made of more than so many values."""
    left: list[JsonValue] = [value]
    seen = 1
    while left:
        part = left.pop()
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        # Scalars are counted with their list or object: a list of a million numbers is never walked.
        seen += len(inner)
        if seen > limit:
            return True
        left.extend(item for item in inner if isinstance(item, list | dict))
    return False


def count_values(value: JsonValue) -> int:
    """Return of how many values a value is made."""
    left: list[JsonValue] = [value]
    seen = 0
    while left:
        part = left.pop()
        seen += 1
        if isinstance(part, list | dict):
            left.extend(part.values() if isinstance(part, dict) else part)
    return seen
