"""`allOf` and what stands beside a reference, put together into one schema, or refused with the place."""

from __future__ import annotations

import pytest

from evalcore.library.adaptation.merge import MOST_MERGED, Merger, NullCheck, SchemaNotTaken


def merged(schema):
    return Merger(schema).merged(schema, "schema")


def refused(schema):
    with pytest.raises(SchemaNotTaken) as caught:
        merged(schema)
    assert caught.value.where == "schema"
    assert caught.value.hint
    return caught.value.what


def test_a_schema_without_parts_is_left_as_it_is():
    for schema in ({}, {"type": "string"}, {"$ref": "#/$defs/a", "description": "x"}):
        assert merged(schema) is schema


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([{"type": "object"}, {"required": ["a"]}], {"type": "object", "required": ["a"]}),
        ([{"required": ["a"]}, {"required": ["b", "a"]}], {"required": ["a", "b"]}),
        ([{"type": ["string", "null"]}, {"type": "string"}], {"type": "string"}),
        ([{"type": ["string", "null"]}, {"type": ["null", "string"]}], {"type": ["string", "null"]}),
        ([{"enum": [1, 2, 3]}, {"enum": [3, 2]}], {"enum": [2, 3]}),
        ([{"minimum": 1}, {"minimum": 1}], {"minimum": 1}),
        ([{"title": "a"}, {"title": "b"}], {"title": "b"}),
        ([{"additionalProperties": True}, {"additionalProperties": False}], {"additionalProperties": False}),
        ([{"properties": {"a": {}}}, {"properties": {"b": {}}}], {"properties": {"a": {}, "b": {}}}),
    ],
)
def test_parts_are_put_together(parts, whole):
    assert merged({"allOf": parts}) == whole


def test_what_stands_beside_all_of_holds_too():
    assert merged({"allOf": [{"type": "object"}], "required": ["a"]}) == {"type": "object", "required": ["a"]}


def test_a_property_of_two_parts_has_to_obey_both():
    whole = merged(
        {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"minLength": 1}}}]}
    )
    assert whole["properties"]["a"] == {"allOf": [{"type": "string"}, {"minLength": 1}]}
    assert merged(whole["properties"]["a"]) == {"type": "string", "minLength": 1}


def test_references_are_written_out_where_more_stands_beside_them():
    schema = {"$defs": {"a": {"type": "object", "required": ["x"]}}, "$ref": "#/$defs/a", "required": ["y"]}
    whole = merged(schema)
    assert (whole["type"], whole["required"]) == ("object", ["x", "y"])
    assert "$ref" not in whole


def test_a_lone_reference_within_all_of_stays_a_reference():
    assert merged({"allOf": [{"$ref": "#/$defs/a"}], "description": "x"}) == {
        "description": "x",
        "$ref": "#/$defs/a",
    }


@pytest.mark.parametrize("keyword", ["minimum", "pattern", "format", "const", "items"])
def test_parts_that_contradict_each_other_are_refused_by_name(keyword):
    assert refused({"allOf": [{keyword: 1}, {keyword: 2}]}) == f"the parts of an allOf differ in `{keyword}`"


def test_types_and_vocabularies_without_a_common_one_are_refused():
    assert "differ in `type`" in refused({"allOf": [{"type": "string"}, {"type": "integer"}]})
    assert "differ in `enum`" in refused({"allOf": [{"enum": [1]}, {"enum": [2]}]})


def test_an_all_of_that_refers_back_to_itself_is_refused():
    schema = {
        "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}, {"type": "object"}]}},
        "$ref": "#/$defs/a",
        "title": "x",
        "type": "object",
    }
    assert refused(schema) == "an allOf refers back to itself"


def test_parts_that_double_and_double_are_refused():
    defs = {
        f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]}
        for at in range(30)
    }
    schema = {
        "$defs": {**defs, "d30": {"type": "object"}},
        "allOf": [{"$ref": "#/$defs/d0"}, {"type": "object"}],
    }
    assert MOST_MERGED < 2**30
    assert refused(schema) == "its allOf has too many parts"


@pytest.mark.parametrize("ref", ["#/$defs/none", "other.json", 7, None, "#/properties/a"])
def test_a_reference_that_leads_nowhere_is_nothing(ref):
    assert Merger({"$defs": {"a": {}}}).target(ref) is None


def admits(schema, root=None):
    return NullCheck(Merger(root or {}).target).admits(schema)


@pytest.mark.parametrize(
    ("schema", "is_so"),
    [
        (True, True),
        (False, False),
        ({}, True),
        ({"type": "null"}, True),
        ({"type": "string"}, False),
        ({"type": ["string", "null"]}, True),
        ({"enum": [1]}, False),
        ({"enum": [1, None]}, True),
        ({"const": None}, True),
        ({"const": 0}, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, True),
        ({"oneOf": [{"type": "string"}]}, False),
        ({"allOf": [{}, {"type": "string"}]}, False),
        ({"anyOf": [{}], "oneOf": [{"type": "string"}]}, False),
        ({"minimum": 3}, True),
    ],
)
def test_whether_null_obeys_a_schema(schema, is_so):
    assert admits(schema) is is_so


def test_whether_null_obeys_is_looked_up_behind_references():
    root = {"$defs": {"text": {"type": "string"}, "loop": {"$ref": "#/$defs/loop"}, "any": {}}}
    assert admits({"$ref": "#/$defs/any"}, root)
    assert not admits({"$ref": "#/$defs/text"}, root)
    assert not admits({"$ref": "#/$defs/loop"}, root)
