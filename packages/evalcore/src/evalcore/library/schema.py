"""JSON Schemas: one bundled out of the files it refers to, and validation that never goes to the network."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import NoReturn
from urllib.parse import unquote

import jsonschema_rs

from evalcore.errors import CheckoutError, ComponentError
from evalcore.formats.strict_json import parse_json
from evalcore.library.schema_work import SchemaWork
from evalcore.structs import Frozen, JsonObject, JsonValue

MAX_MESSAGE = 200
"""Characters of a problem that are shown."""
MAX_NODES = 20_000
"""Of a bundled schema: values, over all files. The largest known ones have under 2,000."""
# Patterns are the library's, the texts they are tried on a model's: `(a+)+$` on 200 letters would not end,
# and `(a{1000}){1000}` is gigabytes once it is compiled.
_PATTERNS = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=10_000, size_limit=1024 * 1024, dfa_size_limit=1024 * 1024
)
"""What compiling one pattern may take, in bytes, and trying it, in steps back."""

# Only below these keywords are there schemas. Elsewhere (`enum`, `const`, `default`) a `$ref` is a value.
_SCHEMA = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_SCHEMA_LIST = frozenset(["allOf", "anyOf", "items", "oneOf", "prefixItems"])
_SCHEMA_MAP = frozenset(["dependencies", "dependentSchemas", "patternProperties", "properties"])
_DEFINITIONS = frozenset({"$defs", "definitions"})
# What identifies a schema would be wrong (and double) where it is put.
_IDENTITY = frozenset({"$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$schema", "$vocabulary"})
# In drafts 3 and 4 `id` identifies a schema; later it is a property like any other.
_OLD_DRAFTS = re.compile(r"draft-0[34]/")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")

Place = tuple[str, tuple[str, ...]]
"""A file of the checkout and a JSON pointer into it."""


def bundle_schema(path: str, entry_point: str, read: Callable[[str], bytes]) -> JsonObject:
    """Return one self-contained schema: the entry point of a file, with all that it refers to.

    Whatever it refers to stands under `$defs` under a name of its own, and every reference is `#/$defs/...`
    (`#` for the entry point itself). No `$id` is left. A relative reference is a path from the file
    that holds it, whatever that file's `$id` says; definitions that nothing refers to are left out.

    `read` gives a file of the checkout by its path. Raises ComponentError, naming file and reference,
    for what cannot be read, points nowhere, goes to a URL or leaves the checkout.
    """
    return _Bundle(read).bundle(path, entry_point)


class TooMuchWork(Exception):
    """Validating a value may take more work than one reply is worth; see schema_work."""


class SchemaProblem(Frozen, frozen=True):
    """Where a value disobeys a schema, and how."""

    path: str
    """As `documents[0].label`; `.` is the whole value."""
    message: str
    """The validator's, which quotes the value."""


class SchemaViolation(Frozen, frozen=True):
    """One way in which a value disobeys a schema, in words of the schema alone: none are of the value."""

    path: tuple[str | int, ...]
    """Keys and places in lists, from the outside; the keys are the value's."""
    keyword: str
    """Of JSON Schema: `type`, `required`, `enum`, ..."""
    detail: str
    """The types that are allowed, the key that is missing, or the limit; empty where the keyword says all."""


class Validator:
    """A compiled schema."""

    def __init__(self, compiled: jsonschema_rs.Validator, work: SchemaWork) -> None:
        self._compiled = compiled
        self._work = work

    def is_valid(self, value: JsonValue, *, is_light: bool = False) -> bool:
        """Whether a value obeys the schema; raises TooMuchWork where it is not tried.

        `is_light` says of a value that it, or a larger one, has been tried.
        """
        if not is_light and self._work.is_too_much(value):
            raise TooMuchWork
        try:
            return self._compiled.is_valid(value)
        except ValueError:
            # What the validator cannot take (a pattern that backtracks without end) is not shown to be valid.
            return False

    def first_problem(self, value: JsonValue) -> SchemaProblem | None:
        """Say where a value disobeys the schema first, None where it does not; raises as `is_valid`."""
        if self._work.is_too_much(value):
            raise TooMuchWork
        try:
            problem = next(iter(self._compiled.iter_errors(value)), None)
        except ValueError as error:  # of a pattern that backtracks without end, as in `is_valid`
            return SchemaProblem(".", str(error)[:MAX_MESSAGE])
        if problem is None:
            return None
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem.instance_path]
        return SchemaProblem("".join(steps).removeprefix(".") or ".", problem.message[:MAX_MESSAGE])

    def violations(self, value: JsonValue, *, only_first: bool = False) -> list[SchemaViolation]:
        """Say all that disobeys the schema in a value that `is_valid` has tried; empty of a valid one.

        All of them take some 50 microseconds each, and are made before the first can be seen: of a value
        that may hold very many ask for the first alone.
        """
        try:
            if not only_first:
                return [one for error in self._compiled.iter_errors(value) for one in _violations(error)]
            self._compiled.validate(value)
        except jsonschema_rs.ValidationError as error:
            return list(_violations(error))
        except ValueError:  # of a pattern that backtracks without end, as in `is_valid`
            return [SchemaViolation((), "pattern", "takes too long to be tried")]
        return []


def _violations(error: jsonschema_rs.ValidationError) -> Iterator[SchemaViolation]:
    """Yield what an error comes to; where one alternative alone is meant, what is wrong with that one."""
    # The validator's message quotes the value, which may be confidential or of any length; what its kind
    # holds is of the schema.
    known = error.kind.as_dict()
    alternatives = known.get("context")
    if isinstance(alternatives, list) and all(alternatives):
        # A value that may be null as well is meant to be the other.
        meant = [one for one in alternatives if not _is_of_other_type(one[0], error)]
        if len(meant) == 1:
            for inner in meant[0]:
                yield from _violations(inner)
            return
        if not meant:
            known = {
                "types": sorted({kind for one in alternatives for kind in one[0].kind.as_dict()["types"]})
            }
    types, limit = known.get("types"), known.get("limit")
    detail = ""
    if isinstance(types, list):
        detail = " or ".join(sorted(map(str, types)))
    elif error.kind.name == "required":
        detail = str(known.get("property"))
    elif isinstance(limit, int | float):
        detail = str(limit)
    keyword = "type" if isinstance(types, list) else error.kind.name
    yield SchemaViolation(tuple(error.instance_path), keyword, detail[:MAX_MESSAGE])


def _is_of_other_type(inner: jsonschema_rs.ValidationError, around: jsonschema_rs.ValidationError) -> bool:
    return inner.kind.name == "type" and list(inner.instance_path) == list(around.instance_path)


def make_validator(schema: JsonObject, where: str = "schema") -> Validator:
    """Compile a bundled schema; raises ComponentError when it is none. Nothing is ever fetched."""
    try:
        # The retriever is given although nothing needs one: without it a `$ref` to a URL would be fetched.
        compiled = jsonschema_rs.validator_for(schema, retriever=_no_retrieval, pattern_options=_PATTERNS)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        reason = str(error).split("\n\n")[0][:300]
        raise ComponentError(f"is not a valid JSON Schema: {reason}", where=where, hint="mend it") from None
    return Validator(compiled, SchemaWork(schema, where))


def _no_retrieval(uri: str) -> NoReturn:
    raise ValueError(f"{uri[:200]} is outside the schema")


class _Bundle:
    def __init__(self, read: Callable[[str], bytes]) -> None:
        self.read = read
        self.documents: dict[str, JsonValue] = {}
        self.anchors: dict[str, dict[str, tuple[str, ...]]] = {}
        self.names: dict[Place, str] = {}
        self.waiting: deque[Place] = deque()
        self.taken: set[str] = set()
        self.uses: Counter[str] = Counter()
        self.nodes = 0

    def bundle(self, path: str, entry_point: str) -> JsonObject:
        path = posixpath.normpath(path)
        root = self.place(f"{path} ({entry_point})", path, entry_point.removeprefix("#"))
        # Before anything is rewritten: a reference back to the entry point is then `#`, and no second copy of
        # it.
        self.names[root] = "#"
        body = self.rewritten(root)
        definitions: dict[str, JsonValue] = {}
        while self.waiting:  # each definition may refer to further ones
            place = self.waiting.popleft()
            definitions[self.names[place].removeprefix("#/$defs/")] = self.rewritten(place)
        document = self.documents[path]
        # Of the drafts of all files one can be named: the entry's, whose keywords are the answer's.
        dialect = document.get("$schema") if isinstance(document, dict) else None
        bundled: JsonObject = {"$schema": dialect} if isinstance(dialect, str) else {}
        bundled.update(_as_object(body))
        return bundled | {"$defs": definitions} if definitions else bundled

    def rewritten(self, place: Place) -> JsonValue:
        path, pointer = place
        target = _descend(self.document(path, path), pointer)
        return self.schema(target, path)

    def schema(self, schema: JsonValue, path: str) -> JsonValue:
        """Copy a schema of a file: references rewritten, identifiers and definitions left out."""
        self.count(path)
        if not isinstance(schema, dict):
            return schema
        old = _is_old(self.documents[path])
        copy: JsonObject = {}
        for key, value in schema.items():
            if key in _DEFINITIONS or key in _IDENTITY or (key == "id" and old and isinstance(value, str)):
                continue
            copy[key] = self.keyword(key, value, path)
        return copy

    def keyword(self, key: str, value: JsonValue, path: str) -> JsonValue:
        if key == "$ref":
            return self.reference(value, path)
        if key in {"$dynamicRef", "$recursiveRef"}:
            raise _refused(path, f"`{key}` cannot be bundled", "use `$ref`")
        if isinstance(value, list) and key in _SCHEMA_LIST:
            return [self.schema(item, path) for item in value]
        if isinstance(value, dict) and key in _SCHEMA_MAP:
            return {name: self.schema(item, path) for name, item in value.items()}
        if key in _SCHEMA:
            return self.schema(value, path)
        self.count(path, _size(value))
        return value

    def reference(self, ref: JsonValue, path: str) -> str:
        if not isinstance(ref, str):
            raise _refused(path, "a `$ref` is not text", "write a path or `#/...`")
        file, _, fragment = ref.partition("#")
        where = f"{path} ($ref {ref[:200]})"
        # A schema that is fetched would change without a commit, and lets a library make the service send
        # requests.
        if _URL.match(file) or file.startswith("/") or "?" in file:
            raise _refused(where, "goes out of the checkout", "write a path relative to this file")
        # A reference is a URI: a blank in a path stands there as %20.
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(file))) if file else path
        if target.startswith("../") or target == "..":
            raise _refused(where, "leaves the checkout", "refer to a file inside it")
        return self.name(self.place(where, target, fragment))

    def place(self, where: str, path: str, fragment: str) -> Place:
        """Find what a fragment points at: a JSON pointer, or an anchor."""
        document = self.document(path, where)
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            if (anchored := self.anchors_of(path).get(fragment)) is None:
                raise _refused(where, f"there is no anchor `{fragment[:100]}`", "define it, or use `#/...`")
            return path, anchored
        pointer = tuple(token.replace("~1", "/").replace("~0", "~") for token in fragment.split("/")[1:])
        try:
            target = _descend(document, pointer)
        except LookupError:
            raise _refused(where, "points at nothing", "mend the path after `#`") from None
        # Copied unread to `$defs` it would be refused later, in a message that names no reference.
        if not isinstance(target, dict | bool):
            raise _refused(where, "points at something that is no schema", "mend the path after `#`")
        return path, pointer

    def name(self, place: Place) -> str:
        """Return the reference to a place, which gets a name the first time it is asked for."""
        if place not in self.names:
            path, pointer = place
            # A whole file is known by its component's folder.
            word = pointer[-1] if pointer else posixpath.basename(posixpath.dirname(path)) or path
            word = re.sub(r"[^A-Za-z0-9_.-]+", "_", word)[:60] or "schema"
            # Counted per word: of thousands of definitions with one name each would try all numbers before
            # it.
            self.uses[word] += 1
            ref = f"#/$defs/{word}"
            while ref in self.taken:
                ref = f"#/$defs/{word}_{self.uses[word]}"
                # A name with a number may itself be one that a file has.
                self.uses[word] += 1
            self.taken.add(ref)
            self.names[place] = ref
            self.waiting.append(place)
        return self.names[place]

    def document(self, path: str, where: str) -> JsonValue:
        if path not in self.documents:
            try:
                self.documents[path] = parse_json(self.read(path).decode("utf-8-sig"))
            except CheckoutError as error:
                place = where if where != path else path
                raise ComponentError(error.what, where=place, hint=error.hint) from None
            except ValueError as error:
                raise ComponentError(f"is not JSON: {error}", where=path, hint="mend it") from None
        return self.documents[path]

    def anchors_of(self, path: str) -> dict[str, tuple[str, ...]]:
        if path not in self.anchors:
            self.anchors[path] = dict(_anchors(self.documents[path], ()))
        return self.anchors[path]

    def count(self, path: str, nodes: int = 1) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise _refused(path, f"the schema holds over {MAX_NODES:,} values", "make it smaller")


def _anchors(schema: JsonValue, pointer: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the anchors of a file, those of draft 6 and 7 (`"$id": "#name"`) included."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from _anchors(item, (*pointer, str(index)))
    if not isinstance(schema, dict):
        return
    if isinstance(anchor := schema.get("$anchor"), str):
        yield anchor, pointer
    # Draft 6 and 7 have no `$anchor`.
    if isinstance(anchor := schema.get("$id"), str) and anchor.startswith("#"):
        yield anchor[1:], pointer
    for key, value in schema.items():
        if key in _SCHEMA_MAP or key in _DEFINITIONS:
            for name, item in value.items() if isinstance(value, dict) else ():
                yield from _anchors(item, (*pointer, key, name))
        elif key in _SCHEMA or key in _SCHEMA_LIST:
            yield from _anchors(value, (*pointer, key))


def _descend(value: JsonValue, pointer: tuple[str, ...]) -> JsonValue:
    """Follow a JSON pointer (RFC 6901); raises LookupError."""
    for token in pointer:
        if isinstance(value, dict):
            value = value[token]
        # By the RFC there is no sign and no leading zero: int() would take `-1` for the last element. Nine
        # digits are enough, and int() refuses thousands of them with an error of its own.
        elif isinstance(value, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", token):
            value = value[int(token)]
        else:
            raise LookupError(token)
    return value


def _size(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


def _as_object(schema: JsonValue) -> JsonObject:
    if isinstance(schema, dict):
        return schema
    return {} if schema else {"not": {}}


def _is_old(document: JsonValue) -> bool:
    dialect = document.get("$schema") if isinstance(document, dict) else None
    return isinstance(dialect, str) and _OLD_DRAFTS.search(dialect) is not None


def _refused(where: str, what: str, hint: str) -> ComponentError:
    return ComponentError(what, where=where, hint=hint)
