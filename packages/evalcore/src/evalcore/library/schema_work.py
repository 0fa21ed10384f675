"""How much work validating a value is, in visits of schema nodes, worked out before it is done.

The validator can neither be stopped nor asked how far it is, and a schema of 3 kB can make it visit 2^40
nodes. A visit is one node of the schema applied to one value. The count is an upper bound of what the
validator does, which stops at the first failure; it depends on schema and value alone, so that whoever
recomputes a record comes to the same decision on any machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from evalcore.errors import ComponentError
from evalcore.structs import JsonObject, JsonValue

MOST_VISITS: Final = 50_000_000
"""Of one value: some seconds. The largest answers of the known libraries take some ten thousand."""
MOST_PAIRS: Final = 1_000_000
"""Of a schema node and a value that are counted one by one, where the simple bound does not do."""
PATTERN: Final = 100
"""Visits that trying a pattern on up to PATTERN characters counts as."""
UNIQUE: Final = 10
"""Visits that comparing one element of a list with the others (`uniqueItems`) counts as."""

_HERE: Final = ("allOf", "anyOf", "oneOf")
_HERE_ONE: Final = ("not", "if", "then", "else")
_HERE_NAMED: Final = ("dependentSchemas", "dependencies")
_BELOW: Final = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "items",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_UNEVALUATED: Final = ("unevaluatedItems", "unevaluatedProperties")
"""To know what is left the validator applies all that stands beside them once more."""

_Pair = tuple[int, int]


class SchemaWork:
    """Counts the visits of one bundled schema, whose references are all `#` or `#/$defs/name`."""

    def __init__(self, schema: JsonObject, where: str = "schema") -> None:
        """Raise ComponentError where a reference leads back to itself without going into the value."""
        self._schema = schema
        definitions = schema.get("$defs")
        self._definitions = definitions if isinstance(definitions, dict) else {}
        self._refuse_circles(where)
        self._expanded = self._expand()

    def is_too_much(self, value: JsonValue) -> bool:
        """Whether validating a value may take more than MOST_VISITS visits."""
        if self._expanded is not None and self._expanded * _weight(value) <= MOST_VISITS:
            return False  # most often: each value is visited once at most for each way through the schema
        # Much slower, and seldom needed: for recursive schemas, and where the product is far too pessimistic.
        return self._counted(value) > MOST_VISITS

    def _target(self, reference: JsonValue) -> JsonValue:
        if reference == "#":
            return self._schema
        name = str(reference).removeprefix("#/$defs/")
        return self._definitions.get(name, True)

    def _here(self, schema: JsonObject) -> Iterator[JsonValue]:
        """Yield the schemas that are applied to the very value that `schema` is applied to."""
        if "$ref" in schema:
            yield self._target(schema["$ref"])
        for key in _HERE:
            if isinstance(inner := schema.get(key), list):
                yield from inner
        for key in _HERE_ONE:
            if key in schema:
                yield schema[key]
        for key in _HERE_NAMED:
            if isinstance(inner := schema.get(key), dict):
                yield from (item for item in inner.values() if not isinstance(item, list))

    def _below(self, schema: JsonObject) -> Iterator[JsonValue]:
        """Yield the schemas that are applied to what is in the value."""
        for key in _BELOW:
            inner = schema.get(key)
            if isinstance(inner, list):
                yield from inner
            elif inner is not None:
                yield inner
        if isinstance(inner := schema.get("prefixItems"), list):
            yield from inner
        for key in ("properties", "patternProperties"):
            if isinstance(inner := schema.get(key), dict):
                yield from inner.values()

    def _times(self, schema: JsonObject) -> int:
        return 2 if any(key in schema for key in _UNEVALUATED) else 1

    def _refuse_circles(self, where: str) -> None:
        done: set[int] = set()
        for start in (self._schema, *self._definitions.values()):
            open_nodes: set[int] = set()
            # Without recursion, here and below: a chain of 120,000 references is a small file.
            stack: list[tuple[JsonValue, Iterator[JsonValue]]] = []
            waiting: JsonValue = start
            while True:
                if isinstance(waiting, dict) and id(waiting) not in done:
                    # The validator would follow it until its stack overflows, whatever the value.
                    if id(waiting) in open_nodes:
                        what = "a `$ref` leads back to itself without going into the value"
                        raise ComponentError(what, where=where, hint="let it stand below a property or item")
                    open_nodes.add(id(waiting))
                    stack.append((waiting, self._here(waiting)))
                while stack and (waiting := next(stack[-1][1], None)) is None:
                    finished, _ = stack.pop()
                    done.add(id(finished))
                    open_nodes.discard(id(finished))
                if not stack:
                    break

    def _expand(self) -> int | None:
        """Count the visits of one value for all ways through the schema; None where they have no end."""
        known: dict[int, int] = {}
        open_nodes: set[int] = set()
        stack: list[JsonObject] = [self._schema]
        while stack:
            schema = stack[-1]
            inner = [each for each in (*self._here(schema), *self._below(schema)) if isinstance(each, dict)]
            unknown = [each for each in inner if id(each) not in known]
            if unknown and id(schema) not in open_nodes:
                open_nodes.add(id(schema))
                if any(id(each) in open_nodes for each in unknown):
                    return None  # it contains itself, so that the value alone ends the way through it
                stack.extend(unknown)
                continue
            if any(id(each) in open_nodes and id(each) not in known for each in unknown):
                return None
            stack.pop()
            total = _own(schema) + self._times(schema) * sum(known[id(each)] for each in inner)
            # Cut off: sums of products through many levels would grow to numbers of thousands of digits.
            known[id(schema)] = min(total, MOST_VISITS + 1)
            open_nodes.discard(id(schema))
        return known[id(self._schema)]

    def _counted(self, value: JsonValue) -> int:
        """Count pair by pair, each pair once; more than MOST_VISITS where there are too many pairs."""
        known: dict[_Pair, int] = {}
        stack: list[tuple[JsonObject, JsonValue]] = [(self._schema, value)]
        while stack:
            schema, item = stack[-1]
            key = _pair(schema, item)
            if key in known:
                stack.pop()
                continue
            inner = list(self._applied(schema, item))
            unknown = {_pair(*each): each for each in inner if _pair(*each) not in known}
            if unknown:
                if len(known) + len(stack) + len(unknown) > MOST_PAIRS:
                    return MOST_VISITS + 1
                stack.extend(unknown.values())
                continue
            stack.pop()
            total = _own(schema) * _size(item) + self._times(schema) * sum(
                known[_pair(*one)] for one in inner
            )
            known[key] = min(total, MOST_VISITS + 1)
        return known[_pair(self._schema, value)]

    def _applied(self, schema: JsonObject, value: JsonValue) -> Iterator[tuple[JsonObject, JsonValue]]:
        for each in self._here(schema):
            if isinstance(each, dict):
                yield each, value
        if isinstance(value, list):
            items: list[JsonValue] = value
        elif isinstance(value, dict):
            items = [*value.values(), *(value if "propertyNames" in schema else ())]
        else:
            return
        properties = schema.get("properties")
        # Named properties go to their own value; everything else, to be sure, to every value, whether a
        # pattern or `additionalProperties` applies or not. So the count is never too low.
        for each in self._below(schema if not isinstance(properties, dict) else _without(schema)):
            if isinstance(each, dict):
                yield from ((each, item) for item in items)
        if isinstance(properties, dict) and isinstance(value, dict):
            for name in properties.keys() & value.keys():
                if isinstance(inner := properties[name], dict):
                    yield inner, value[name]


def _without(schema: JsonObject) -> JsonObject:
    return {key: inner for key, inner in schema.items() if key != "properties"}


def _pair(schema: JsonObject, value: JsonValue) -> _Pair:
    """What distinguishes one pair from another: scalars of one length take the same work."""
    if isinstance(value, list | dict):
        return id(schema), id(value)
    return id(schema), -_size(value)


def _own(schema: JsonObject) -> int:
    """What a schema node costs by itself, per PATTERN characters of a text and element of a list."""
    patterns = schema.get("patternProperties")
    tried = ("pattern" in schema) + (len(patterns) if isinstance(patterns, dict) else 0)
    listed = schema.get("enum")
    compared = (len(listed) if isinstance(listed, list) else 0) + ("const" in schema)
    return 1 + PATTERN * tried + compared + (UNIQUE if schema.get("uniqueItems") else 0)


def _size(value: JsonValue) -> int:
    if isinstance(value, str):
        return 1 + len(value) // PATTERN
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(len, value)) // PATTERN
    return 1 + len(value) if isinstance(value, list) else 1


def _weight(value: JsonValue) -> int:
    """The sizes of a value and of all that is in it."""
    total, waiting = _size(value), [value]
    while waiting:
        part = waiting.pop()
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        for item in inner:
            # Texts and lists are most of what there is, and this is done for every reply.
            if isinstance(item, str):
                total += 1 + len(item) // PATTERN
            elif isinstance(item, dict | list):
                total += _size(item)
                waiting.append(item)
            else:
                total += 1
    return total


_REPETITION = re.compile(r"\{\d")


def is_cheap_to_compile(schema: JsonValue, most: int) -> bool:
    """Whether a schema has few nodes, and no pattern that grows when it is compiled (`a{1000}`)."""
    seen, waiting = 0, [schema]
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > most or (isinstance(part, str) and _REPETITION.search(part)):
            return False
        if isinstance(part, dict):
            waiting.extend(part.values())
            waiting.extend(part)
        elif isinstance(part, list):
            waiting.extend(part)
    return True
