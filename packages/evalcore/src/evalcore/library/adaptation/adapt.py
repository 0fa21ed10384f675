"""One pure function: a bundled schema as a provider's structured output takes it, and what that changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalcore.library.adaptation.limits import check_limits, check_tool, compiled_too_large, open_cycles
from evalcore.library.adaptation.merge import ANNOTATIONS, Merger, NullCheck, SchemaNotTaken
from evalcore.library.adaptation.references import cyclic, redirected, refers_to
from evalcore.library.adaptation.rules import RULES, Rules, SchemaDialect
from evalcore.structs import Frozen, JsonObject, JsonValue

__all__ = ["WRAPPER", "AdaptedSchema", "SchemaDialect", "SchemaNotTaken", "adapt_schema", "as_forced_tool"]

WRAPPER: Final = "answer"
"""The property that holds the answer where the root has to be an object and is none."""
SHOWN_PLACES: Final = 3
"""Places that a change names; the others are counted."""
_QUIET: Final = ANNOTATIONS - {"title", "description", "default"}
"""Left out without a word: they are about the schema, not about the answer."""


class AdaptedSchema(Frozen, frozen=True):
    """A schema as it is sent."""

    schema: JsonObject
    changes: tuple[str, ...] = ()
    """What was changed, one sentence each, for people; empty where the schema is sent as it is."""
    is_wrapped: bool = False
    """Whether the answer stands under WRAPPER."""
    has_forced_nulls: bool = False
    """Whether optional properties were made required and nullable."""
    as_tool: bool = False
    """Whether it is asked for as the input of a tool that the model has to call."""


def adapt_schema(schema: JsonObject, dialect: SchemaDialect) -> AdaptedSchema:
    """Rewrite a bundled schema so that a provider's structured output takes it.

    What the rules do not have is left out and said in `changes`; the answers are still compared with the
    schema as it was. Takes time linear in the schema's size, `allOf` written out. Raises SchemaNotTaken, with
    one sentence, for a schema that no rewriting makes one of the provider's without changing what may be
    answered.
    """
    rules = RULES[dialect]
    adaption = _Adaption(schema, dialect, rules)
    try:
        adapted = adaption.adapted()
    except _Inexpressible as error:
        if not rules.has_tools:
            raise SchemaNotTaken(
                f"{dialect} cannot be asked for it: {error}",
                where=error.where,
                hint="change the schema, or set the model's structured_output to json_object or none",
            ) from None
        return as_forced_tool(schema, str(error))
    except RecursionError:
        raise _too_deep() from None
    if dialect == "anthropic" and (reason := compiled_too_large(adapted.schema)) is not None:
        return as_forced_tool(schema, reason)
    if dialect == "openai":
        try:
            check_limits(adapted.schema)
        except RecursionError:
            raise _too_deep() from None
    return adapted


def _too_deep() -> SchemaNotTaken:
    return SchemaNotTaken(
        "its references lead on too far", where="schema", hint="write some of them out, or leave them out"
    )


def as_forced_tool(schema: JsonObject, why: str) -> AdaptedSchema:
    """Return the schema as a tool's input, which is not compiled and takes what is written.

    Raises SchemaNotTaken where a property's name is none that a tool may have.
    """
    check_tool(schema)
    is_wrapped = not _is_plain_object(schema)
    sent = (
        _wrapped(schema) if is_wrapped else {key: value for key, value in schema.items() if key != "$schema"}
    )
    changes = [f"asked for as a forced tool, which is not bound to the schema: {why}"]
    changes += [_WRAPPING] if is_wrapped else []
    return AdaptedSchema(schema=sent, changes=tuple(changes), is_wrapped=is_wrapped, as_tool=True)


_WRAPPING: Final = f"the answer is asked for as the property `{WRAPPER}` of an object, and taken out of it"


class _Inexpressible(Exception):
    """What the dialect has no words for."""

    def __init__(self, what: str, where: str) -> None:
        self.where = f"schema at {where or '.'}"
        super().__init__(what)


class _Adaption:
    def __init__(self, schema: JsonObject, dialect: SchemaDialect, rules: Rules) -> None:
        self._root = schema
        self._dialect = dialect
        self._rules = rules
        self._merger = Merger(schema)
        self._nulls = NullCheck(self._merger.target)
        self._changes: dict[str, list[str]] = {}
        self._has_forced_nulls = False

    def adapted(self) -> AdaptedSchema:
        root = self._root
        refers_to_root = refers_to(root, "#")
        if root.get("$ref") not in {None, "#"} and root.keys() <= ANNOTATIONS | {"$ref", "$defs"}:
            target = self._merger.target(root["$ref"])
            if isinstance(target, dict) and self._rules.has_object_root:
                # a root that only refers is written out, so that it is an object by itself
                root = {**{key: value for key, value in root.items() if key != "$ref"}, **target}
        is_wrapped = self._rules.has_object_root and not _is_plain_object(self._merger.merged(root, "schema"))
        definitions = self._definitions()
        body = {key: value for key, value in root.items() if key != "$defs"}
        rewritten = self._rewritten(body, "")
        if self._dialect == "anthropic" and self._is_recursive(definitions, rewritten):
            raise _Inexpressible("it refers back to itself", "")
        if self._dialect == "google":
            rewritten, definitions = self._opened_cycles(rewritten, definitions)
        sent: JsonObject = {**rewritten}
        if is_wrapped:
            self._note(_WRAPPING, "")
            sent, definitions = _wrapped_parts(rewritten, definitions, refers_to_root=refers_to_root)
        if definitions:
            sent["$defs"] = definitions
        return AdaptedSchema(
            schema=sent,
            changes=self._sentences(),
            is_wrapped=is_wrapped,
            has_forced_nulls=self._has_forced_nulls,
        )

    def _definitions(self) -> JsonObject:
        found = self._root.get("$defs")
        if not isinstance(found, dict):
            return {}
        return {name: self._rewritten(part, f"$defs/{name}") for name, part in found.items()}

    def _rewritten(self, schema: JsonValue, where: str) -> JsonObject:
        if not isinstance(schema, dict):
            schema = {} if schema is not False else {"not": {}}
        schema = self._merger.merged(schema, f"schema at {where or '.'}")
        schema = self._only_ref(schema, where)
        schema = self._without_oneof(schema, where)
        if self._rules.is_closed and "properties" in schema and not schema.keys() & {"type", "anyOf"}:
            self._note("type: object is added", where)
            schema = {"type": "object", **schema}
        result: JsonObject = {}
        for key, value in schema.items():
            if self._is_sent(key, value, where):
                result[key] = value
        if self._dialect == "google":
            self._with_plain_enum(schema, result, where)
        if self._rules.is_closed and not result.keys() & {"$ref", "type", "enum", "const", "anyOf"}:
            raise _Inexpressible("it does not say of what type a value is", where)
        self._rewrite_parts(result, where)
        if _may_be_object(result) and "$ref" not in result:
            self._rewrite_object(result, where)
        return result

    def _only_ref(self, schema: JsonObject, where: str) -> JsonObject:
        """Leave nothing beside `$ref`: what counts there is merged by now."""
        if "$ref" not in schema:
            return schema
        for key in schema.keys() - {"$ref", "$defs"} - _QUIET:
            self._note(f"`{key}` beside a $ref is not sent", where)
        return {"$ref": schema["$ref"]}

    def _without_oneof(self, schema: JsonObject, where: str) -> JsonObject:
        if "oneOf" not in schema:
            return schema
        if "anyOf" in schema:
            raise _Inexpressible("it has anyOf and oneOf side by side", where)
        self._note("oneOf is sent as anyOf", where)
        return {("anyOf" if key == "oneOf" else key): value for key, value in schema.items()}

    def _is_sent(self, key: str, value: JsonValue, where: str) -> bool:
        """Whether a keyword is sent as it stands."""
        if key == "$defs" or (key in {"const", "enum"} and self._dialect == "google"):
            return False
        if key == "format" and self._rules.formats is not None and value not in self._rules.formats:
            self._note(f"the format `{str(value)[:40]}` is not sent", where)
            return False
        if key == "minItems" and self._rules.most_items_bound is not None:
            if isinstance(value, int) and value <= self._rules.most_items_bound:
                return True
            self._note("minItems over 1 is not sent", where)
            return False
        if key == "additionalProperties" or key in self._rules.keywords:
            return True
        if key in {"prefixItems", "not"} and (key == "prefixItems" or value == {}):
            raise _Inexpressible(f"it has `{key}`", where)
        if key not in _QUIET:
            self._note(f"{key} is not sent", where)
        return False

    def _with_plain_enum(self, schema: JsonObject, result: JsonObject, where: str) -> None:
        """Write const and enum as Google takes them: an enum of strings or of numbers alone."""
        values = schema.get("enum")
        if "const" in schema:
            values = [schema["const"]]
        if not isinstance(values, list):
            return
        kept: list[JsonValue] = [
            value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)
        ]
        if values == kept:
            if "const" in schema:
                self._note("const is sent as an enum of one value", where)
            result["enum"] = kept
            return
        others = {_kind(value) for value in values if value not in kept or isinstance(value, bool)}
        if others & {"object", "array"}:
            raise _Inexpressible("an enum holds objects or arrays", where)
        self._note("values of an enum that are neither text nor numbers are sent as their types", where)
        parts: list[JsonValue] = [{"enum": kept}] if kept else []
        parts += [{"type": kind} for kind in sorted(others)]
        result.pop("enum", None)
        result.pop("type", None)
        if "anyOf" in result:
            raise _Inexpressible("it has enum and anyOf side by side", where)
        result.update({"anyOf": parts} if len(parts) > 1 else dict(_object(parts[0])))

    def _rewrite_parts(self, result: JsonObject, where: str) -> None:
        """Rewrite the schemas inside."""
        if isinstance(items := result.get("items"), list):
            raise _Inexpressible("its `items` are a list", where)
        if "items" in result:
            result["items"] = self._rewritten(items, f"{where}[]")
        if isinstance(listed := result.get("prefixItems"), list):
            result["prefixItems"] = [self._rewritten(part, f"{where}[]") for part in listed]
        if isinstance(choices := result.get("anyOf"), list):
            result["anyOf"] = [self._rewritten(part, where) for part in choices]
        if isinstance(fields := result.get("properties"), dict):
            result["properties"] = {
                name: self._rewritten(part, f"{where}.{name}" if where else name)
                for name, part in fields.items()
            }
        if isinstance(more := result.get("additionalProperties"), dict) and not self._rules.is_closed:
            result["additionalProperties"] = self._rewritten(more, f"{where}.*")
        if self._rules.is_closed and _has_type(result, "array") and "items" not in result:
            raise _Inexpressible("it does not say what an array holds", where)

    def _rewrite_object(self, result: JsonObject, where: str) -> None:
        """Close an object, and make all of it required, where the provider wants that."""
        fields = _object(result.get("properties"))
        if self._rules.is_closed and result.get("additionalProperties") is not False:
            if not fields:
                raise _Inexpressible("an object may hold any property", where)
            if "additionalProperties" in result:
                self._note("other properties than those listed can no longer be answered", where)
            else:
                self._note("additionalProperties: false is added", where)
            result["additionalProperties"] = False
        if not self._rules.is_all_required:
            return
        required = result.get("required")
        known = required if isinstance(required, list) else []
        if missing := [name for name in known if name not in fields]:
            raise _Inexpressible(
                f"the property `{str(missing[0])[:60]}` is required and not described", where
            )
        original = {name for name in fields if name not in known}
        for name in fields:
            if name in original:
                place = f"{where}.{name}" if where else name
                self._note("an optional property is sent as required and nullable", place)
                self._has_forced_nulls = True
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

    def _is_recursive(self, definitions: JsonObject, root: JsonObject) -> bool:
        return any(cyclic({**{f"#/$defs/{name}": part for name, part in definitions.items()}, "#": root}))

    def _opened_cycles(self, root: JsonObject, definitions: JsonObject) -> tuple[JsonObject, JsonObject]:
        """Make optional what leads back to itself, since only optional properties may."""
        places: JsonObject = {f"#/$defs/{name}": part for name, part in definitions.items()}
        places["#"] = root
        for where, name in open_cycles(places, dict(cyclic(places))):
            self._note(
                "a required property that refers back to itself is sent as optional", f"{where} {name}"
            )
        return root, definitions

    def _note(self, what: str, where: str) -> None:
        self._changes.setdefault(what, []).append(where or ".")

    def _sentences(self) -> tuple[str, ...]:
        return tuple(_sentence(what, places) for what, places in sorted(self._changes.items()))


def _sentence(what: str, places: list[str]) -> str:
    unique = list(dict.fromkeys(places))
    if unique == ["."] and what == _WRAPPING:
        return what
    named = ", ".join(place[:80] for place in unique[:SHOWN_PLACES])
    more = f" and {len(unique) - SHOWN_PLACES} more" if len(unique) > SHOWN_PLACES else ""
    return f"{what}: {named}{more}"


def _is_plain_object(schema: JsonObject) -> bool:
    """Whether a root is an object by itself, so that no choice stands in its place."""
    return schema.get("type") == "object" and not schema.keys() & {"anyOf", "oneOf", "allOf", "$ref"}


def _wrapped(schema: JsonObject) -> JsonObject:
    body = {key: value for key, value in schema.items() if key not in {"$defs", "$schema"}}
    definitions = _object(schema.get("$defs"))
    sent, definitions = _wrapped_parts(body, definitions, refers_to_root=refers_to(schema, "#"))
    return {**sent, "$defs": definitions} if definitions else sent


def _wrapped_parts(
    body: JsonObject, definitions: JsonObject, *, refers_to_root: bool
) -> tuple[JsonObject, JsonObject]:
    """Return an object with the answer as its one property, and the definitions with it."""
    inner: JsonValue = body
    if refers_to_root:
        # what referred to the whole schema means the answer, which is no longer the whole
        name = next(name for name in _names(WRAPPER) if name not in definitions)
        ref = f"#/$defs/{name}"
        definitions = {key: redirected(part, ref) for key, part in definitions.items()}
        definitions[name] = redirected(body, ref)
        inner = {"$ref": ref}
    sent: JsonObject = {
        "type": "object",
        "properties": {WRAPPER: inner},
        "required": [WRAPPER],
        "additionalProperties": False,
    }
    return sent, definitions


def _names(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}_{number}"
        number += 1


def _may_be_object(schema: JsonObject) -> bool:
    return _has_type(schema, "object") or "properties" in schema


def _has_type(schema: JsonObject, kind: str) -> bool:
    kinds = schema.get("type")
    return kind in kinds if isinstance(kinds, list) else kinds == kind


def _kind(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "string"


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
