"""Schemas as the providers take them: what each refuses, and an answer made to obey one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalcore.structs import JsonObject, JsonValue
from evalsim.cloud.vendor import as_list, as_object

_ANTHROPIC_REFUSES: Final = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("maxItems", "uniqueItems", "oneOf", "not", "if", "patternProperties", "prefixItems"),
)
_OPENAI_REFUSES: Final = ("oneOf", "allOf", "not", "if", "minLength", "maxLength", "default", "prefixItems")
_GOOGLE_TAKES: Final = frozenset(
    {
        *("$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items"),
        *("prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties"),
        *("additionalProperties", "required", "propertyOrdering"),
    }
)


def anthropic_problem(schema: JsonObject) -> str | None:
    """Say in Anthropic's words why a schema is refused; None where it is not."""
    optional = 0
    for node in nodes(schema):
        if _is_object(node) and node.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
        for name in _ANTHROPIC_REFUSES:
            if name in node:
                return f"For '{node.get('type')}' type, property '{name}' is not supported"
        # Counted over the whole schema, not for each object.
        optional += len(
            as_object(node.get("properties")).keys() - set(map(str, as_list(node.get("required"))))
        )
    if optional > 24:  # noqa: PLR2004 - its limit
        return f"Schema is too complex: too many optional parameters ({optional})"
    return None


def openai_problem(schema: JsonObject) -> str | None:  # noqa: PLR0911 - one for each rule
    """Say in OpenAI's words why a strict schema is refused; None where it is not."""
    if schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'"
    for node in nodes(schema):
        for name in _OPENAI_REFUSES:
            if name in node:
                return f"In context=(), '{name}' is not permitted"
        if "$ref" in node and len(node) > 1:
            return "In context=(), $ref cannot have keywords beside it"
        if not node.keys() & {"type", "$ref", "anyOf", "enum", "const"}:
            return "In context=(), schema must have a 'type' key"
        if not _is_object(node):
            continue
        if node.get("additionalProperties") is not False:
            return "In context=(), 'additionalProperties' is required to be supplied and to be false"
        missing = [
            name for name in as_object(node.get("properties")) if name not in as_list(node.get("required"))
        ]
        if missing:
            return (
                "In context=(), 'required' is required to be supplied and to be an array including every"
                f" key in properties. Missing '{missing[0]}'"
            )
    return None


def google_problem(schema: JsonObject) -> str | None:
    """Say why Google refuses a schema; None where it does not."""
    for node in nodes(schema):
        if unknown := node.keys() - _GOOGLE_TAKES:
            return f"response_json_schema: the keyword {min(unknown)} is not supported"
        if "$ref" in node and any(not key.startswith("$") for key in node):
            return "response_json_schema: nothing may stand beside $ref"
        if not all(_is_plain(value) for value in as_list(node.get("enum"))):
            return "response_json_schema: enum holds neither text nor numbers"
    return None


def _is_plain(value: JsonValue) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def nodes(schema: JsonValue) -> Iterator[JsonObject]:
    """Yield a schema and all schemas inside."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            yield node
            waiting += [node.get(key) for key in ("items", "anyOf", "oneOf", "allOf", "prefixItems")]
            for key in ("properties", "$defs"):
                waiting.extend(as_object(node.get(key)).values())


def _is_object(node: JsonObject) -> bool:
    kinds = node.get("type")
    return kinds == "object" or "object" in as_list(kinds)


def obeying(value: JsonValue, schema: JsonObject) -> JsonValue:
    """Return an answer as a model bound to a schema gives it: wrapped, null where it has nothing."""
    properties = as_object(schema.get("properties"))
    # A list cannot be the root of OpenAI's schemas: it was wrapped, and the answer is to be wrapped alike.
    if properties.keys() == {"answer"} and not (isinstance(value, dict) and "answer" in value):
        value = {"answer": value}
    return _filled(value, schema, as_object(schema.get("$defs")))


def _filled(value: JsonValue, schema: JsonValue, definitions: JsonObject) -> JsonValue:
    node = as_object(schema)
    if isinstance(ref := node.get("$ref"), str):
        return _filled(value, definitions.get(ref.removeprefix("#/$defs/")), definitions)
    for choice in as_list(node.get("anyOf")):
        if _fits(value, choice, definitions):
            return _filled(value, choice, definitions)
    if isinstance(value, list):
        return [_filled(item, node.get("items"), definitions) for item in value]
    if not isinstance(value, dict):
        return value
    fields = as_object(node.get("properties"))
    filled = {name: _filled(inner, fields.get(name), definitions) for name, inner in value.items()}
    # All properties are required of a strict schema: what a model has nothing for is null.
    return {**filled, **{str(name): None for name in as_list(node.get("required")) if name not in filled}}


def _fits(value: JsonValue, schema: JsonValue, definitions: JsonObject) -> bool:
    node = as_object(schema)
    if isinstance(ref := node.get("$ref"), str):
        node = as_object(definitions.get(ref.removeprefix("#/$defs/")))
    kinds = node.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    name = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value)
    )
    return (name or "number") in listed or (name is None and "integer" in listed)
