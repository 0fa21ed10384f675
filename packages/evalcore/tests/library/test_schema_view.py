"""What a schema says of a field, whatever it is put together from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.library.schema_view import DEEPEST, MOST_ALTERNATIVES, Place, SchemaView, facts_of, types_of

NUMBER, TEXT = {"type": "number"}, {"type": "string"}


def facts(schema, *path):
    view = SchemaView(schema)
    place = view.place
    for name in path:
        place = view.item(place) if name == "[]" else view.field(place, name)
    return facts_of(place)


def test_without_a_schema_nothing_is_known():
    view = SchemaView(None)
    assert view.place == Place()
    assert facts_of(view.field(view.place, "a")) == []
    assert view.names(view.place) == frozenset()
    assert not view.has_items(view.place)


@pytest.mark.parametrize(
    ("schema", "path", "found"),
    [
        ({"properties": {"a": NUMBER}}, ["a"], [NUMBER]),
        ({"properties": {"a": NUMBER}}, ["b"], []),
        ({"additionalProperties": TEXT}, ["any"], [TEXT]),
        ({"properties": {"a": NUMBER}, "additionalProperties": TEXT}, ["a"], [NUMBER]),
        ({"properties": {"a": NUMBER}, "additionalProperties": False}, ["b"], []),
        ({"items": NUMBER}, ["[]"], [NUMBER]),
        ({"prefixItems": [NUMBER, TEXT]}, ["[]"], [NUMBER, TEXT]),
        ({"items": [NUMBER, TEXT]}, ["[]"], [NUMBER, TEXT]),
        ({"items": False}, ["[]"], []),
        ({"properties": {"l": {"items": {"properties": {"n": NUMBER}}}}}, ["l", "[]", "n"], [NUMBER]),
    ],
)
def test_a_field_is_looked_up_by_its_path(schema, path, found):
    assert facts(schema, *path) == found


def test_a_reference_is_followed():
    schema = {"$defs": {"n": NUMBER}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    (found,) = facts(schema, "a")
    assert found["type"] == "number"


def test_what_stands_beside_a_reference_holds_too():
    schema = {"$defs": {"n": NUMBER}, "properties": {"a": {"$ref": "#/$defs/n", "minimum": 3}}}
    (found,) = facts(schema, "a")
    assert (found["type"], found["minimum"]) == ("number", 3)


def test_all_parts_hold_together_and_the_last_that_has_a_keyword_counts():
    schema = {
        "allOf": [{"properties": {"a": {"minimum": 1}}}, {"properties": {"a": {"minimum": 2, "maximum": 9}}}]
    }
    assert facts(schema, "a") == [{"minimum": 2, "maximum": 9}]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_choices_are_alternatives_and_null_is_none(keyword):
    schema = {
        "properties": {"a": {keyword: [NUMBER, TEXT, {"type": "null"}, {"const": None}, {"enum": [None]}]}}
    }
    assert [found["type"] for found in facts(schema, "a")] == ["number", "string"]


def test_a_field_that_may_be_null_alone_says_nothing():
    assert facts({"properties": {"a": {"type": "null"}}}, "a") == []


def test_names_are_those_of_all_alternatives():
    view = SchemaView(
        {"properties": {"a": {}}, "oneOf": [{"properties": {"b": {}}}, {"properties": {"c": {}}}]}
    )
    assert view.names(view.place) == {"a", "b", "c"}


def test_a_place_may_be_a_list_where_its_elements_are_described():
    view = SchemaView({"properties": {"l": {"items": {}}, "n": {"type": "array"}}})
    assert view.has_items(view.field(view.place, "l"))
    assert not view.has_items(view.field(view.place, "n"))


@pytest.mark.parametrize(
    "ref", ["#/$defs/absent", "other.json", "#/properties/a", "", "https://example.edu/schema.json"]
)
def test_a_reference_that_leads_nowhere_says_nothing_and_harms_nothing(ref):
    assert facts({"properties": {"a": {"$ref": ref}}}, "a") == [{"$ref": ref}]


def test_a_schema_that_refers_to_itself_is_followed_as_far_as_is_bearable():
    schema = {"$ref": "#", "properties": {"a": {"$ref": "#"}}}
    view = SchemaView(schema)
    place = view.place
    for _ in range(3 * DEEPEST):
        place = view.field(place, "a")
    assert view.names(place) == {"a"}


def test_a_recursive_schema_in_two_parts_is_followed_as_deep_as_an_answer_goes():
    """A base and its extension, both of which describe the inner node: each level held twice as many."""
    inner = {"properties": {"a": {"$ref": "#/$defs/node"}}}
    node = {"allOf": [inner, {"properties": {"a": {"$ref": "#/$defs/node"}, "n": NUMBER}}]}
    view = SchemaView({"$defs": {"node": node}, "$ref": "#/$defs/node"})
    place = view.place
    for _ in range(64):
        place = view.field(place, "a")
    assert facts_of(view.field(place, "n")) == [NUMBER]
    assert all(len(alternative) < 10 for alternative in place.alternatives)


def test_a_chain_of_parts_that_each_refer_to_the_next_again_and_again_is_followed():
    defs = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 4} for at in range(13)}
    schema = {"$defs": {**defs, "d13": {"properties": {"n": NUMBER}}}, "$ref": "#/$defs/d0"}
    assert facts(schema, "n")[0]["type"] == "number"


def test_alternatives_that_multiply_are_bounded():
    choice = {"anyOf": [{"minimum": at} for at in range(10)]}
    assert len(facts({"allOf": [choice] * 6})) == MOST_ALTERNATIVES
    assert len(facts({"items": [choice] * 20}, "[]")) <= MOST_ALTERNATIVES


@pytest.mark.parametrize(
    ("said", "types"),
    [
        ({}, set()),
        ({"type": "string"}, {"string"}),
        ({"type": ["string", "null"]}, {"string"}),
        ({"type": ["integer", "number"]}, {"integer", "number"}),
        ({"type": "null"}, set()),
        ({"type": 5}, set()),
        ({"type": ["string", 5, None]}, {"string"}),
    ],
)
def test_types_are_those_that_are_named_null_aside(said, types):
    assert types_of(said) == types


KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "items",
        "prefixItems",
        "allOf",
        "anyOf",
        "oneOf",
        "$ref",
        "$defs",
        "additionalProperties",
    ]
)
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["string", "null", "#", "#/$defs/a"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.sampled_from("ab"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(KEYWORDS, SCHEMAS, max_size=4), st.lists(st.sampled_from(["a", "b", "[]"]), max_size=4)
)
def test_whatever_stands_where_a_schema_should_it_says_something_or_nothing(schema, path):
    for found in facts(schema, *path):
        assert types_of(found) <= {"string", "#", "#/$defs/a"}
