"""One pure function: a bundled schema as a provider's structured output takes it, and what that changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalcore.library.adaptation.limits import check_limits, check_tool, compiled_too_large, open_cycles
from evalcore.library.adaptation.merge import ANNOTATIONS, Merger, SchemaNotTaken
from evalcore.library.adaptation.references import cyclic, redirected, refers_to
from evalcore.library.adaptation.rewrite import Inexpressible, Rewriter
from evalcore.library.adaptation.rules import RULES, SchemaDialect
from evalcore.structs import Frozen, JsonObject, JsonValue

__all__ = ["WRAPPER", "AdaptedSchema", "SchemaDialect", "SchemaNotTaken", "adapt_schema", "as_forced_tool"]

WRAPPER: Final = "answer"
"""The property that holds the answer where the root has to be an object and is none."""


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
    try:
        adapted = _Adaption(schema, dialect).adapted()
        # Of the adapted schema: `allOf` written out and nullable properties are what the provider counts.
        if dialect == "openai":
            check_limits(adapted.schema)
    except Inexpressible as error:
        if not RULES[dialect].has_tools:
            raise SchemaNotTaken(
                f"{dialect} cannot be asked for it: {error}",
                where=error.where,
                hint="change the schema, or set the model's structured_output to json_object or none",
            ) from None
        return as_forced_tool(schema, str(error))
    # A chain of references may be longer than Python's stack, and small by every other measure.
    except RecursionError:
        raise SchemaNotTaken(
            "its references lead on too far",
            where="schema",
            hint="write some of them out, or leave them out",
        ) from None
    if dialect == "anthropic" and (reason := compiled_too_large(adapted.schema)) is not None:
        return as_forced_tool(schema, reason)
    return adapted


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


class _Adaption:
    def __init__(self, schema: JsonObject, dialect: SchemaDialect) -> None:
        self._root = schema
        self._dialect = dialect
        self._rules = RULES[dialect]
        self._merger = Merger(schema)
        self._rewriter = Rewriter(dialect, self._merger)

    def adapted(self) -> AdaptedSchema:
        root = self._root
        refers_to_root = refers_to(root, "#")
        if root.get("$ref") not in {None, "#"} and root.keys() <= ANNOTATIONS | {"$ref", "$defs"}:
            target = self._merger.target(root["$ref"])
            if isinstance(target, dict) and self._rules.has_object_root:
                # a root that only refers is written out, so that it is an object by itself
                root = {**{key: value for key, value in root.items() if key != "$ref"}, **target}
        # Of the root with its `allOf` put together: that is an object by itself where its parts are.
        is_wrapped = self._rules.has_object_root and not _is_plain_object(self._merger.merged(root, "schema"))
        definitions = self._definitions()
        body = {key: value for key, value in root.items() if key != "$defs"}
        rewritten = self._rewriter.rewritten(body, "")
        self._treat_cycles({f"#/$defs/{name}": part for name, part in definitions.items()} | {"#": rewritten})
        sent: JsonObject = {**rewritten}
        if is_wrapped:
            self._rewriter.note(_WRAPPING, None)
            sent, definitions = _wrapped_parts(rewritten, definitions, refers_to_root=refers_to_root)
        if definitions:
            sent["$defs"] = definitions
        return AdaptedSchema(
            schema=sent,
            changes=self._rewriter.changes(),
            is_wrapped=is_wrapped,
            has_forced_nulls=self._rewriter.has_forced_nulls,
        )

    def _definitions(self) -> JsonObject:
        found = self._root.get("$defs")
        if not isinstance(found, dict):
            return {}
        return {name: self._rewriter.rewritten(part, f"$defs/{name}") for name, part in found.items()}

    def _treat_cycles(self, places: JsonObject) -> None:
        """Refuse what leads back to itself, or make it optional in place: only that may, of Google's."""
        if self._dialect == "openai":
            return
        circles = dict(cyclic(places))
        # Unrolled it would grow without bound; a tool's input, which is not compiled, takes it as it is.
        if self._dialect == "anthropic" and circles:
            raise Inexpressible("it refers back to itself", "")
        for where, name in open_cycles(places, circles):
            self._rewriter.note(
                "a required property that refers back to itself is sent as optional", f"{where} {name}"
            )


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
        # The library may have a definition of that name itself.
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


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
