"""What a bundled JSON Schema says of a field: its type, bounds, vocabulary and form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from evalcore.structs import Frozen, JsonObject, JsonValue

MOST_ALTERNATIVES = 64
"""The number of alternatives of one field that are read: `allOf` of `anyOf` multiplies them."""
DEEPEST = 30
"""The depth of references and combinations that is read: a reference may lead back to itself."""

Alternative: TypeAlias = tuple[Mapping[str, JsonValue], ...]
"""Plain schemas that hold together (`allOf`)."""


class Place(Frozen, frozen=True):
    """What a schema says of one field: alternatives, of which a value fulfils one."""

    alternatives: tuple[Alternative, ...] = ()


class SchemaView:
    """Looks up fields in one self-contained schema."""

    def __init__(self, schema: JsonObject | None) -> None:
        self._root: JsonObject = schema or {}
        self._known: dict[tuple[int, int], list[Alternative]] = {}
        """What a schema comes to, by its identity and depth: one is referred to again and again."""
        self.place = self._place([schema]) if schema is not None else Place()

    def field(self, place: Place, name: str) -> Place:
        """Return what is said of an object's field."""
        return self._place_of(_property(alternative, name) for alternative in place.alternatives)

    def item(self, place: Place) -> Place:
        """Return what is said of a list's elements."""
        found: list[list[JsonValue]] = []
        for alternative in place.alternatives:
            positions = [position for schema in alternative for position in _positions(schema)]
            items = [schema["items"] for schema in alternative if isinstance(schema.get("items"), dict)]
            # One place of a list stands for all: which element is at which place is not known before they are
            # aligned.
            found.extend([position, *items] for position in positions)
            if items and not positions:
                found.append(items)
        return self._place_of(found)

    def names(self, place: Place) -> frozenset[str]:
        """Return the names of an object's fields."""
        return frozenset(
            name
            for alternative in place.alternatives
            for schema in alternative
            for name in _mapping(schema, "properties")
        )

    def has_items(self, place: Place) -> bool:
        """Whether the field may be a list."""
        return bool(self.item(place).alternatives)

    def _place_of(self, conjunctions: Iterable[list[JsonValue]]) -> Place:
        alternatives: list[Alternative] = []
        for schemas in conjunctions:
            if schemas and len(alternatives) < MOST_ALTERNATIVES:
                alternatives.extend(self._place(schemas).alternatives)
        return Place(tuple(alternatives[:MOST_ALTERNATIVES]))

    def _place(self, schemas: Iterable[JsonValue]) -> Place:
        """Combine schemas that hold together."""
        combined: list[Alternative] = [()]
        for schema in schemas:
            options = self._expanded(schema, 0)
            combined = _combined(combined, options)
        return Place(tuple(combined))

    def _expanded(self, schema: JsonValue, depth: int) -> list[Alternative]:
        # An alternative that says nothing: what is not read forbids nothing.
        if not isinstance(schema, dict) or depth > DEEPEST:
            return [()]
        # Schemas live as long as the view does, so that no identity is used twice.
        key = id(schema), depth
        if key not in self._known:
            self._known[key] = self._expand(schema, depth)
        return self._known[key]

    def _expand(self, schema: JsonObject, depth: int) -> list[Alternative]:
        combined: list[Alternative] = [(schema,)]
        parts = [*_schemas(schema, "allOf")]
        if isinstance(ref := schema.get("$ref"), str):
            parts.append(self._target(ref))
        for part in parts:
            combined = _combined(combined, self._expanded(part, depth + 1))
        for keyword in ("anyOf", "oneOf"):
            choices = [
                alternative
                for choice in _schemas(schema, keyword)
                for alternative in self._expanded(choice, depth + 1)
                # null is no leaf and needs no rule
                if not _is_null(alternative)
            ]
            if choices:
                combined = _combined(combined, choices)
        return combined

    def _target(self, ref: str) -> JsonValue:
        if ref == "#":
            return self._root
        return _mapping(self._root, "$defs").get(ref.removeprefix("#/$defs/"))


def facts_of(place: Place) -> list[dict[str, JsonValue]]:
    """Return the keywords of each alternative; the last schema that has one counts."""
    return [
        {key: value for schema in alternative for key, value in schema.items()}
        for alternative in place.alternatives
        if not _is_null(alternative)
    ]


def types_of(facts: Mapping[str, JsonValue]) -> frozenset[str]:
    """Return the types that an alternative allows, null aside; none where it does not say."""
    kinds = facts.get("type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return frozenset(name for name in names if isinstance(name, str) and name != "null")


def _combined(alternatives: Sequence[Alternative], options: Sequence[Alternative]) -> list[Alternative]:
    """Return each alternative with each of the options that hold beside it."""
    # Cut off lazily: the product of two long lists is never made.
    pairs = ((one, other) for one in alternatives for other in options)
    return [_together(one, other) for one, other in islice(pairs, MOST_ALTERNATIVES)]


def _together(one: Alternative, other: Alternative) -> Alternative:
    """Join schemas that hold together, each once, where it stands last: there its keywords count.

    A recursive schema in two parts of an `allOf` would otherwise be there twice as often at each level.
    """
    later = {id(schema) for schema in other}
    return (*(schema for schema in one if id(schema) not in later), *other)


def _is_null(alternative: Alternative) -> bool:
    return any(schema.get("type") == "null" or _allows_null_only(schema) for schema in alternative)


def _allows_null_only(schema: Mapping[str, JsonValue]) -> bool:
    return ("const" in schema and schema["const"] is None) or schema.get("enum") == [None]


def _property(alternative: Alternative, name: str) -> list[JsonValue]:
    found = [fields[name] for schema in alternative if name in (fields := _mapping(schema, "properties"))]
    if found:
        return found
    return [
        schema["additionalProperties"]
        for schema in alternative
        if isinstance(schema.get("additionalProperties"), dict)
    ]


def _positions(schema: Mapping[str, JsonValue]) -> Iterator[JsonValue]:
    for keyword in ("prefixItems", "items"):
        value = schema.get(keyword)
        if isinstance(value, list):
            yield from value


def _schemas(schema: Mapping[str, JsonValue], keyword: str) -> list[JsonValue]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _mapping(schema: Mapping[str, JsonValue], keyword: str) -> Mapping[str, JsonValue]:
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}
