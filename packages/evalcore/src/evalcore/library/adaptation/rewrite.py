"""The rules for one place of a schema, and for all inside: what is sent there, and what that changes."""

from __future__ import annotations

from typing import Final

from evalcore.formats.counts import first_few
from evalcore.library.adaptation.merge import ANNOTATIONS, Merger, NullCheck
from evalcore.library.adaptation.rules import RULES, SchemaDialect
from evalcore.structs import JsonObject, JsonValue

SHOWN_PLACES: Final = 3
"""Places that a change names; the others are counted."""
_QUIET: Final = ANNOTATIONS - {"title", "description", "default"}
"""Left out without a word: they are about the schema, not about the answer."""


class Inexpressible(Exception):
    """What the dialect has no words for."""

    def __init__(self, what: str, where: str) -> None:
        self.where = f"schema at {where or '.'}"
        super().__init__(what)


class Rewriter:
    """Rewrites the parts of one schema, and collects what that changes."""

    def __init__(self, dialect: SchemaDialect, merger: Merger) -> None:
        self._dialect = dialect
        self._rules = RULES[dialect]
        self._merger = merger
        self._nulls = NullCheck(merger.target)
        self._changes: dict[str, list[str]] = {}
        self.has_forced_nulls = False
        """Whether optional properties were made required and nullable."""

    def note(self, what: str, where: str | None) -> None:
        """Note a change and the place of it; None for one that has no place."""
        places = self._changes.setdefault(what, [])
        if where is not None:
            places.append(where or ".")

    def changes(self) -> tuple[str, ...]:
        """Return what was changed, one sentence each."""
        return tuple(_sentence(what, places) for what, places in sorted(self._changes.items()))

    def rewritten(self, schema: JsonValue, where: str) -> JsonObject:
        """Return a schema as it is sent at a place, with all inside; raises Inexpressible."""
        if not isinstance(schema, dict):
            schema = {} if schema is not False else {"not": {}}
        schema = self._merger.merged(schema, f"schema at {where or '.'}")
        schema = self._only_ref(schema, where)
        schema = self._without_oneof(schema, where)
        if self._rules.is_closed and "properties" in schema and not schema.keys() & {"type", "anyOf"}:
            self.note("type: object is added", where)
            schema = {"type": "object", **schema}
        result: JsonObject = {}
        for key, value in schema.items():
            if self._is_sent(key, value, where):
                result[key] = value
        if self._dialect == "google":
            self._with_plain_enum(schema, result, where)
        if self._rules.is_closed and not result.keys() & {"$ref", "type", "enum", "const", "anyOf"}:
            raise Inexpressible("it does not say of what type a value is", where)
        self._rewrite_parts(result, where)
        if _may_be_object(result) and "$ref" not in result:
            self._rewrite_object(result, where)
        return result

    def _only_ref(self, schema: JsonObject, where: str) -> JsonObject:
        """Leave nothing beside `$ref`: what counts there is merged by now."""
        if "$ref" not in schema:
            return schema
        for key in schema.keys() - {"$ref", "$defs"} - _QUIET:
            self.note(f"`{key}` beside a $ref is not sent", where)
        return {"$ref": schema["$ref"]}

    def _without_oneof(self, schema: JsonObject, where: str) -> JsonObject:
        if "oneOf" not in schema:
            return schema
        if "anyOf" in schema:
            # A value has to obey one of each; one list of alternatives cannot say so.
            raise Inexpressible("it has anyOf and oneOf side by side", where)
        # The answer may then obey several alternatives at once; it is still held against the schema as it
        # was.
        self.note("oneOf is sent as anyOf", where)
        return {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}

    def _is_sent(self, key: str, value: JsonValue, where: str) -> bool:
        """Whether a keyword is sent as it stands."""
        # Definitions are rewritten apart, each once; Google's `const` and `enum` by the rule below.
        if key == "$defs" or (key in {"const", "enum"} and self._dialect == "google"):
            return False
        if key == "format" and self._rules.formats is not None and value not in self._rules.formats:
            self.note(f"the format `{str(value)[:40]}` is not sent", where)
            return False
        if key == "minItems" and self._rules.most_items_bound is not None:
            if isinstance(value, int) and value <= self._rules.most_items_bound:
                return True
            self.note("minItems over 1 is not sent", where)
            return False
        if key == "additionalProperties" or key in self._rules.keywords:
            return True
        # `not: {}` allows nothing, and without `prefixItems` nothing is said of the elements: to leave them
        # out would ask for something else.
        if key in {"prefixItems", "not"} and (key == "prefixItems" or value == {}):
            raise Inexpressible(f"it has `{key}`", where)
        if key not in _QUIET:
            self.note(f"{key} is not sent", where)
        return False

    def _with_plain_enum(self, schema: JsonObject, result: JsonObject, where: str) -> None:
        """Write const and enum as Google takes them: an enum of strings or of numbers alone."""
        values = schema.get("enum")
        if "const" in schema:
            values = [schema["const"]]
        if not isinstance(values, list):
            return
        # True is a number to Python, and none to Google.
        kept: list[JsonValue] = [
            value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)
        ]
        if values == kept:
            if "const" in schema:
                self.note("const is sent as an enum of one value", where)
            result["enum"] = kept
            return
        others = {_kind(value) for value in values if value not in kept or isinstance(value, bool)}
        if others & {"object", "array"}:
            raise Inexpressible("an enum holds objects or arrays", where)
        self.note("values of an enum that are neither text nor numbers are sent as their types", where)
        parts: list[JsonValue] = [{"enum": kept}] if kept else []
        parts += [{"type": kind} for kind in sorted(others)]
        result.pop("enum", None)
        result.pop("type", None)
        if "anyOf" in result:
            raise Inexpressible("it has enum and anyOf side by side", where)
        result.update({"anyOf": parts} if len(parts) > 1 else dict(_object(parts[0])))

    def _rewrite_parts(self, result: JsonObject, where: str) -> None:
        """Rewrite the schemas inside."""
        if isinstance(items := result.get("items"), list):
            raise Inexpressible("its `items` are a list", where)
        if "items" in result:
            result["items"] = self.rewritten(items, f"{where}[]")
        if isinstance(listed := result.get("prefixItems"), list):
            result["prefixItems"] = [self.rewritten(part, f"{where}[]") for part in listed]
        if isinstance(choices := result.get("anyOf"), list):
            result["anyOf"] = [self.rewritten(part, where) for part in choices]
        if isinstance(fields := result.get("properties"), dict):
            result["properties"] = {
                name: self.rewritten(part, f"{where}.{name}" if where else name)
                for name, part in fields.items()
            }
        if isinstance(more := result.get("additionalProperties"), dict) and not self._rules.is_closed:
            result["additionalProperties"] = self.rewritten(more, f"{where}.*")
        if self._rules.is_closed and _has_type(result, "array") and "items" not in result:
            raise Inexpressible("it does not say what an array holds", where)

    def _rewrite_object(self, result: JsonObject, where: str) -> None:
        """Close an object, and make all of it required, where the provider wants that."""
        fields = _object(result.get("properties"))
        if self._rules.is_closed and result.get("additionalProperties") is not False:
            if not fields:
                # To close it would make every right answer impossible; see docs/decisions/0014.
                raise Inexpressible("an object may hold any property", where)
            if "additionalProperties" in result:
                self.note("other properties than those listed can no longer be answered", where)
            else:
                self.note("additionalProperties: false is added", where)
            result["additionalProperties"] = False
        if not self._rules.is_all_required:
            return
        required = result.get("required")
        known = required if isinstance(required, list) else []
        # OpenAI wants just the described properties in `required`.
        if missing := [name for name in known if name not in fields]:
            raise Inexpressible(f"the property `{str(missing[0])[:60]}` is required and not described", where)
        original = {name for name in fields if name not in known}
        for name in fields:
            if name in original:
                place = f"{where}.{name}" if where else name
                self.note("an optional property is sent as required and nullable", place)
                self.has_forced_nulls = True
                fields[name] = self._nullable(_object(fields[name]))
        result["properties"] = fields
        result["required"] = [*fields]

    def _nullable(self, schema: JsonObject) -> JsonObject:
        """Return a rewritten schema that null obeys too."""
        if self._nulls.admits(schema):
            return schema
        kinds = schema.get("type")
        if "anyOf" in schema and not schema.keys() - {"anyOf", "title", "description"}:
            return {**schema, "anyOf": [*_list(schema["anyOf"]), {"type": "null"}]}
        if kinds is not None and "anyOf" not in schema and not schema.keys() & {"const", "properties"}:
            changed = {**schema, "type": [*(_list(kinds) if isinstance(kinds, list) else [kinds]), "null"]}
            if "enum" in schema:
                changed["enum"] = [*_list(schema["enum"]), None]
            return changed
        return {"anyOf": [schema, {"type": "null"}]}


def _sentence(what: str, places: list[str]) -> str:
    if not places:
        return what
    unique = dict.fromkeys(places)
    return f"{what}: {first_few((place[:80] for place in unique), SHOWN_PLACES)}"


def _may_be_object(schema: JsonObject) -> bool:
    return _has_type(schema, "object") or "properties" in schema


def _has_type(schema: JsonObject, kind: str) -> bool:
    kinds = schema.get("type")
    return kind in kinds if isinstance(kinds, list) else kinds == kind


def _kind(value: JsonValue) -> str:
    """Return the type of a value that is neither text nor a number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "object" if isinstance(value, dict) else "array"


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
