"""Bundling a schema with all that it refers to, and validating without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.errors import CheckoutError, ComponentError
from evalcore.formats.strict_json import sha256_of
from evalcore.library.schema import bundle_schema, make_validator

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def reader(files: dict[str, Any]) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        if path not in files:
            raise CheckoutError("is not there", where=path, hint="check the path")
        content = files[path]
        return content.encode() if isinstance(content, str) else json.dumps(content).encode()

    return read


def bundle(files: dict[str, Any], entry_point: str = "#", path: str = "a/schema.json") -> dict[str, Any]:
    return bundle_schema(path, entry_point, reader(files))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def test_schema_without_references_stays_as_it_is() -> None:
    schema = {"$schema": DIALECT, "title": "T", "type": "object", "required": ["a"]}
    assert bundle({"a/schema.json": schema}) == schema


def test_entry_point_brings_what_it_refers_to_and_nothing_else() -> None:
    schema = {
        "$schema": DIALECT,
        "$id": "https://example.org/a",
        "$defs": {
            "input": {"type": "object"},
            "output": {"type": "array", "items": {"$ref": "#/$defs/item"}},
            "item": {"type": "string"},
        },
    }
    assert bundle({"a/schema.json": schema}, "#/$defs/output") == {
        "$schema": DIALECT,
        "type": "array",
        "items": {"$ref": "#/$defs/item"},
        "$defs": {"item": {"type": "string"}},
    }


def test_reference_is_a_path_from_the_file_that_holds_it_whatever_its_id_says() -> None:
    files = {
        "components/a/schema.json": {
            "$id": "https://example.org/x/y",
            "allOf": [{"$ref": "../b/schema.json"}],
        },
        "components/b/schema.json": {"$id": "urn:b", "$ref": "parts/item.json#/$defs/item", "title": "B"},
        "components/b/parts/item.json": {
            "$id": "../z.json",
            "$defs": {"item": {"$ref": "#/$defs/n"}, "n": {"minimum": 3}},
        },
    }
    bundled = bundle(files, path="components/a/schema.json")
    assert "$id" not in json.dumps(bundled)
    assert set(references(bundled)) == {"#/$defs/b", "#/$defs/item", "#/$defs/n"}
    validator = make_validator(bundled)
    assert validator.is_valid(3)
    assert not validator.is_valid(2)


def test_definitions_of_one_name_in_two_files_stay_apart() -> None:
    files = {
        "a/schema.json": {
            "properties": {"x": {"$ref": "#/$defs/t"}, "y": {"$ref": "../b/schema.json#/$defs/t"}},
            "$defs": {"t": {"const": 1}},
        },
        "b/schema.json": {"$defs": {"t": {"const": 2}}},
    }
    validator = make_validator(bundle(files))
    assert validator.is_valid({"x": 1, "y": 2})
    assert not validator.is_valid({"x": 2})
    assert not validator.is_valid({"y": 1})


def test_reference_to_the_root_and_circles_are_kept() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}, "next": {"$ref": "../b/schema.json"}}}
    files = {
        "a/schema.json": {**tree, "additionalProperties": False},
        "b/schema.json": {"type": "array", "items": {"$ref": "../a/schema.json#"}},
    }
    validator = make_validator(bundle(files))
    assert validator.is_valid({"child": {"next": [{"child": {}}]}})
    assert not validator.is_valid({"child": {"next": [{"chil": {}}]}})


def test_keywords_beside_a_reference_count() -> None:
    schema = {
        "$schema": DIALECT,
        "properties": {"a": {"$ref": "#/$defs/n", "maximum": 5}},
        "$defs": {"n": {"minimum": 3}},
    }
    validator = make_validator(bundle({"a/schema.json": schema}))
    assert validator.is_valid({"a": 4})
    assert not validator.is_valid({"a": 2})
    assert not validator.is_valid({"a": 6})


def test_definitions_beside_a_reference_at_the_root_are_found() -> None:
    schema = {"$ref": "#/$defs/n", "$defs": {"n": {"minimum": 3}}}
    validator = make_validator(bundle({"a/schema.json": schema}))
    assert validator.is_valid(3)
    assert not validator.is_valid(2)


@pytest.mark.parametrize(
    ("ref", "definitions"),
    [
        ("#/$defs/a~1b~0c", {"a/b~c": {"const": 1}}),
        ("#/$defs/a%20b", {"a b": {"const": 1}}),
        ("#named", {"x": {"$anchor": "named", "const": 1}}),
        ("#old", {"x": {"$id": "#old", "const": 1}}),
        ("schema.json#/$defs/x", {"x": {"const": 1}}),
        ("./../a/schema.json#/$defs/x", {"x": {"const": 1}}),
        ("#/$defs/x/anyOf/0", {"x": {"anyOf": [{"const": 1}]}}),
        ("#/$defs/x/properties/y", {"x": {"properties": {"y": {"const": 1}}}}),
    ],
)
def test_fragments_are_pointers_and_anchors(ref: str, definitions: dict[str, Any]) -> None:
    validator = make_validator(bundle({"a/schema.json": {"$ref": ref, "$defs": definitions}}))
    assert validator.is_valid(1)
    assert not validator.is_valid(2)


def test_definitions_of_older_drafts_work() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": {"$ref": "#/definitions/n"},
        "definitions": {"n": {"minimum": 3}},
    }
    validator = make_validator(bundle({"a/schema.json": schema}))
    assert validator.is_valid([3])
    assert not validator.is_valid([2])


def test_properties_and_values_called_like_keywords_stay() -> None:
    schema = {
        "properties": {"$id": {"type": "string"}, "$ref": {"type": "integer"}, "$defs": {"type": "null"}},
        "examples": [{"$id": "x", "$ref": "https://example.org"}],
        "default": {"$id": "x"},
        "enum": [{"$id": "y", "$ref": 1}],
        "const": {"$ref": "nowhere.json"},
    }
    assert bundle({"a/schema.json": schema}) == schema


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("https://example.org/schema.json", "goes out of the checkout"),
        ("http://127.0.0.1:1/x", "goes out of the checkout"),
        ("file:///etc/passwd", "goes out of the checkout"),
        ("urn:x", "goes out of the checkout"),
        ("//host/x", "goes out of the checkout"),
        ("/etc/passwd", "goes out of the checkout"),
        ("../../x.json", "leaves the checkout"),
        ("%2e%2e/../../x.json", "leaves the checkout"),
        ("../b/nothing.json", "is not there"),
        ("#/$defs/nothing", "points at nothing"),
        ("#/title", "no schema"),
        ("#nothing", "no anchor"),
    ],
)
def test_reference_that_cannot_be_followed_is_told_with_its_file(ref: str, told: str) -> None:
    with pytest.raises(ComponentError, match=told) as error:
        bundle({"a/schema.json": {"title": "T", "items": {"$ref": ref}}})
    assert "a/schema.json" in error.value.line
    assert ref in error.value.line


@pytest.mark.parametrize("entry_point", ["#/$defs/output", "#output", "#/type"])
def test_entry_point_that_is_not_there_is_told(entry_point: str) -> None:
    with pytest.raises(ComponentError, match=r"a/schema\.json"):
        bundle({"a/schema.json": {"type": "object"}}, entry_point)


@pytest.mark.parametrize("text", ["{", "", '{"a": 1, "a": 2}', "[" * 300 + "]" * 300, '{"x": NaN}', "7"])
def test_file_that_is_no_schema_is_told(text: str) -> None:
    with pytest.raises(ComponentError, match=r"a/schema\.json"):
        bundle({"a/schema.json": text})


@pytest.mark.parametrize("keyword", ["$dynamicRef", "$recursiveRef"])
def test_what_cannot_be_bundled_is_told(keyword: str) -> None:
    with pytest.raises(ComponentError, match="cannot be bundled"):
        bundle({"a/schema.json": {"items": {keyword: "#"}}})
    with pytest.raises(ComponentError, match="not text"):
        bundle({"a/schema.json": {"items": {"$ref": 1}}})


def test_size_of_a_bundle_is_bounded() -> None:
    parts = {f"d{n}": {"enum": list(range(1_000))} for n in range(25)}
    refs = [{"$ref": f"#/$defs/{name}"} for name in parts]
    with pytest.raises(ComponentError, match="over 20,000 values"):
        bundle({"a/schema.json": {"anyOf": refs, "$defs": parts}})


@pytest.mark.parametrize(("schema", "admits"), [(True, True), (False, False)])
def test_boolean_schema_becomes_an_object(schema: bool, admits: bool) -> None:  # noqa: FBT001 - the schema
    assert (
        make_validator(bundle({"a/schema.json": {"$defs": {"x": schema}}}, "#/$defs/x")).is_valid(1) is admits
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"minimum": "x"},
        {"$schema": "https://example.org/own-dialect"},
        {"$ref": "https://example.org/x"},
        {"pattern": "("},
    ],
)
def test_what_is_no_json_schema_is_refused_without_a_network(schema: dict[str, Any]) -> None:
    with pytest.raises(ComponentError, match=r"x/schema\.json: is not a valid JSON Schema"):
        make_validator(schema, "x/schema.json")


NULLABLE = {"anyOf": [{"type": "object", "properties": {"n": {"type": "integer"}}}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": ["integer", "null"]}, "SECRET", [((), "type", "integer or null")]),
        ({"required": ["a", "b"]}, {}, [((), "required", "a"), ((), "required", "b")]),
        ({"items": {"maximum": 3}}, [1, 5], [((1,), "maximum", "3")]),
        ({"enum": ["x"]}, "SECRET", [((), "enum", "")]),
        (NULLABLE, {"n": "SECRET"}, [(("n",), "type", "integer")]),
        (NULLABLE, "SECRET", [((), "type", "null or object")]),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1, [((), "oneOf", "")]),
        (NULLABLE, None, []),
    ],
)
def test_violations_are_told_in_the_schemas_words_alone(
    schema: dict[str, Any], value: Any, said: list[tuple[tuple[str | int, ...], str, str]]
) -> None:
    validator = make_validator(schema)
    found = [(one.path, one.keyword, one.detail) for one in validator.violations(value)]
    assert found == said
    assert [(one.path, one.keyword) for one in validator.violations(value, only_first=True)] == [
        (path, keyword) for path, keyword, _ in said[:1]
    ]


def test_hostile_pattern_ends() -> None:
    validator = make_validator({"pattern": "^(?=(a+)+$)(a+)+$"})
    assert validator.is_valid("a" * 200 + "!") is False


def test_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    one = bundle({"a/schema.json": {"type": "object", "title": "T"}})
    two = bundle({"a/schema.json": {"title": "T", "type": "object"}})
    assert sha256_of(one) == sha256_of(two)


NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.tuples(NAMES, NAMES).map(lambda place: f"../{place[0]}/schema.json#/$defs/{place[1]}")
SCHEMAS = st.recursive(
    st.sampled_from([{"type": "string"}, {"const": 1}, True]) | PLACES.map(lambda ref: {"$ref": ref}),
    lambda inner: (
        inner.map(lambda s: {"items": s})
        | st.lists(inner, min_size=1, max_size=3).map(lambda s: {"anyOf": s})
    ),
    max_leaves=6,
)
FILES = st.fixed_dictionaries(
    {
        f"{name}/schema.json": st.fixed_dictionaries({"a": SCHEMAS, "b": SCHEMAS, "c": SCHEMAS}).map(
            lambda defs: {"$id": "https://example.org/wrong", "$defs": defs}
        )
        for name in "abc"
    }
)


@given(FILES)
def test_every_bundle_is_self_contained(files: dict[str, Any]) -> None:
    bundled = bundle(files, "#/$defs/a")
    assert "$id" not in json.dumps(bundled)
    for ref in references(bundled):
        assert ref == "#" or ref.removeprefix("#/$defs/") in bundled["$defs"]
    assert bundled == bundle(files, "#/$defs/a")
    assert bundle_schema("x", "#", reader({"x": bundled})) == bundled
