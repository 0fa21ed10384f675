"""What an adapted schema changed in an answer, taken back, so that providers are scored on equal terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalcore.library.adaptation.adapt import WRAPPER, AdaptedSchema
from evalcore.library.adaptation.merge import Merger, NullCheck
from evalcore.structs import JsonObject, JsonValue

MOST_SCHEMAS: Final = 64
"""Schemas of one place that are read: choices multiply, and a schema comes from anybody."""


def undo_adaptation(value: JsonValue, original: JsonObject, adapted: AdaptedSchema) -> JsonValue:
    """Return an answer as the original schema means it: unwrapped, without the nulls that were forced.

    A null is taken out where the original schema has an optional property to which no null may be given;
    any other null is the model's own. Takes time linear in the answer, its schemas read up to MOST_SCHEMAS
    at a place.
    """
    # Anything else is not what was asked for, and is scored as it came.
    if adapted.is_wrapped and isinstance(value, dict) and value.keys() == {WRAPPER}:
        value = value[WRAPPER]
    if not adapted.has_forced_nulls:
        return value
    return _Undoing(original).undone(value, [original])


class _Undoing:
    def __init__(self, original: JsonObject) -> None:
        self._target = Merger(original).target
        self._nulls = NullCheck(self._target)

    def undone(self, value: JsonValue, schemas: list[JsonValue]) -> JsonValue:
        if isinstance(value, list):
            items: list[JsonValue] = [
                part for schema in self._spread(schemas) if (part := schema.get("items")) is not None
            ]
            return [self.undone(item, items) for item in value] if items else value
        if not isinstance(value, dict):
            return value
        read = list(self._spread(schemas))
        result: JsonObject = {}
        for name, inner in value.items():
            parts = [fields[name] for schema in read if name in (fields := _fields(schema))]
            # Where any alternative requires it the null may be an answer to that one: it stays.
            is_required = any(name in _required(schema) for schema in read)
            is_forced = bool(parts) and not is_required and not any(map(self._nulls.admits, parts))
            if inner is not None or not is_forced:
                result[name] = self.undone(inner, parts) if parts else inner
        return result

    def _spread(self, schemas: list[JsonValue]) -> Iterator[JsonObject]:
        """Yield the schemas of a place, choices and references followed."""
        waiting, seen, left = list(reversed(schemas)), set[str](), MOST_SCHEMAS
        while waiting and left:
            schema = waiting.pop()
            if not isinstance(schema, dict):
                continue
            left -= 1
            yield schema
            # Each reference once at a place: a schema may lead back to itself without a property between.
            if isinstance(ref := schema.get("$ref"), str) and ref not in seen:
                seen.add(ref)
                waiting.append(self._target(ref))
            for keyword in ("anyOf", "oneOf", "allOf"):
                parts = schema.get(keyword)
                waiting.extend(parts if isinstance(parts, list) else ())


def _fields(schema: JsonObject) -> JsonObject:
    fields = schema.get("properties")
    return fields if isinstance(fields, dict) else {}


def _required(schema: JsonObject) -> list[JsonValue]:
    required = schema.get("required")
    return required if isinstance(required, list) else []
