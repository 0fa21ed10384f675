"""A schema as each provider takes it, and what that changed taken back out of the answer."""

import json
import time

import jsonschema_rs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalcore.library.adaptation import SchemaNotTaken, adapt_schema, undo_adaptation

DIALECTS = ("anthropic", "openai", "google")


def schema_of(*, required=(), **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_every_provider_takes_is_sent_as_it_is(dialect):
    schema = schema_of(
        required=["title", "year"], title=TEXT, year={"type": "integer", "description": "of the award"}
    )
    adapted = adapt_schema(schema, dialect)
    assert adapted.schema == schema
    assert adapted.changes == ()


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_every_object_is_closed_and_that_is_said(dialect):
    inner = {"type": "object", "properties": {"b": TEXT}, "required": ["b"]}
    schema = {"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": True}
    adapted = adapt_schema(schema, dialect)
    assert adapted.schema["additionalProperties"] is False
    assert adapted.schema["properties"]["a"]["additionalProperties"] is False
    assert "additionalProperties: false is added: a" in adapted.changes
    assert "other properties than those listed can no longer be answered: ." in adapted.changes


def test_google_takes_objects_that_are_open():
    schema = {"type": "object", "properties": {"a": {"type": "object"}}}
    assert adapt_schema(schema, "google").schema == schema


def test_openai_has_every_property_required_and_the_optional_ones_nullable():
    schema = schema_of(required=["a"], a=TEXT, b=TEXT, c={"enum": ["x"], "type": "string"}, d={"const": 1})
    adapted = adapt_schema(schema, "openai")
    assert adapted.schema["required"] == ["a", "b", "c", "d"]
    assert adapted.schema["properties"] == {
        "a": TEXT,
        "b": {"type": ["string", "null"]},
        "c": {"enum": ["x", None], "type": ["string", "null"]},
        "d": {"anyOf": [{"const": 1}, {"type": "null"}]},
    }
    assert adapted.changes == ("an optional property is sent as required and nullable: b, c, d",)


def test_nulls_that_were_forced_are_taken_out_and_a_models_own_stay():
    maybe = {"type": ["string", "null"]}
    texts = {"type": "array", "items": TEXT}
    schema = schema_of(required=["own"], own=maybe, forced=TEXT, may=maybe, list=texts)
    adapted = adapt_schema(schema, "openai")
    answer = {"own": None, "forced": None, "may": None, "list": None}
    assert undo_adaptation(answer, schema, adapted) == {"own": None, "may": None}


def test_nulls_are_taken_out_below_references_and_lists():
    part = {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"]}
    schema = schema_of(required=["parts"], parts={"type": "array", "items": {"$ref": "#/$defs/part"}})
    schema["$defs"] = {"part": part}
    adapted = adapt_schema(schema, "openai")
    answer = {"parts": [{"a": "x", "b": None}, {"a": "y", "b": "z"}]}
    assert undo_adaptation(answer, schema, adapted) == {"parts": [{"a": "x"}, {"a": "y", "b": "z"}]}


@pytest.mark.parametrize("dialect", ["anthropic", "openai"])
def test_an_array_at_the_root_is_wrapped_and_unwrapped(dialect):
    schema = {"type": "array", "items": TEXT}
    adapted = adapt_schema(schema, dialect)
    assert adapted.schema["type"] == "object"
    assert adapted.schema["properties"] == {"answer": schema}
    assert undo_adaptation({"answer": ["a"]}, schema, adapted) == ["a"]
    assert undo_adaptation(["a"], schema, adapted) == ["a"]
    assert any("property `answer`" in change for change in adapted.changes)


def test_google_takes_an_array_at_the_root():
    schema = {"type": "array", "items": TEXT}
    assert adapt_schema(schema, "google").schema == schema


def test_a_reference_to_the_whole_follows_it_into_the_wrapper():
    schema = {"type": "array", "items": {"type": "object", "properties": {"more": {"$ref": "#"}}}}
    adapted = adapt_schema(schema, "openai")
    compiled = jsonschema_rs.validator_for(adapted.schema)
    assert compiled.is_valid({"answer": [{"more": [{"more": None}]}]})
    assert not compiled.is_valid({"answer": [{"more": {"answer": []}}]})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_bounds_and_lengths_that_are_not_taken_are_left_out_and_said(dialect):
    number = {"type": "number", "minimum": 1}
    schema = schema_of(required=["n", "s"], n=number, s={"type": "string", "minLength": 3})
    adapted = adapt_schema(schema, dialect)
    assert "minLength" not in adapted.schema["properties"]["s"]
    assert "minLength is not sent: s" in adapted.changes
    assert ("minimum" in adapted.schema["properties"]["n"]) == (dialect != "anthropic")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_of_becomes_any_of(dialect):
    schema = schema_of(required=["a"], a={"oneOf": [TEXT, {"type": "integer"}]})
    adapted = adapt_schema(schema, dialect)
    assert adapted.schema["properties"]["a"] == {"anyOf": [TEXT, {"type": "integer"}]}
    assert "oneOf is sent as anyOf: a" in adapted.changes


@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_of_is_put_together(dialect):
    base = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
    schema = {
        "allOf": [{"$ref": "#/$defs/base"}, {"properties": {"b": TEXT}, "required": ["b"]}],
        "$defs": {"base": base},
    }
    sent = adapt_schema(schema, dialect).schema
    assert sent["properties"] == {"a": TEXT, "b": TEXT}
    assert sent["required"] == ["a", "b"]


def test_beside_a_reference_nothing_is_left():
    part = {"$ref": "#/$defs/t", "description": "of the whole"}
    schema = {**schema_of(required=["a"], a=part), "$defs": {"t": TEXT}}
    for dialect in DIALECTS:
        adapted = adapt_schema(schema, dialect)
        assert adapted.schema["properties"]["a"] == {"$ref": "#/$defs/t"}
        assert adapted.changes == ("`description` beside a $ref is not sent: a",)


def test_google_has_no_const_and_enums_of_texts_and_numbers_alone():
    schema = schema_of(
        required=["a", "b", "c"], a={"const": "x"}, b={"enum": ["x", 2, None, True]}, c={"enum": [None]}
    )
    sent = adapt_schema(schema, "google").schema
    assert sent["properties"] == {
        "a": {"enum": ["x"]},
        "b": {"anyOf": [{"enum": ["x", 2]}, {"type": "boolean"}, {"type": "null"}]},
        "c": {"type": "null"},
    }


def test_google_takes_circles_in_optional_properties_only():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    schema = {**schema_of(required=["first"], first={"$ref": "#/$defs/node"}), "$defs": {"node": node}}
    adapted = adapt_schema(schema, "google")
    assert adapted.schema["$defs"]["node"]["required"] == []
    assert adapted.schema["required"] == ["first"]
    assert adapted.changes == (
        "a required property that refers back to itself is sent as optional: #/$defs/node next",
    )
    node["properties"]["next"] = {"type": "array", "items": {"$ref": "#/$defs/node"}}
    assert adapt_schema(schema, "google").changes


def test_google_refuses_a_circle_outside_of_properties():
    schema = {**schema_of(required=["a"], a={"$ref": "#/$defs/t"})}
    schema["$defs"] = {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}
    with pytest.raises(SchemaNotTaken, match="outside of a property"):
        adapt_schema(schema, "google")


def optional(count):
    return schema_of(**{f"p{number}": TEXT for number in range(count)})


def unions(count):
    either = {"anyOf": [TEXT, {"type": "null"}]}
    names = [f"p{number}" for number in range(count)]
    return schema_of(required=names, **dict.fromkeys(names, either))


RECURSIVE = {"type": "object", "properties": {"a": {"$ref": "#"}}, "additionalProperties": False}
OPEN = schema_of(required=["a"], a={"type": "object", "additionalProperties": TEXT})


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (optional(25), "25 optional properties"),
        (unions(17), "17 properties of several types"),
        (RECURSIVE, "refers back to itself"),
        (OPEN, "may hold any property"),
    ],
)
def test_what_anthropic_would_not_compile_is_asked_for_as_a_forced_tool(schema, word):
    adapted = adapt_schema(schema, "anthropic")
    assert adapted.as_tool
    assert adapted.schema == schema
    assert word in adapted.changes[0]


@pytest.mark.parametrize("schema", [optional(24), unions(16)])
def test_up_to_its_limits_anthropic_compiles(schema):
    assert not adapt_schema(schema, "anthropic").as_tool


def test_a_tools_property_has_a_plain_name():
    schema = {**optional(25)}
    schema["properties"]["größe in m"] = TEXT
    with pytest.raises(SchemaNotTaken, match="property name"):
        adapt_schema(schema, "anthropic")


def nested(levels):
    schema = TEXT
    for _ in range(levels):
        schema = schema_of(required=["a"], a=schema)
    return schema


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        (
            schema_of(required=[f"p{n}" for n in range(5000)], **{f"p{n}": TEXT for n in range(5000)}),
            schema_of(required=[f"p{n}" for n in range(5001)], **{f"p{n}": TEXT for n in range(5001)}),
            "5,001 properties",
        ),
        (nested(10), nested(11), "11 levels"),
        (
            schema_of(required=["a"], a={"type": "integer", "enum": list(range(1000))}),
            schema_of(required=["a"], a={"type": "integer", "enum": list(range(1001))}),
            "1,001 values of enums",
        ),
    ],
)
def test_what_is_over_openais_limits_is_refused_in_one_sentence(good, bad, word):
    adapt_schema(good, "openai")
    with pytest.raises(SchemaNotTaken, match=word) as raised:
        adapt_schema(bad, "openai")
    assert "\n" not in raised.value.line


def test_openai_refuses_what_has_no_type():
    with pytest.raises(SchemaNotTaken, match="of what type"):
        adapt_schema(schema_of(required=["a"], a={}), "openai")
    with pytest.raises(SchemaNotTaken, match="any property"):
        adapt_schema(OPEN, "openai")


def test_a_change_names_three_places_and_counts_the_others():
    short = {"type": "string", "minLength": 1}
    names = ["a", "b", "c", "d", "e"]
    adapted = adapt_schema(schema_of(required=names, **dict.fromkeys(names, short)), "anthropic")
    assert adapted.changes == ("minLength is not sent: a, b, c and 2 more",)


SCALARS = st.sampled_from(
    [
        TEXT,
        {"type": "integer"},
        {"type": "boolean"},
        {"type": ["string", "null"]},
        {"enum": ["a", "b"], "type": "string"},
        {"const": "k", "type": "string"},
        {"$ref": "#/$defs/pair"},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [TEXT, {"type": "integer"}]},
    ]
)
PAIR = {"type": "object", "properties": {"x": TEXT, "y": {"type": "integer"}}, "required": ["x"]}


@st.composite
def objects(draw, parts):
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1, max_size=4))
    return {
        "type": "object",
        "properties": {name: draw(parts) for name in names},
        "required": [name for name in names if draw(st.booleans())],
    }


INNER = st.recursive(
    SCALARS,
    lambda parts: objects(parts) | st.builds(lambda items: {"type": "array", "items": items}, parts),
    max_leaves=8,
)
SCHEMAS = (objects(INNER) | st.builds(lambda items: {"type": "array", "items": items}, INNER)).map(
    lambda schema: {**schema, "$defs": {"pair": PAIR}}
)


@st.composite
def answers(draw, schema, root):  # noqa: PLR0911
    """An answer that obeys a schema."""
    if "$ref" in schema:
        return draw(answers(root["$defs"]["pair"], root))
    if "anyOf" in schema:
        return draw(answers(draw(st.sampled_from(schema["anyOf"])), root))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "const" in schema:
        return schema["const"]
    kind = schema["type"]
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if kind == "object":
        names = [
            name for name in schema["properties"] if name in schema.get("required", []) or draw(st.booleans())
        ]
        return {name: draw(answers(schema["properties"][name], root)) for name in names}
    if kind == "array":
        return [draw(answers(schema["items"], root)) for _ in range(draw(st.integers(0, 2)))]
    return {"string": "a", "integer": 3, "boolean": True, "null": None}[kind]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_an_answer_to_the_adapted_schema_obeys_the_original_once_undone(dialect, data):
    schema = data.draw(SCHEMAS)
    adapted = adapt_schema(schema, dialect)
    assume(not adapted.as_tool)
    answer = data.draw(answers(adapted.schema, adapted.schema))
    assert jsonschema_rs.validator_for(adapted.schema).is_valid(answer)
    undone = undo_adaptation(answer, schema, adapted)
    assert jsonschema_rs.validator_for(schema).is_valid(undone)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=80, deadline=None)
@given(schema=SCHEMAS)
def test_adapting_twice_changes_nothing(dialect, schema):
    before = json.dumps(schema)
    once = adapt_schema(schema, dialect)
    twice = adapt_schema(once.schema, dialect)
    assert twice.schema == once.schema
    assert once.as_tool or twice.changes == ()
    assert json.dumps(schema) == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schema_of_twenty_thousand_values_takes_no_noticeable_time(dialect):
    part = {"type": "object", "properties": {f"p{n}": TEXT for n in range(50)}}
    many = {f"d{n}": part for n in range(90)}
    fields = {f"f{n}": {"$ref": f"#/$defs/d{n}"} for n in range(90)}
    schema = {"type": "object", "properties": fields, "$defs": many}
    began = time.process_time()
    adapt_schema(schema, dialect)
    assert time.process_time() - began < 2


def test_doublings_of_all_of_are_refused():
    definitions = {"d0": {"type": "object", "properties": {"a": TEXT}}}
    for number in range(1, 40):
        twice = {"$ref": f"#/$defs/d{number - 1}"}
        definitions[f"d{number}"] = {"allOf": [twice, {"properties": {"b": TEXT}}, twice]}
    with pytest.raises(SchemaNotTaken):
        adapt_schema({"$ref": "#/$defs/d39", "$defs": definitions}, "openai")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("part", ["plain", "property", "merged"])
def test_references_that_lead_on_without_end_are_refused_or_taken(dialect, part):
    definitions = {"d0": {"type": "object", "properties": {"a": TEXT}}}
    for number in range(1, 4000):
        ref = {"$ref": f"#/$defs/d{number - 1}"}
        definitions[f"d{number}"] = {
            "plain": ref,
            "property": {"type": "object", "properties": {"a": ref}},
            "merged": {"allOf": [ref, {"properties": {"b": TEXT}}]},
        }[part]
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/d3999"}}, "$defs": definitions}
    try:
        adapted = adapt_schema(schema, dialect)
    except SchemaNotTaken:
        return
    assert undo_adaptation({"a": None}, schema, adapted) in ({}, {"a": None})
