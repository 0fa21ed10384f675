"""Each provider by itself: its list of models, its answers whole and in pieces, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from evalcore.clients.failures import Failure
from evalcore.clients.registry import dialect_of
from evalcore.clients.reply import Answer, Usage
from evalcore.library.models import BUILT_IN
from evalsim.cloud.anthropic import ANTHROPIC
from evalsim.cloud.config import CloudConfig, CloudModel
from evalsim.cloud.google import GOOGLE
from evalsim.cloud.openai import OPENAI
from evalsim.cloud.vendor import (
    Refused,
    Spoken,
    as_list,
    as_number,
    as_object,
    as_text,
    event,
    pieces,
)

VENDORS = {"anthropic": ANTHROPIC, "openai": OPENAI, "google": GOOGLE}
MODEL = CloudModel(id="m", most_tokens=100)
REASONING = CloudModel(id="m", most_tokens=100, is_reasoning=True)
PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/chat/completions",
    "google": "/v1beta/models/m:generateContent",
}
HEADERS = {"anthropic-version": "2023-06-01"}


def body_of(kind, **fields):
    if kind == "google":
        return {"contents": [{"role": "user", "parts": [{"text": "the input"}]}]} | fields
    body = {"model": "m", "messages": [{"role": "user", "content": "the input"}]}
    return body | ({"max_tokens": 100} if kind == "anthropic" else {}) | fields


def asked(kind, model=MODEL, **fields):
    vendor, body = VENDORS[kind], body_of(kind, **fields)
    request = vendor.read(PATHS[kind], "", HEADERS, body)
    vendor.check(body, request, model)
    return request


def refused(kind, model=MODEL, **fields):
    with pytest.raises(Refused) as caught:
        asked(kind, model, **fields)
    return caught.value.status, json.loads(caught.value.body)["error"]["message"]


def spoken(text='{"a": "Ünïcode, and longer than one piece of a stream"}', **fields):
    values = {
        "text": text,
        "thought": None,
        "prompt_tokens": 20,
        "completion_tokens": 7,
        "thinking_tokens": 0,
        "cached_tokens": 0,
        "fault": None,
        "is_cut": False,
        "as_tool": False,
    }
    return msgspec.convert(values | fields, Spoken)


def read_whole(kind, said):
    body = msgspec.json.encode(VENDORS[kind].whole(said, MODEL))
    return dialect_of(BUILT_IN[kind]).read_answer(body)


def read_stream(kind, said):
    reader = dialect_of(BUILT_IN[kind]).read_stream()
    for part in VENDORS[kind].events(said, MODEL):
        reader.feed(part)
    return reader.end()


SAID = [
    spoken(),
    spoken(""),
    spoken(thought="The user wants it.", thinking_tokens=5),
    spoken(cached_tokens=10),
    spoken(is_cut=True),
    spoken(fault="refusal"),
    spoken(fault="blocked"),
    spoken(fault="empty"),
    spoken(fault="odd_finish"),
    spoken(fault="no_usage"),
]


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.fault} {said.is_cut} {bool(said.thought)}")
def test_an_answer_in_pieces_reads_as_the_whole_one(kind, said):
    whole = read_whole(kind, said)
    assert isinstance(whole, Answer)
    streamed = read_stream(kind, said)
    if kind == "anthropic" and said.fault == "no_usage":
        # its streams always count
        assert (streamed.text, whole.usage) == (whole.text, None)
    else:
        assert (streamed.text or "", streamed.finish_reason, streamed.usage) == (
            whole.text or "",
            whole.finish_reason,
            whole.usage,
        )


@pytest.mark.parametrize("kind", VENDORS)
def test_every_token_is_counted_once(kind):
    said = spoken(thought="Hm.", thinking_tokens=5, cached_tokens=10)
    assert read_whole(kind, said).usage == Usage(prompt=20, completion=12, cache_read=10, thinking=5)


@pytest.mark.parametrize("kind", VENDORS)
def test_the_text_is_what_was_said_and_the_thought_is_not(kind):
    said = spoken(thought="The user wants it.")
    assert read_whole(kind, said).text == said.text
    assert read_stream(kind, said).text == said.text


@pytest.mark.parametrize("kind", VENDORS)
def test_a_stream_that_ends_in_an_error_is_a_failure(kind):
    reader = dialect_of(BUILT_IN[kind]).read_stream()
    for part in [*VENDORS[kind].events(spoken(), MODEL)[:2], VENDORS[kind].error_event()]:
        reader.feed(part)
    outcome = reader.end()
    assert isinstance(outcome, Failure)
    assert outcome.retry


@pytest.mark.parametrize("kind", VENDORS)
def test_the_list_of_models_is_one_that_the_client_reads(kind):
    models = VENDORS[kind].models((CloudModel(id="a"), CloudModel(id="b")))
    served = dialect_of(BUILT_IN[kind]).read_served(msgspec.json.encode(models), None)
    assert list(served.models) == ["a", "b"]


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("rate_limited", "rate_limited"),
        ("overloaded", "no_capacity"),
        ("unauthorized", "unauthorized"),
        ("quota", "quota_exceeded"),
        ("context", "context_length"),
        ("server_error", "server_error"),
    ],
)
def test_each_refusal_is_the_one_that_the_client_takes_it_for(kind, fault, code):
    found = VENDORS[kind].fault(fault, 7.0)
    failure = dialect_of(BUILT_IN[kind]).read_failure(found.status, dict(found.headers), found.body, None)
    assert failure.code == code
    assert fault != "rate_limited" or failure.wait == 7.0


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize("fault", ["refusal", "thinking", "cut", "garbage", "no_usage", "cached"])
def test_what_is_wrong_with_an_answer_is_no_refusal(kind, fault):
    assert VENDORS[kind].fault(fault, None) is None


@pytest.mark.parametrize("kind", VENDORS)
def test_a_model_that_is_not_there_is_named(kind):
    found = VENDORS[kind].unknown_model("gone-1")
    assert found.status == 404
    assert b"gone-1" in found.body
    failure = dialect_of(BUILT_IN[kind]).read_failure(404, {}, found.body, None)
    assert failure.code == "unknown_model"


# requests


@pytest.mark.parametrize("kind", VENDORS)
def test_a_request_is_read_for_what_decides_the_answer(kind):
    request = asked(kind)
    assert (request.model, request.user, request.stream, request.schema) == ("m", "the input", False, None)


@pytest.mark.parametrize("kind", VENDORS)
def test_only_calls_of_models_are_calls(kind):
    vendor = VENDORS[kind]
    assert vendor.is_call(PATHS[kind])
    for path in ("/", "/v1/models", "/v1beta/models", PATHS[kind] + "/", "/x" + PATHS[kind]):
        assert not vendor.is_call(path)


@pytest.mark.parametrize("kind", VENDORS)
def test_more_tokens_than_the_model_has_are_refused_with_the_most(kind):
    fields = {"generationConfig": {"maxOutputTokens": 101}} if kind == "google" else {"max_tokens": 101}
    status, words = refused(kind, **fields)
    assert status == 400
    assert "100" in words


@pytest.mark.parametrize("kind", VENDORS)
def test_a_call_without_a_message_is_refused(kind):
    status, words = refused(kind, **{"contents" if kind == "google" else "messages": []})
    assert status == 400
    assert words


def test_a_model_of_openais_that_reasons_refuses_what_others_take():
    for fields in ({"max_tokens": 5}, {"seed": 1}, {"temperature": 0.5}):
        assert asked("openai", **fields)
        status, words = refused("openai", REASONING, **fields)
        assert status == 400
        assert next(iter(fields)) in words
    assert asked("openai", REASONING, max_completion_tokens=5, temperature=1)


def test_openai_takes_one_limit_of_tokens():
    assert refused("openai", max_tokens=5, max_completion_tokens=5)[0] == 400


def test_anthropic_compiles_no_schema_of_a_tool():
    open_schema = {"type": "object", "properties": {}}
    tool = {"name": "answer", "input_schema": open_schema}
    request = asked("anthropic", tools=[tool], tool_choice={"type": "tool", "name": "answer"})
    assert (request.as_tool, request.schema) == (True, open_schema)
    config = {"format": {"type": "json_schema", "schema": open_schema}}
    status, words = refused("anthropic", output_config=config)
    assert (status, "output_config.format.schema" in words) == (400, True)


def test_google_reads_the_model_and_the_form_of_the_answer_from_the_address():
    body = body_of("google")
    request = GOOGLE.read("/v1beta/models/a%20b:streamGenerateContent", "alt=sse", {}, body)
    assert (request.model, request.stream) == ("a b", True)
    with pytest.raises(Refused):
        GOOGLE.read("/v1beta/models/m:streamGenerateContent", "", {}, body)


# limits in headers


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_a_stated_limit_is_the_one_that_the_client_reads(kind):
    headers = dict(VENDORS[kind].limit_headers(60, 13, 5.0))
    (limit,) = dialect_of(BUILT_IN[kind]).read_limits(headers, datetime.now(UTC))
    assert (limit.unit, limit.limit, limit.remaining) == ("calls", 60.0, 13.0)
    assert 0 < limit.reset <= 5.0


def test_google_states_no_limit():
    assert GOOGLE.limit_headers(60, 13, 5.0) == ()


# parts


def test_an_event_is_one_by_the_standard():
    assert event({"a": 1}) == b'data: {"a":1}\n\n'
    assert event({"a": 1}, "ping") == b'event: ping\ndata: {"a":1}\n\n'


@pytest.mark.parametrize("text", ["", "a", "x" * 24, "x" * 25, "ü" * 100])
def test_pieces_are_the_text_and_none_is_left_out(text):
    found = pieces(text)
    assert "".join(found) == text
    assert len(found) == max(1, -(-len(text) // 24))


def test_what_is_of_another_kind_is_read_as_none_of_it():
    assert (as_object([]), as_list({}), as_text(7), as_number("7")) == ({}, [], "", None)
    assert (as_number(True), as_number(7.5), as_number(7)) == (None, None, 7)


@pytest.mark.parametrize("wrong", [{"models": [], "made_up": 1}, {"models": [{"id": "m", "speed": 1}]}, {}])
def test_a_setting_that_is_not_known_or_missing_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, CloudConfig)
