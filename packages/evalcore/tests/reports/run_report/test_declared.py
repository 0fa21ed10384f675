"""Which keys an answer's objects may have."""

from __future__ import annotations

from evalcore.reports.run_report.declared import DEEPEST, declared_by


def paths(place):
    return [one.path for one in place.seen()]


def test_a_schema_declares_keys_through_references_and_lists():
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
        "$defs": {
            "item": {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
        },
    }
    item = declared_by(schema, []).field("items").item()
    assert item.field("amount").path == "items[].amount"
    assert item.required == {"amount"}
    assert item.field("price") is None


def test_a_key_is_missing_only_where_every_alternative_declares_it():
    one = {"type": "object", "properties": {"kind": {}, "left": {}}}
    other = {"type": "object", "properties": {"kind": {}, "right": {}}}
    place = declared_by({"oneOf": [one, other, {"type": "null"}]}, [])
    assert place.names == {"kind", "left", "right"}
    assert place.always == {"kind"}


def test_parts_that_hold_together_declare_the_keys_of_both():
    place = declared_by({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, [])
    assert place.always == {"a", "b"}


def test_keys_that_are_data_share_one_place():
    schema = {"type": "object", "additionalProperties": {"type": "object", "properties": {"age": {}}}}
    place = declared_by(schema, [])
    assert place.field("Jane").path == place.field("John").path == "*"
    assert place.field("Jane").field("age").path == "*.age"


def test_expected_answers_declare_what_they_hold():
    place = declared_by(None, [{"a": [{"b": 1}]}, {"c": None}])
    assert place.names == {"a", "c"}
    assert place.field("a").is_list
    assert place.field("a").item().names == {"b"}


def test_a_schema_that_contains_itself_is_looked_at_to_some_depth():
    schema = {"type": "object", "properties": {"child": {"$ref": "#"}, "name": {}}}
    place = declared_by(schema, [])
    for _ in range(DEEPEST):
        assert place.names
        place = place.field("child")
    assert not place.names


def test_what_was_not_asked_for_is_not_made():
    schema = {"type": "object", "properties": {"child": {"$ref": "#"}}}
    place = declared_by(schema, [])
    assert paths(place) == [""]
    place.field("child")
    assert paths(place) == ["", "child"]
