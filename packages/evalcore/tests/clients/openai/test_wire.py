"""The OpenAI dialect: what is sent for a call, and how whole answers are read."""

from __future__ import annotations

import json

import pytest

from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call
from evalcore.clients.openai import wire
from evalcore.clients.reply import Answer, Usage
from evalcore.library.models import Model, StructuredOutput
from evalcore.structs import JsonObject, JsonValue

NESTED = b"[" * 100_000 + b"]" * 100_000


def body_of(
    *,
    params: dict[str, JsonValue] | None = None,
    stream: bool = False,
    output: StructuredOutput = "none",
    schema: JsonObject | None = None,
    replicate: int = 0,
) -> JsonObject:
    model = Model(
        id="lab/m-1", provider="mindrouter", params=params or {}, stream=stream, structured_output=output
    )
    call = Call(case="a", replicate=replicate, model=model, system="Prompt.", user="Input.", schema=schema)
    decoded: JsonObject = json.loads(wire.chat_body(call))
    return decoded


def completion(**changes: JsonValue) -> bytes:
    message: JsonObject = {"role": "assistant", "content": "42"}
    body: JsonObject = {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    return json.dumps({**body, **changes}).encode()


def with_message(message: JsonObject, finish_reason: str | None = "stop") -> bytes:
    return completion(choices=[{"index": 0, "message": message, "finish_reason": finish_reason}])


def test_prompt_is_the_system_message_and_input_the_user_message() -> None:
    assert body_of()["messages"] == [
        {"role": "system", "content": "Prompt."},
        {"role": "user", "content": "Input."},
    ]


def test_params_are_passed_on_as_given() -> None:
    params: dict[str, JsonValue] = {
        "temperature": 0.1,
        "max_tokens": 16384,
        "reasoning_effort": "high",
        "chat_template_kwargs": {"enable_thinking": True},
    }
    body = body_of(params=params)
    assert {name: body[name] for name in params} == params


def test_seed_is_sent_as_seed_plus_replicate() -> None:
    assert body_of(params={"seed": 40}, replicate=2)["seed"] == 42


def test_no_seed_is_sent_where_none_is_configured() -> None:
    assert "seed" not in body_of(replicate=2)


def test_params_cannot_replace_model_messages_or_streaming() -> None:
    body = body_of(params={"model": "other", "messages": [], "stream": True, "stream_options": {}})
    assert body["model"] == "lab/m-1"
    assert body["messages"]
    assert body["stream"] is False
    assert "stream_options" not in body


def test_streamed_call_asks_for_usage() -> None:
    body = body_of(stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_no_response_format_without_structured_output() -> None:
    assert "response_format" not in body_of(schema={"type": "object"})


def test_json_object_is_asked_for() -> None:
    assert body_of(output="json_object")["response_format"] == {"type": "json_object"}


def test_json_schema_is_asked_for_strictly_and_by_name() -> None:
    schema: JsonObject = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert body_of(output="json_schema", schema=schema)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }


def test_json_schema_without_a_schema_asks_for_nothing() -> None:
    assert "response_format" not in body_of(output="json_schema")


def test_whole_answer_is_read() -> None:
    assert wire.parse_completion(completion()) == Answer(
        text="42", finish_reason="stop", usage=Usage(prompt=3, completion=2)
    )


def test_reasoning_is_not_the_answer() -> None:
    answer = wire.parse_completion(with_message({"content": "42", "reasoning_content": "hm, 41? no"}))
    assert isinstance(answer, Answer)
    assert answer.text == "42"


def test_null_content_is_an_answer_without_text() -> None:
    answer = wire.parse_completion(with_message({"content": None, "reasoning_content": "endless"}, "length"))
    assert isinstance(answer, Answer)
    assert (answer.text, answer.finish_reason) == (None, "length")


def test_content_in_parts_is_joined() -> None:
    answer = wire.parse_completion(with_message({"content": [{"type": "text", "text": "4"}, {"text": "2"}]}))
    assert isinstance(answer, Answer)
    assert answer.text == "42"


def test_only_the_first_of_several_choices_counts() -> None:
    choices: list[JsonValue] = [{"message": {"content": text}, "finish_reason": "stop"} for text in "ab"]
    answer = wire.parse_completion(completion(choices=choices))
    assert isinstance(answer, Answer)
    assert answer.text == "a"


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "is_estimated": False},
        {"prompt_tokens": 3},
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": -3, "completion_tokens": 2},
        {"prompt_tokens": 10**30, "completion_tokens": 2},
        {"prompt_tokens": "3", "completion_tokens": 2},
        [3, 2],
    ],
)
def test_usage_that_is_missing_all_zeros_or_no_count_is_unknown(usage: JsonValue) -> None:
    answer = wire.parse_completion(completion(usage=usage))
    assert isinstance(answer, Answer)
    assert answer.usage is None


def test_no_completion_tokens_alone_are_counted() -> None:
    answer = wire.parse_completion(completion(usage={"prompt_tokens": 3, "completion_tokens": 0}))
    assert isinstance(answer, Answer)
    assert answer.usage == Usage(prompt=3, completion=0)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_answer"),
        (b" \n", "empty_answer"),
        (b"<html>Welcome</html>", "unreadable_answer"),
        (completion()[:-20], "unreadable_answer"),
        (b"[1, 2]", "unreadable_answer"),
        (b'{"x": ' + NESTED + b"}", "unreadable_answer"),
        (b'{"choices": "none"}', "unreadable_answer"),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', "unreadable_answer"),
        (completion(choices=[]), "no_choices"),
        (b"{}", "no_choices"),
        (b'{"error": {"message": "overloaded", "code": 503}}', "no_capacity"),
        (b'{"error": "it broke"}', "server_error"),
    ],
)
def test_a_200_that_is_no_answer_is_a_failure(body: bytes, code: str) -> None:
    failure = wire.parse_completion(body)
    assert isinstance(failure, Failure)
    assert (failure.code, failure.fault, failure.retry) == (code, "infrastructure", True)


def test_models_are_read_with_what_the_gateway_says_of_them() -> None:
    listed = {
        "id": "lab/m-1",
        "backends": ["node-a"],
        "context_length": 2048,
        "quantization": None,
        "family": None,
    }
    served = wire.served(json.dumps({"object": "list", "data": [listed]}).encode(), b'{"version":"2.9.58"}')
    assert served.version == "2.9.58"
    model = served.models["lab/m-1"]
    assert (model.context_length, model.quantization, model.backends) == (2048, None, ("node-a",))


def test_vllm_names_its_context_length_otherwise() -> None:
    served = wire.served(b'{"data": [{"id": "m", "max_model_len": 4096}]}', None)
    assert served.models["m"].context_length == 4096
    assert served.models["m"].backends is None
    assert served.version is None


def test_an_empty_list_of_models_is_a_list() -> None:
    assert not wire.parse_models(b'{"object": "list", "data": []}')


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": [{"name": "x"}]}', NESTED, b"\xff"])
def test_what_is_no_list_of_models_is_an_error(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        wire.parse_models(body)


@pytest.mark.parametrize(
    "body", [b"Not found", b"[]", b'{"x": ' + NESTED + b"}", b'{"status": "ok"}', b'{"version": 3}']
)
def test_a_status_page_of_another_kind_gives_no_version(body: bytes) -> None:
    assert wire.parse_version(body) is None
