"""What an adapted schema made a model write is taken back, and nothing else of its answer is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.library.adaptation.adapt import WRAPPER, AdaptedSchema
from evalcore.library.adaptation.undo import undo_adaptation

FORCED = AdaptedSchema(schema={}, has_forced_nulls=True)
WRAPPED = AdaptedSchema(schema={}, is_wrapped=True)
TEXT = {"type": "string"}
NULLABLE = {"type": ["string", "null"]}


def undone(value, schema, adapted=FORCED):
    return undo_adaptation(value, schema, adapted)


def properties(required=(), **fields):
    return {"type": "object", "properties": fields, "required": list(required)}


@pytest.mark.parametrize(
    ("schema", "value", "left"),
    [
        (properties(a=TEXT), {"a": None}, {}),
        (properties(a=TEXT), {"a": "x"}, {"a": "x"}),
        (properties(a=NULLABLE), {"a": None}, {"a": None}),
        (properties(["a"], a=TEXT), {"a": None}, {"a": None}),
        (properties(a={}), {"a": None}, {"a": None}),
        (properties(a={"enum": ["x", None]}), {"a": None}, {"a": None}),
        (properties(a={"enum": ["x"]}), {"a": None}, {}),
        (properties(a={"const": None}), {"a": None}, {"a": None}),
        (properties(a={"anyOf": [TEXT, {"type": "null"}]}), {"a": None}, {"a": None}),
        (properties(a={"anyOf": [TEXT, {"type": "integer"}]}), {"a": None}, {}),
        (properties(a=TEXT), {"b": None}, {"b": None}),
        (properties(a=TEXT), [], []),
        (properties(a=TEXT), None, None),
    ],
)
def test_a_null_that_was_forced_is_taken_out_and_a_models_own_stays(schema, value, left):
    assert undone(value, schema) == left


def test_nulls_are_taken_out_as_deep_as_the_answer_goes():
    inner = properties(b=TEXT)
    schema = properties(l={"type": "array", "items": inner}, o=inner)
    value = {"l": [{"b": None}, {"b": "x"}], "o": {"b": None}}
    assert undone(value, schema) == {"l": [{}, {"b": "x"}], "o": {}}


def test_references_and_choices_are_followed():
    schema = {
        "$defs": {"node": properties(next={"$ref": "#/$defs/node"}, name=TEXT)},
        "anyOf": [{"$ref": "#/$defs/node"}, {"type": "array"}],
    }
    value = {"name": None, "next": {"name": "x", "next": {"name": None, "next": None}}}
    assert undone(value, schema) == {"next": {"name": "x", "next": {}}}


def test_a_property_that_any_alternative_requires_keeps_its_null():
    schema = {"oneOf": [properties(a=TEXT), properties(["a"], a=TEXT)]}
    assert undone({"a": None}, schema) == {"a": None}


def test_an_answer_that_was_wrapped_is_unwrapped_once():
    assert undone({WRAPPER: [1]}, {}, WRAPPED) == [1]
    assert undone({WRAPPER: {WRAPPER: 1}}, {}, WRAPPED) == {WRAPPER: 1}


@pytest.mark.parametrize("value", [{WRAPPER: 1, "more": 2}, {"other": 1}, [1], None, "x", {}])
def test_what_is_not_wrapped_stays(value):
    assert undone(value, {}, WRAPPED) == value


def test_where_nothing_was_changed_nothing_is_taken_back():
    value = {"a": None, WRAPPER: 1}
    assert undone(value, properties(a=TEXT), AdaptedSchema(schema={})) is value


VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
SCHEMAS = st.recursive(
    st.sampled_from([{}, TEXT, NULLABLE, {"$ref": "#"}, {"$ref": "#/$defs/none"}, True, False, None]),
    lambda inner: (
        st.builds(lambda a, b: properties(a=a, b=b), inner, inner)
        | st.builds(lambda items: {"items": items}, inner)
        | st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, max_size=3))
    ),
    max_leaves=8,
)


def without_nulls(value):
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


@given(VALUES, SCHEMAS.filter(lambda schema: isinstance(schema, dict)))
def test_whatever_the_schema_nothing_but_nulls_of_objects_is_taken_out(value, schema):
    left = undone(value, schema)
    assert without_nulls(left) == without_nulls(value)
    assert undone(left, schema) == left


def test_a_schema_that_leads_back_to_itself_everywhere_ends():
    schema = {"$ref": "#", "anyOf": [{"$ref": "#"}, {"$ref": "#"}], "properties": {"a": {"$ref": "#"}}}
    value = None
    for _ in range(100):
        value = {"a": value}
    assert undone(value, schema) is not None
