"""`allOf` and what stands beside a `$ref`, put together into one schema, since no provider takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evalcore.errors import ComponentError
from evalcore.structs import JsonObject, JsonValue

ANNOTATIONS: Final = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "$comment",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$schema",
    }
)
"""Keywords that allow and forbid nothing."""
MOST_MERGED: Final = 20_000
"""Schemas that are put together; each use of a definition counts, since it is written out there."""


MOST_FOLLOWED: Final = 100
"""References from one to the next that are followed; beyond, a schema counts as one that takes null."""


class SchemaNotTaken(ComponentError):
    """A schema cannot be asked of a provider; the sentence says what of it, and where."""

    code = "schema_not_taken"


class Merger:
    """Puts `allOf` together, references followed. One for each schema: it bounds the work."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._left = MOST_MERGED

    def target(self, ref: JsonValue) -> JsonValue:
        """Return what a reference of a bundled schema points at; None where it is nothing."""
        if ref == "#":
            return self._root
        definitions = self._root.get("$defs")
        if not isinstance(ref, str) or not isinstance(definitions, dict):
            return None
        return definitions.get(ref.removeprefix("#/$defs/"))

    def merged(self, schema: JsonObject, where: str) -> JsonObject:
        """Return the schema without `allOf`, and with nothing that counts beside `$ref`.

        Raises SchemaNotTaken where the parts cannot be put together.
        """
        return self._merged(schema, where, frozenset())

    def _merged(self, schema: JsonObject, where: str, following: frozenset[str]) -> JsonObject:
        # A definition that uses another twice, which uses a third twice, ..., is 2^n schemas once it is
        # written out.
        self._left -= 1
        if self._left < 0:
            raise SchemaNotTaken("its allOf has too many parts", where=where, hint="write them out")
        beside = {key for key in schema if key not in ANNOTATIONS | {"$ref", "$defs"}}
        is_mixed = "$ref" in schema and beside
        if "allOf" not in schema and not is_mixed:
            return schema
        parts = schema.get("allOf", [])
        rest = {key: value for key, value in schema.items() if key not in {"allOf", "$ref"}}
        found: list[JsonValue] = [*(parts if isinstance(parts, list) else [])]
        if "$ref" in schema:
            # First, so that a title or description beside it wins over those of what it refers to.
            found.insert(0, {"$ref": schema["$ref"]})
        if len(found) == 1 and rest.keys() <= ANNOTATIONS | {"$defs"} and isinstance(found[0], dict):
            # the usual way to describe a reference: the reference alone says all that counts
            return self._merged({**rest, **found[0]}, where, following)
        result: JsonObject = {}
        for part in [*found, rest]:
            if isinstance(part, dict):
                result = self._joined(result, self._written_out(part, where, following), where)
        return result

    def _written_out(self, schema: JsonObject, where: str, following: frozenset[str]) -> JsonObject:
        ref = schema.get("$ref")
        if not isinstance(ref, str):
            return self._merged(schema, where, following)
        if ref in following:
            raise SchemaNotTaken("an allOf refers back to itself", where=where, hint="write it out")
        target = self.target(ref)
        own = {key: value for key, value in schema.items() if key != "$ref"}
        if not isinstance(target, dict):
            return own
        deeper = following | {ref}
        inner = self._written_out(self._merged(target, where, deeper), where, deeper)
        inner = {key: value for key, value in inner.items() if key != "$defs"}
        return self._joined(inner, self._merged(own, where, following), where)

    def _joined(self, one: JsonObject, other: JsonObject, where: str) -> JsonObject:
        """Return what both say together."""
        result = dict(one)
        for key, value in other.items():
            if key not in result or key in ANNOTATIONS or result[key] == value:
                result[key] = value
            else:
                result[key] = self._both(key, result[key], value, where)
        return result

    def _both(self, key: str, one: JsonValue, other: JsonValue, where: str) -> JsonValue:
        if key == "required" and isinstance(one, list) and isinstance(other, list):
            return [*one, *(name for name in other if name not in one)]
        if key == "properties" and isinstance(one, dict) and isinstance(other, dict):
            both: JsonObject = {**one, **other}
            for name in one.keys() & other.keys():
                # Put together in turn when that place is rewritten.
                both[name] = {"allOf": [one[name], other[name]]}
            return both
        if key == "additionalProperties" and False in (one, other):
            return False
        if key in {"type", "enum"}:
            common = [item for item in _listed(one) if item in _listed(other)]
            if common:
                return common[0] if key == "type" and len(common) == 1 else common
        raise SchemaNotTaken(f"the parts of an allOf differ in `{key}`", where=where, hint="write it out")


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


class NullCheck:
    """Whether null obeys a schema. Each reference is followed once, so that the work is bounded."""

    def __init__(self, target: Callable[[JsonValue], JsonValue]) -> None:
        self._target = target
        self._known: dict[str, bool] = {}
        self._following = 0

    def admits(self, schema: JsonValue) -> bool:  # noqa: PLR0911 - a list of what forbids it
        """Return whether null obeys the schema (`not` and `if` are not read)."""
        if not isinstance(schema, dict):
            return schema is not False
        kinds = schema.get("type")
        if kinds is not None and "null" not in _listed(kinds):
            return False
        if "enum" in schema and None not in _listed(schema["enum"]):
            return False
        if "const" in schema and schema["const"] is not None:
            return False
        if isinstance(ref := schema.get("$ref"), str) and not self._of(ref):
            return False
        parts = schema.get("allOf")
        if isinstance(parts, list) and not all(self.admits(part) for part in parts):
            return False
        choices = [schema[key] for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list)]
        return all(any(self.admits(each) for each in _listed(some)) for some in choices)

    def _of(self, ref: str) -> bool:
        # By Python's stack. Where it is taken for one that takes null, schema and answer stay as they are.
        if self._following > MOST_FOLLOWED:
            return True
        if ref not in self._known:
            self._known[ref] = False  # a reference that leads back to itself adds nothing
            self._following += 1
            self._known[ref] = self.admits(self._target(ref))
            self._following -= 1
        return self._known[ref]
