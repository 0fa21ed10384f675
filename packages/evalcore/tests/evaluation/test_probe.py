"""Whether a cloud model takes its parameters and its schema: by one call of one token, or by none."""

from __future__ import annotations

import asyncio

import pytest

from evalcore.clients.failures import (
    Failure,
    out_of_money,
    parameter_refused,
    schema_too_large,
    server_error,
    unknown_model,
)
from evalcore.clients.interface import Call, Served, ServedModel
from evalcore.clients.reply import Reply
from evalcore.evaluation.probe import Asked, asked_of, over_limit, refused_by, schema_findings
from evalcore.library.adaptation import SchemaNotTaken
from evalcore.library.models import BUILT_IN, Model, ModelsFile
from evalcore.structs import JsonObject
from evalsim.testing import make_component, make_reply

CLOSED: JsonObject = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN: JsonObject = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}


class Asking:
    """A client that answers each call alike, and remembers what it was asked."""

    def __init__(self, failure: Failure | None = None) -> None:
        self.calls: list[Call] = []
        self._error = failure.error if failure is not None else None

    async def served(self) -> Served:
        raise NotImplementedError

    async def call(self, call: Call, yield_slot) -> Reply:
        async with yield_slot():
            self.calls.append(call)
        return make_reply(error=self._error, text=None)


def component(schema: JsonObject | None):
    return make_component(output="json", schema=schema)


def probed(asked: Asked, failure: Failure | None = None) -> tuple[str | None, Call]:
    client = Asking(failure)
    said = asyncio.run(refused_by(client, asked))
    (call,) = client.calls
    return said, call


def model(provider: str = "anthropic", **fields) -> Model:
    return Model("m", provider, **fields)


# one call of one token


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ({}, {"max_tokens": 1}),
        ({"max_tokens": 5000}, {"max_tokens": 1}),
        ({"max_completion_tokens": 5000}, {"max_completion_tokens": 1}),
        ({"maxOutputTokens": 5000}, {"maxOutputTokens": 1}),
        ({"max_output_tokens": 5000}, {"max_output_tokens": 1}),
        ({"temperature": 0.5}, {"temperature": 0.5, "max_tokens": 1}),
        (
            {"max_tokens": 5000, "thinking": {"type": "enabled", "budget_tokens": 1024}},
            {"max_tokens": 1025, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}, "max_tokens": 1}),
        ({"thinking": "high"}, {"thinking": "high", "max_tokens": 1}),
    ],
)
def test_the_call_is_of_one_token_beyond_what_may_be_thought_and_of_all_other_params(params, sent) -> None:
    _, call = probed(Asked(model(params=params), None))
    assert call.model.params == sent


def test_the_params_of_the_model_that_is_evaluated_stay_as_they_are() -> None:
    params = {"max_tokens": 5000}
    probed(Asked(model(params=params), None))
    assert params == {"max_tokens": 5000}


def test_the_call_is_not_streamed_and_holds_nothing_of_any_case() -> None:
    _, call = probed(Asked(model(stream=True), None))
    assert not call.model.stream
    assert call.case == ""
    assert call.user == "Say OK."


def test_the_schema_is_asked_for_as_in_the_runs() -> None:
    asked = asked_of(model(structured_output="json_schema"), component(OPEN), BUILT_IN["anthropic"])
    _, call = probed(asked)
    assert asked.adapted is not None
    assert call.schema == asked.adapted.schema
    assert call.as_tool == asked.adapted.as_tool
    assert call.model.structured_output == "json_schema"


def test_without_a_component_no_schema_is_asked_for() -> None:
    _, call = probed(Asked(model(structured_output="json_schema"), None))
    assert (call.model.structured_output, call.schema) == ("none", None)
    _, call = probed(Asked(model(structured_output="json_object"), None))
    assert call.model.structured_output == "json_object"


@pytest.mark.parametrize(
    "failure", [parameter_refused("top_k", "no"), unknown_model("no"), schema_too_large("no")]
)
def test_what_would_skip_the_models_runs_is_said(failure: Failure) -> None:
    said, _ = probed(Asked(model(), None), failure)
    assert said is not None
    assert failure.message in said


@pytest.mark.parametrize("failure", [None, server_error("x"), out_of_money("x", 402)])
def test_an_answer_and_a_failure_that_says_nothing_of_the_model_are_no_refusal(failure) -> None:
    said, _ = probed(Asked(model(), None), failure)
    assert said is None


# without a call


@pytest.mark.parametrize(
    ("params", "most", "is_over"),
    [
        ({"max_tokens": 5001}, 5000, True),
        ({"max_tokens": 5000}, 5000, False),
        ({"maxOutputTokens": 5001}, 5000, True),
        ({"max_completion_tokens": 5001}, 5000, True),
        ({"max_tokens": 5001}, None, False),
        ({}, 5000, False),
        ({"max_tokens": "5001"}, 5000, False),
    ],
)
def test_longer_answers_than_the_provider_lists_are_said_with_both_numbers(params, most, is_over) -> None:
    said = over_limit(Asked(model(params=params), None), ServedModel("m", most_tokens=most))
    assert (said is not None) == is_over
    assert said is None or ("5,001" in said and "5,000" in said and said.startswith("m: "))


def test_a_schema_that_is_sent_as_it_is_has_no_changes() -> None:
    asked = asked_of(model(structured_output="json_schema"), component(CLOSED), BUILT_IN["anthropic"])
    assert asked.changes == ()


def test_a_model_that_is_asked_for_no_schema_has_no_changes() -> None:
    asked = asked_of(model(structured_output="none"), component(OPEN), BUILT_IN["openai"])
    assert (asked.adapted, asked.changes) == (None, ())


def file_of(*models: Model) -> ModelsFile:
    return ModelsFile(dict(BUILT_IN), models)


def said_of(schema: JsonObject | None, *models: Model) -> list[str]:
    return [f"{one.severity}: {one.line}" for one in schema_findings(component(schema), file_of(*models))]


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_what_a_provider_changes_in_a_schema_is_a_note_with_its_name(provider: str) -> None:
    (line,) = said_of(OPEN, model(provider, structured_output="json_schema"))
    assert line.startswith("note: ")
    assert f"its schema is changed for {provider}: " in line


def test_models_of_one_provider_are_one_note() -> None:
    twice = [Model(name, "openai", structured_output="json_schema") for name in ("a", "b")]
    assert len(said_of(OPEN, *twice)) == 1


@pytest.mark.parametrize(
    ("schema", "models"),
    [
        (CLOSED, [model("openai", structured_output="json_schema")]),
        (OPEN, [model("openai", structured_output="none")]),
        (OPEN, [model("mindrouter", structured_output="json_schema")]),
        (OPEN, []),
    ],
)
def test_nothing_is_said_where_nothing_is_changed(schema: JsonObject, models: list[Model]) -> None:
    assert said_of(schema, *models) == []


def test_a_schema_that_a_provider_cannot_take_is_a_warning_and_the_others_are_still_looked_at() -> None:
    schema: JsonObject = {"type": "object", "properties": {"a": {}}}
    lines = said_of(
        schema,
        model("openai", structured_output="json_schema"),
        model("anthropic", structured_output="json_schema"),
    )
    assert [line.split(":")[0] for line in lines] == ["warning", "note"]
    with pytest.raises(SchemaNotTaken):
        asked_of(model("openai", structured_output="json_schema"), component(schema), BUILT_IN["openai"])
