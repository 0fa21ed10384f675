"""Anthropic's Messages API as bytes: what is asked, and what each documented part of an answer means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.anthropic.wire import DEFAULT_MAX_TOKENS, message_body, parse_message, served
from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call
from evalcore.clients.reply import Answer, Usage
from evalcore.library.models import Model, Price
from evalcore.structs import JsonObject, JsonValue

SCHEMA: JsonObject = {"type": "object", "properties": {}, "additionalProperties": False}


def asked(*, system: str = "the prompt", replicate: int = 0, as_tool: bool = False, **model) -> JsonObject:
    call = Call(
        case="one",
        replicate=replicate,
        model=Model("claude", "anthropic", **model),
        system=system,
        user="the input",
        schema=SCHEMA,
        as_tool=as_tool,
    )
    return json.loads(message_body(call))


def text(words: str) -> JsonObject:
    return {"type": "text", "text": words}


def message(*content: JsonValue, stop: str | None = "end_turn", usage: JsonValue = None) -> bytes:
    answer: JsonObject = {"type": "message", "content": list(content), "stop_reason": stop, "usage": usage}
    return json.dumps(answer).encode()


def answer(body: bytes) -> Answer:
    outcome = parse_message(body)
    assert isinstance(outcome, Answer)
    return outcome


def counted(usage: JsonValue) -> Usage | None:
    return answer(message(text("a"), usage=usage)).usage


# what is asked


def test_a_limit_of_tokens_is_always_in_the_request_because_the_api_refuses_one_without() -> None:
    assert asked()["max_tokens"] == DEFAULT_MAX_TOKENS
    assert asked(params={"max_tokens": 7})["max_tokens"] == 7


def test_the_prompt_is_the_system_text_and_the_input_the_only_message() -> None:
    body = asked()
    assert body["system"] == "the prompt"
    assert body["messages"] == [{"role": "user", "content": "the input"}]


def test_an_empty_prompt_is_left_out_because_the_api_refuses_an_empty_text() -> None:
    assert "system" not in asked(system="")


def test_each_replicate_has_a_seed_of_its_own_where_one_is_configured() -> None:
    assert [asked(params={"seed": 5}, replicate=number)["seed"] for number in range(3)] == [5, 6, 7]
    assert "seed" not in asked()


def test_params_cannot_take_another_model_or_another_input() -> None:
    body = asked(params={"model": "dearer", "messages": [], "system": "other"})
    assert (body["model"], body["system"]) == ("claude", "the prompt")
    assert body["messages"] == [{"role": "user", "content": "the input"}]


def test_a_schema_goes_beside_what_params_say_of_the_output() -> None:
    body = asked(structured_output="json_schema", params={"output_config": {"effort": "low"}})
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}


def test_a_schema_as_a_tool_has_to_be_called_once_and_alone() -> None:
    body = asked(structured_output="json_schema", as_tool=True)
    assert "output_config" not in body
    assert [tool["input_schema"] for tool in body["tools"]] == [SCHEMA]
    assert body["tool_choice"] == {
        "type": "tool",
        "name": body["tools"][0]["name"],
        "disable_parallel_tool_use": True,
    }


@pytest.mark.parametrize("wanted", ["none", "json_object"])
def test_without_the_setting_no_schema_is_sent(wanted: str) -> None:
    body = asked(structured_output=wanted)
    assert "output_config" not in body
    assert "tools" not in body


def test_a_stream_is_asked_for_only_where_the_model_is_set_to_it() -> None:
    assert asked(stream=True)["stream"] is True
    assert "stream" not in asked(stream=False)


# what is answered


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("stop_sequence", "stop_sequence"),
        ("tool_use", "tool_use"),
        ("pause_turn", "pause_turn"),
        ("compaction", "other"),
        (None, None),
    ],
)
def test_each_documented_stop_reason_has_a_word_and_the_text_stays(stated, read) -> None:
    assert answer(message(text("a"), stop=stated)) == Answer(text="a", finish_reason=read, usage=None)


def test_what_came_before_a_refusal_is_no_answer() -> None:
    found = answer(message(text("I"), stop="refusal", usage={"input_tokens": 3, "output_tokens": 1}))
    assert found == Answer(text=None, finish_reason="refusal", usage=Usage(prompt=3, completion=1))


def test_texts_are_joined_and_thoughts_left_out() -> None:
    thought: JsonObject = {"type": "thinking", "thinking": "hm", "signature": "x"}
    hidden: JsonObject = {"type": "redacted_thinking", "data": "x"}
    assert answer(message(thought, hidden, text("a"), text("b"))).text == "ab"


def test_the_input_of_a_tool_is_the_answer_byte_for_byte_whatever_is_said_beside_it() -> None:
    tool = '{"type": "tool_use", "id": "t", "name": "answer", "input": {"b": 1.50, "a": 2}}'
    body = (
        f'{{"type": "message", "content": [{json.dumps(text("Here:"))}, {tool}], "stop_reason": "tool_use"}}'
    )
    assert answer(body.encode()).text == '{"b": 1.50, "a": 2}'


def test_an_answer_without_content_has_no_text_and_one_that_is_empty_has_an_empty_one() -> None:
    assert answer(message()).text is None
    assert answer(message(text(""))).text == ""


# what is counted


def test_cached_tokens_are_added_to_the_input_that_leaves_them_out() -> None:
    usage = counted(
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 200,
            "cache_creation_input_tokens": 30,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 4},
        }
    )
    assert usage == Usage(prompt=240, completion=5, cache_read=200, cache_write=30, thinking=4)


def test_a_cached_call_costs_what_each_part_costs() -> None:
    usage = counted({"input_tokens": 10**6, "cache_read_input_tokens": 10**6, "output_tokens": 10**6})
    assert usage is not None
    assert usage.cost(Price(input=3.0, output=15.0, cache_read=0.3)) == pytest.approx(18.3)


def test_more_thoughts_than_output_are_all_of_it() -> None:
    details: JsonObject = {"thinking_tokens": 9}
    usage = counted({"input_tokens": 1, "output_tokens": 5, "output_tokens_details": details})
    assert usage == Usage(prompt=1, completion=5, thinking=5)


@pytest.mark.parametrize(
    "stated",
    [
        None,
        {},
        {"input_tokens": 1},
        {"output_tokens": 1},
        {"input_tokens": -1, "output_tokens": 1},
        {"input_tokens": 1, "output_tokens": -1},
        {"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": -5},
        {"input_tokens": 2**60, "output_tokens": 1},
        {"input_tokens": "1", "output_tokens": 1},
        {"input_tokens": 1.5, "output_tokens": 1},
        [],
        "many",
    ],
)
def test_counts_that_cannot_be_are_none_and_the_answer_beside_them_stands(stated: JsonValue) -> None:
    assert answer(message(text("a"), usage=stated)) == Answer(text="a", finish_reason="stop", usage=None)


# what is no answer


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_nothing_is_an_empty_answer(body: bytes) -> None:
    outcome = parse_message(body)
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.retry) == ("empty_answer", True)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"<html>", b"{}", b'{"type": "completion"}', b"\xff", b"[" * 5000]
)
def test_what_is_no_message_is_unreadable_and_asked_for_again(body: bytes) -> None:
    outcome = parse_message(body)
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.retry) == ("unreadable_answer", True)


def test_an_error_inside_a_200_means_what_its_kind_says() -> None:
    error: JsonObject = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    outcome = parse_message(json.dumps(error).encode())
    assert isinstance(outcome, Failure)
    assert (outcome.code, outcome.scope) == ("no_capacity", "provider")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)

COUNT = st.integers(-3, 9)


@given(
    content=st.just([])
    | st.lists(st.fixed_dictionaries({"type": st.sampled_from(["text", "tool_use"])}) | JSON),
    stop=st.just("end_turn") | JSON,
    usage=st.fixed_dictionaries(
        {"input_tokens": COUNT, "output_tokens": COUNT},
        optional={
            "cache_read_input_tokens": COUNT | JSON,
            "cache_creation_input_tokens": COUNT,
            "output_tokens_details": st.fixed_dictionaries({"thinking_tokens": COUNT}) | JSON,
        },
    ),
)
def test_no_part_of_a_message_can_raise_or_count_below_nothing(content, stop, usage) -> None:
    outcome = parse_message(message(*content, stop=stop, usage=usage))
    if isinstance(outcome, Answer) and outcome.usage is not None:
        found = outcome.usage
        assert 0 <= found.cache_read + found.cache_write <= found.prompt
        assert 0 <= found.thinking <= found.completion


# what is served


def test_the_list_of_models_gives_names_and_context() -> None:
    listing = {"data": [{"id": "a", "type": "model", "max_input_tokens": 200_000}, {"id": "b"}]}
    models = served(json.dumps(listing).encode()).models
    assert {name: model.context_length for name, model in models.items()} == {"a": 200_000, "b": None}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"data": [{}]}', b'{"data": [{"id": null}]}'])
def test_what_is_no_list_of_models_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        served(body)
