"""How large a schema may be for a provider, and where it may refer back to itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from evalcore.library.adaptation.merge import SchemaNotTaken
from evalcore.library.adaptation.rules import (
    MOST_CHARACTERS,
    MOST_ENUM_VALUES,
    MOST_LEVELS,
    MOST_OPTIONAL,
    MOST_PROPERTIES,
    MOST_UNIONS,
)
from evalcore.structs import JsonObject, JsonValue

_TOOL_PROPERTY: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_HINT: Final = "make it smaller, or set the model's structured_output to json_object or none"


def check_limits(schema: JsonObject) -> None:
    """Raise SchemaNotTaken where a schema is over one of OpenAI's limits."""
    properties = enums = characters = 0
    for node in _nodes(schema):
        names = list(_fields(node))
        properties += len(names)
        values = node.get("enum")
        listed = values if isinstance(values, list) else []
        enums += len(listed)
        characters += sum(map(len, names)) + sum(len(value) for value in listed if isinstance(value, str))
    for count, most, what in (
        (properties, MOST_PROPERTIES, "properties"),
        (enums, MOST_ENUM_VALUES, "values of enums"),
        (characters, MOST_CHARACTERS, "characters of names and of values of enums"),
        (_levels(schema), MOST_LEVELS, "levels of objects"),
    ):
        if count > most:
            raise SchemaNotTaken(
                f"openai cannot be asked for it: {count:,} {what}, and {most:,} is the most",
                where="schema",
                hint=_HINT,
            )


def compiled_too_large(schema: JsonObject) -> str | None:
    """Say why Anthropic would not compile a schema, by the numbers it gives; None where it would."""
    optional = unions = 0
    for node in _nodes(schema):
        required = node.get("required")
        known = required if isinstance(required, list) else []
        for name, part in _fields(node).items():
            optional += name not in known
            unions += isinstance(part, dict) and ("anyOf" in part or isinstance(part.get("type"), list))
    if optional > MOST_OPTIONAL:
        return f"it has {optional} optional properties, and {MOST_OPTIONAL} is the most that is compiled"
    if unions > MOST_UNIONS:
        return f"it has {unions} properties of several types, and {MOST_UNIONS} is the most that is compiled"
    return None


def check_tool(schema: JsonObject) -> None:
    """Raise SchemaNotTaken where a property's name is none that a tool of Anthropic's may have."""
    for node in _nodes(schema):
        for name in _fields(node):
            if not _TOOL_PROPERTY.fullmatch(name):
                raise SchemaNotTaken(
                    f"anthropic cannot be asked for it: the property name {name!r:.80} is none of a tool",
                    where="schema",
                    hint="use 1 to 64 letters, digits, `_`, `.` and `-`, or set structured_output to none",
                )


def open_cycles(
    places: Mapping[str, JsonValue], circles: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """Take properties that lead back to themselves out of `required`; yield each with its place.

    Raises SchemaNotTaken where such a reference is in no property.
    """
    for place, circle in circles.items():
        yield from _opened(places[place], place, circle)


def _opened(schema: JsonValue, place: str, circle: frozenset[str]) -> Iterator[tuple[str, str]]:
    for node, is_inside in _nodes_in_properties(schema):
        if not is_inside and node.get("$ref") in circle:
            raise SchemaNotTaken(
                "google cannot be asked for it: it refers back to itself outside of a property",
                where=f"schema at {place}",
                hint="put it into an optional property, or set structured_output to json_object or none",
            )
        required = node.get("required")
        if not isinstance(required, list):
            continue
        for name, part in _fields(node).items():
            if name in required and any(inner.get("$ref") in circle for inner in _nodes(part)):
                required = [each for each in required if each != name]
                yield place, name
        node["required"] = required


def _levels(schema: JsonObject) -> int:
    """Return how deep objects are nested, references followed until one leads back."""
    definitions = schema.get("$defs")
    named = definitions if isinstance(definitions, dict) else {}
    known: dict[str, int] = {}

    def of(node: JsonValue) -> int:
        if isinstance(node, list):
            return max(map(of, node), default=0)
        if not isinstance(node, dict):
            return 0
        deepest = 0
        if isinstance(ref := node.get("$ref"), str):
            name = ref.removeprefix("#/$defs/")
            if name not in known:
                # Before it is followed: what leads back to it adds no level, and the search ends.
                known[name] = 0
                known[name] = of(named.get(name))
            deepest = known[name]
        inner = max((of(part) for part in _fields(node).values()), default=0) + bool(_fields(node))
        others = [of(node[key]) for key in ("items", "anyOf", "prefixItems") if key in node]
        return max(deepest, inner, *others) if others else max(deepest, inner)

    return of(schema)


def _fields(node: JsonObject) -> dict[str, JsonValue]:
    fields = node.get("properties")
    return fields if isinstance(fields, dict) else {}


def _nodes(schema: JsonValue) -> Iterator[JsonObject]:
    """Yield a schema and all schemas inside, references not followed."""
    return (node for node, _ in _nodes_in_properties(schema))


def _nodes_in_properties(schema: JsonValue) -> Iterator[tuple[JsonObject, bool]]:
    """Yield a schema and all inside, each with whether it is inside of a property."""
    waiting: list[tuple[JsonValue, bool]] = [(schema, False)]
    while waiting:
        node, is_inside = waiting.pop()
        if isinstance(node, list):
            waiting += [(part, is_inside) for part in node]
        elif isinstance(node, dict):
            yield node, is_inside
            for key in ("items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties"):
                waiting.append((node.get(key), is_inside))
            for key in ("$defs", "properties"):
                parts = node.get(key)
                inside = is_inside or key == "properties"
                waiting += [(part, inside) for part in (parts.values() if isinstance(parts, dict) else ())]
