"""OpenAI's own requests and answers: what they have that those of servers like it have not."""

from __future__ import annotations

import json

import pytest

from evalcore.clients.failures import Failure, empty_answer
from evalcore.clients.interface import Call
from evalcore.clients.openai.wire import chat_body
from evalcore.clients.openai_cloud.dialect import DIALECT as OPENAI_CLOUD
from evalcore.clients.openai_cloud.wire import cloud_chat_body, declined
from evalcore.clients.reply import Answer, Usage
from evalcore.library.models import Model
from evalcore.structs import JsonObject, JsonValue


def make_call(**params: JsonValue) -> Call:
    model = Model("gpt", "openai", params=params)
    return Call(case="one", replicate=2, model=model, system="the prompt", user="the input", schema=None)


def asked(**params: JsonValue) -> JsonObject:
    return json.loads(cloud_chat_body(make_call(**params)))


def chunks(*deltas: JsonObject, reason: str = "stop") -> bytes:
    choices: list[JsonObject] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    events = [f"data: {json.dumps({'choices': [choice]})}\n\n" for choice in choices]
    return ("".join(events) + "data: [DONE]\n\n").encode()


def streamed(data: bytes) -> Answer | Failure:
    reader = OPENAI_CLOUD.read_stream()
    reader.feed(data)
    return reader.end()


def completion(content: str | None, reason: str | None, **message: JsonValue) -> bytes:
    choice: JsonObject = {"message": {"content": content, **message}, "finish_reason": reason}
    return json.dumps({"choices": [choice]}).encode()


def test_the_limit_of_tokens_goes_by_the_name_that_models_which_reason_take() -> None:
    body = asked(max_tokens=7, temperature=0)
    assert body["max_completion_tokens"] == 7
    assert "max_tokens" not in body
    assert body["temperature"] == 0


def test_a_limit_that_goes_by_that_name_already_is_not_overwritten() -> None:
    assert asked(max_completion_tokens=9)["max_completion_tokens"] == 9
    assert asked(max_tokens=7, max_completion_tokens=9)["max_completion_tokens"] == 9


def test_without_a_limit_the_request_is_that_of_servers_like_it() -> None:
    call = make_call(seed=3)
    assert cloud_chat_body(call) == chat_body(call)
    assert json.loads(cloud_chat_body(call))["seed"] == 5


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "function_call"])
def test_each_documented_finish_reason_stays_with_its_text(reason: str) -> None:
    expected = Answer(text="a", finish_reason=reason, usage=None)
    assert OPENAI_CLOUD.read_answer(completion("a", reason)) == expected
    assert streamed(chunks({"content": "a"}, reason=reason)) == expected


def test_a_reason_that_nobody_has_documented_is_other() -> None:
    expected = Answer(text="a", finish_reason="other", usage=None)
    assert OPENAI_CLOUD.read_answer(completion("a", "eos")) == expected
    assert streamed(chunks({"content": "a"}, reason="eos")) == expected


def test_an_answer_without_a_reason_has_none() -> None:
    assert OPENAI_CLOUD.read_answer(completion("a", None)) == Answer(text="a", finish_reason=None, usage=None)


def test_what_a_filter_left_of_an_answer_is_none() -> None:
    expected = Answer(text=None, finish_reason="content_filter", usage=None)
    assert OPENAI_CLOUD.read_answer(completion("half", "content_filter")) == expected
    assert streamed(chunks({"content": "half"}, reason="content_filter")) == expected


def test_a_refusal_has_no_text_and_a_word_of_its_own() -> None:
    expected = Answer(text=None, finish_reason="refusal", usage=None)
    assert OPENAI_CLOUD.read_answer(completion(None, "stop", refusal="I can't")) == expected
    assert streamed(chunks({"refusal": "I "}, {"refusal": "can't"})) == expected


def test_the_tokens_of_an_answer_that_was_declined_are_still_counted() -> None:
    usage = Usage(prompt=5, completion=1)
    assert declined(Answer(text="x", finish_reason="content_filter", usage=usage)) == Answer(
        text=None, finish_reason="content_filter", usage=usage
    )


def test_a_failure_stays_one() -> None:
    assert declined(empty_answer()) == empty_answer()


def test_a_stream_that_ends_early_is_a_failure_or_the_same_answer_wherever_it_is_cut() -> None:
    data = chunks({"role": "assistant", "content": ""}, {"content": '{"ü": '}, {"content": "1}"})
    whole = streamed(data)
    assert whole == Answer(text='{"ü": 1}', finish_reason="stop", usage=None)
    for length in range(len(data)):
        outcome = streamed(data[:length])
        assert isinstance(outcome, Failure) or (outcome == whole and b"[DONE]" in data[:length])
