"""The answer that a run's reply holds, as the component's own schema means it."""

from __future__ import annotations

import json

import pytest

from evalcore.library.adaptation.adapt import AdaptedSchema
from evalcore.scoring.answers import Parsed, Unparsed
from evalcore.scoring.planned_answer import read_answer
from evalsim.testing import SHA, make_component, make_run_plan

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}


def plan(output="json_object", schema=SCHEMA, **adapted):
    component = make_component(output=output, schema=schema, schema_sha256=SHA if schema else None)
    sent = AdaptedSchema(schema=schema or {}, **adapted) if adapted else None
    return make_run_plan(component=component, adapted=sent)


def value(text, **fields):
    read = read_answer(plan(**fields), text)
    assert isinstance(read, Parsed), read
    return read.value


def test_where_the_schema_was_sent_as_it_is_the_answer_is_what_stands_there():
    assert value('{"a": null}') == {"a": None}
    assert value('```json\n{"b": 1}\n```') == {"b": 1}


def test_nulls_that_the_schema_forced_are_taken_out():
    assert value('{"a": null, "b": 1}', has_forced_nulls=True) == {"b": 1}


def test_an_answer_that_was_wrapped_is_unwrapped():
    schema = {"type": "array", "items": {"type": "integer"}}
    assert value('{"answer": [1, 2]}', output="json_array", schema=schema, is_wrapped=True) == [1, 2]
    assert value("[1, 2]", output="json_array", schema=schema, is_wrapped=True) == [1, 2]


@pytest.mark.parametrize("text", ['{"answer": {"a": 1}}', '{"other": [1]}', '{"answer": "text"}'])
def test_what_is_not_of_the_components_kind_once_unwrapped_is_no_answer(text):
    read = read_answer(plan(output="json_array", schema={"type": "array"}, is_wrapped=True), text)
    assert read == Unparsed(reason="the reply does not hold a json array")


@pytest.mark.parametrize("text", [None, "", "no JSON", "{"])
def test_what_cannot_be_parsed_is_no_answer_either_way(text):
    assert isinstance(read_answer(plan(), text), Unparsed)
    assert isinstance(read_answer(plan(has_forced_nulls=True), text), Unparsed)


def test_a_component_without_a_schema_has_nothing_taken_back():
    assert value('{"answer": {"a": null}}', schema=None, is_wrapped=True) == {"answer": {"a": None}}


def test_markdown_is_a_tree():
    tree = value("# Title\n", output="markdown", schema=None)
    assert json.dumps(tree) == '{"sections": [{"heading": "Title"}]}'
