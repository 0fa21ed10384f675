"""Which schemas each simulated provider refuses, and that an answer made to obey one does."""

from __future__ import annotations

import jsonschema_rs
import pytest

from evalcore.library.adaptation import adapt_schema, undo_adaptation
from evalsim.cloud.schemas import anthropic_problem, google_problem, nodes, obeying, openai_problem


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


GOOD = closed(a={"type": "integer"}, b={"type": "array", "items": closed(c={"type": "string"})})
PROBLEMS = {"anthropic": anthropic_problem, "openai": openai_problem, "google": google_problem}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_plain_closed_schema_is_taken_by_all(kind):
    assert PROBLEMS[kind](GOOD) is None


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        closed(a={"type": "object", "properties": {}, "additionalProperties": True}),
        closed(a={"type": ["object", "null"]}),
        closed(a={"type": "array", "items": {"type": "object"}}),
        closed(a={"anyOf": [{"type": "object"}, {"type": "null"}]}),
        closed(a={"$ref": "#/$defs/x"}) | {"$defs": {"x": {"type": "object"}}},
    ],
)
def test_an_object_that_is_open_is_refused_wherever_it_is(kind, schema):
    problem = PROBLEMS[kind](schema)
    assert problem is not None
    assert "additionalProperties" in problem


def test_google_takes_objects_that_are_open():
    assert google_problem({"type": "object", "properties": {"a": {"type": "object"}}}) is None


@pytest.mark.parametrize(
    ("kind", "keyword", "value"),
    [
        ("anthropic", "minimum", 1),
        ("anthropic", "maxLength", 3),
        ("anthropic", "oneOf", []),
        ("openai", "default", 1),
        ("openai", "minLength", 3),
        ("openai", "allOf", []),
        ("google", "const", 1),
        ("google", "pattern", "a"),
        ("google", "made_up", 1),
    ],
)
def test_a_keyword_that_is_not_taken_is_named(kind, keyword, value):
    problem = PROBLEMS[kind](closed(a={"type": "integer", keyword: value}))
    assert problem is not None
    assert keyword in problem


def test_anthropic_refuses_more_optional_parameters_than_it_compiles():
    def optional(count):
        properties = {f"p{at}": {"type": "string"} for at in range(count)}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    assert anthropic_problem(optional(24)) is None
    assert "(25)" in anthropic_problem(optional(25))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array", "items": {"type": "string"}}, 'type: "array"'),
        (closed(a={}), "must have a 'type' key"),
        (closed(a={"type": "string"}) | {"required": []}, "Missing 'a'"),
        (
            closed(a={"$ref": "#/$defs/x", "title": "T"}) | {"$defs": {"x": {"type": "string"}}},
            "$ref cannot have keywords beside it",
        ),
    ],
)
def test_openai_refuses_what_is_not_strict_and_says_why(schema, words):
    assert words in openai_problem(schema)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (closed(a={"$ref": "#/$defs/x", "title": "T"}) | {"$defs": {"x": {"type": "string"}}}, "$ref"),
        (closed(a={"enum": ["a", True]}), "enum"),
        (closed(a={"enum": [None]}), "enum"),
    ],
)
def test_google_refuses_what_it_cannot_read_and_says_why(schema, words):
    assert words in google_problem(schema)


def test_all_schemas_inside_of_one_are_found():
    schema = {
        "title": "0",
        "properties": {"a": {"title": "1", "items": {"title": "2", "anyOf": [{"title": "3"}]}}},
        "$defs": {"x": {"title": "4", "prefixItems": [{"title": "5"}], "oneOf": [{"title": "6"}]}},
        "enum": [{"title": "no schema"}],
    }
    assert {node["title"] for node in nodes(schema)} == set("0123456")


SCHEMAS = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}, "b": {"type": "string"}}},
    {"type": "array", "items": {"type": "object", "properties": {"a": {"const": 1}}}},
    {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}},
    {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/x", "description": "d"}},
        "$defs": {"x": {"type": "object", "properties": {"b": {"enum": ["p", "q"]}}}},
    },
    {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
]


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_a_schema_is_adapted_to_is_taken(kind, schema):
    """Two readings of the provider's documentation, made apart, agree."""
    assert PROBLEMS[kind](adapt_schema(schema, kind).schema) is None


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (SCHEMAS[0], {"a": 5}),
        (SCHEMAS[0], {}),
        (SCHEMAS[1], [{"a": 1}, {}]),
        (SCHEMAS[2], {"a": 7}),
        (SCHEMAS[3], {"a": {}}),
        (SCHEMAS[3], {"a": {"b": "q"}}),
    ],
)
def test_an_answer_obeys_the_adapted_schema_and_is_the_first_one_again_once_undone(kind, schema, value):
    adapted = adapt_schema(schema, kind)
    answer = obeying(value, adapted.schema)
    assert jsonschema_rs.is_valid(adapted.schema, answer)
    assert undo_adaptation(answer, schema, adapted) == value


def test_an_answer_that_obeys_already_stays_as_it_is():
    value = {"a": 1, "b": [{"c": "x"}]}
    assert obeying(value, GOOD) == value
