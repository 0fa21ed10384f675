"""Which keys an answer's objects may have: what the schema declares, or else what expected answers show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from evalcore.library.schema_view import Place, SchemaView, facts_of, types_of
from evalcore.structs import JsonObject, JsonValue

ANY_KEY: Final = "*"
"""Stands in a path for every key of an object whose keys are data, such as names of people."""
DEEPEST: Final = 12
"""Levels of objects and lists that are looked at; a schema may refer to itself without end."""
Kind = Literal["scalar", "object", "list"]


class Declared:
    """One place in a component's answers, the same for all replies."""

    __slots__ = ("_any", "_fields", "_item", "_place", "_view", "always", "depth", "kind", "name", "names",
                 "parent", "path", "required", "takes_any")  # fmt: skip

    def __init__(
        self, view: SchemaView, place: Place, parent: Declared | None = None, name: str = "", path: str = ""
    ) -> None:
        self._view = view
        self._place = place
        self._fields: dict[str, Declared] | None = None
        self._any: Declared | None = None
        self._item: Declared | None = None
        self.parent = parent
        self.name = name
        """Its key in the object around it; empty of a list's element, and of the whole answer."""
        self.path = path
        """As `items[].amount`; empty for the whole answer."""
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.names = view.names(place) if self.depth < DEEPEST else frozenset[str]()
        """The declared keys of an object here."""
        parts = place.alternatives
        self.always = _in_each(
            {name for schema in one for name in _keys(schema, "properties")} for one in parts
        )
        """Those that every alternative declares: an object that lacks one lacks a key."""
        self.required = _in_each(
            {name for schema in one for name in _keys(schema, "required")} for one in parts
        )
        self.takes_any = any(_takes_any(schema) for one in parts for schema in one)
        """Whether the keys of an object here are data, of any name."""
        self.kind = _kind(place)
        """None where the schema does not say."""

    def seen(self) -> Iterator[Declared]:
        """Yield this place and all within it that answers were looked at in, from the outside."""
        yield self
        inner = [*(self._fields or {}).values(), self._any, self._item]
        for place in inner:
            if place is not None:
                yield from place.seen()

    @property
    def is_list(self) -> bool:
        """Whether a list is declared here, or was there where nothing is."""
        return self.kind == "list" or (self.kind is None and self._item is not None)

    @property
    def fields(self) -> Mapping[str, Declared]:
        """The places of the declared keys, by name."""
        if self._fields is None:
            self._fields = {name: self._inner(name) for name in sorted(self.names)}
        return self._fields

    def field(self, name: str) -> Declared | None:
        """Return the place of a key; None of one that is not declared, where not any may be."""
        known = self.fields.get(name)
        if known is None and self.takes_any:
            known = self._any = self._any or self._inner(ANY_KEY)
        return known

    def _inner(self, name: str) -> Declared:
        path = f"{self.path}.{name}" if self.path else name
        return Declared(self._view, self._view.field(self._place, name), self, name, path)

    def item(self) -> Declared:
        """Return the place of a list's elements."""
        if self._item is None:
            place = self._view.item(self._place)
            self._item = Declared(self._view, place, self, "", f"{self.path}[]")
        return self._item


def declared_by(schema: JsonObject | None, expected: Iterable[JsonValue]) -> Declared:
    """Return the place of the whole answer: by the schema, or where there is none by `expected` answers."""
    view = SchemaView(schema if schema is not None else _schema_of(list(expected), 0))
    return Declared(view, view.place)


def _schema_of(values: list[JsonValue], depth: int) -> JsonObject:
    """Return a schema that declares the keys that values have."""
    if depth >= DEEPEST:
        return {}
    objects = [value for value in values if isinstance(value, dict)]
    items = [item for value in values if isinstance(value, list) for item in value]
    names = dict.fromkeys(name for value in objects for name in value)
    if objects:
        inner = {name: [value[name] for value in objects if name in value] for name in names}
        return {
            "type": "object",
            "properties": {name: _schema_of(found, depth + 1) for name, found in inner.items()},
        }
    if items or any(isinstance(value, list) for value in values):
        return {"type": "array", "items": _schema_of(items, depth + 1)}
    # Only the keys are of interest: whatever scalar is there counts as one.
    return {"type": "string"} if values else {}


def _kind(place: Place) -> Kind | None:
    types = {kind for one in facts_of(place) for kind in types_of(one)}
    if types == {"array"}:
        return "list"
    if types == {"object"}:
        return "object"
    return "scalar" if types and not types & {"array", "object"} else None


def _in_each(sets: Iterable[set[str]]) -> frozenset[str]:
    found = list(sets)
    return frozenset(set.intersection(*found)) if found else frozenset()


def _takes_any(schema: Mapping[str, JsonValue]) -> bool:
    return isinstance(schema.get("additionalProperties"), dict) or "patternProperties" in schema


def _keys(schema: Mapping[str, JsonValue], keyword: str) -> Iterable[str]:
    value = schema.get(keyword)
    return [name for name in value if isinstance(name, str)] if isinstance(value, dict | list) else []
