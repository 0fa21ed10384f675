"""Calls to each provider of the cloud over real HTTP: what an answer, a refusal and a failure become."""

import json

import pytest

from evalsim.cloud import CloudFault, CloudModel
from evalsim.cloud.app import THOUGHT

KINDS = ("anthropic", "openai", "google")
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
EACH = pytest.mark.parametrize("kind", KINDS)
EXPECTED = {"title": "Soil and carbon", "year": 2026}
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["title", "year"],
}


@EACH
@BOTH
def test_an_answer_comes_with_its_usage(cloud, kind, stream):
    (reply,) = cloud(kind).ask(stream=stream)
    assert json.loads(reply.text) == EXPECTED
    assert reply.error is None
    assert reply.finish_reason == "stop"
    assert reply.usage.prompt == 6
    assert reply.usage.completion == 10


@EACH
@BOTH
def test_a_schema_that_is_asked_for_is_one_that_the_provider_takes(cloud, kind, stream):
    (reply,) = cloud(kind).ask(schema=SCHEMA, stream=stream)
    assert reply.error is None
    asked = {"note": None} if kind == "openai" else {}
    assert json.loads(reply.text) == {**EXPECTED, **asked}


@BOTH
def test_anthropics_forced_tool_gives_its_input_as_the_answer(cloud, stream):
    large = {**SCHEMA, "properties": SCHEMA["properties"] | {f"p{n}": {"type": "string"} for n in range(30)}}
    (reply,) = cloud("anthropic").ask(schema=large, stream=stream)
    assert json.loads(reply.text) == EXPECTED
    assert reply.finish_reason == "tool_use"


@EACH
@BOTH
def test_a_thought_is_no_answer_and_is_counted(cloud, kind, stream):
    (reply,) = cloud(kind, faults=(CloudFault(kind="thinking"),)).ask(stream=stream)
    assert json.loads(reply.text) == EXPECTED
    assert THOUGHT not in reply.text
    assert reply.usage.thinking == 17
    assert reply.usage.completion == 10 + 17


@EACH
@BOTH
def test_cached_tokens_are_counted_within_the_prompts(cloud, kind, stream):
    (reply,) = cloud(kind, faults=(CloudFault(kind="cached"),)).ask(stream=stream)
    assert (reply.usage.prompt, reply.usage.cache_read) == (6, 3)


@EACH
@BOTH
@pytest.mark.parametrize(
    ("fault", "finish"), [("refusal", {"google": "content_filter"}), ("blocked", {"anthropic": "refusal"})]
)
def test_an_answer_that_was_declined_is_the_models_own_and_has_no_text(cloud, kind, stream, fault, finish):
    (reply,) = cloud(kind, faults=(CloudFault(kind=fault),)).ask(stream=stream)
    assert reply.text is None
    assert reply.error is None
    assert reply.finish_reason == finish.get(kind, "refusal" if fault == "refusal" else "content_filter")
    assert reply.usage is not None
    assert reply.attempts == 1


@EACH
@BOTH
def test_an_answer_cut_at_its_limit_is_known_by_the_word_length(cloud, kind, stream):
    (reply,) = cloud(kind, faults=(CloudFault(kind="max_tokens"),)).ask(stream=stream)
    assert reply.finish_reason == "length"
    assert reply.text


@BOTH
def test_an_answer_cut_at_the_context_counts_as_cut_too(cloud, stream):
    (reply,) = cloud("anthropic", faults=(CloudFault(kind="context_window"),)).ask(stream=stream)
    assert reply.finish_reason == "length"


@EACH
@BOTH
def test_an_empty_answer_with_a_regular_end_is_the_models_own(cloud, kind, stream):
    (reply,) = cloud(kind, faults=(CloudFault(kind="empty"),)).ask(stream=stream)
    assert not reply.text
    assert (reply.error, reply.finish_reason, reply.attempts) == (None, "stop", 1)


@EACH
@BOTH
def test_a_finish_reason_that_nobody_has_documented_is_other(cloud, kind, stream):
    (reply,) = cloud(kind, faults=(CloudFault(kind="odd_finish"),)).ask(stream=stream)
    assert (reply.finish_reason, json.loads(reply.text)) == ("other", EXPECTED)


@EACH
def test_an_answer_without_counts_has_none(cloud, kind):
    (reply,) = cloud(kind, faults=(CloudFault(kind="no_usage"),)).ask()
    assert reply.usage is None
    assert json.loads(reply.text) == EXPECTED


@EACH
@BOTH
@pytest.mark.parametrize("fault", ["cut", "garbage"])
def test_an_answer_that_breaks_off_is_asked_for_again(cloud, kind, stream, fault):
    (reply,) = cloud(kind, faults=(CloudFault(kind=fault, times=1),)).ask(stream=stream)
    assert (json.loads(reply.text), reply.attempts) == (EXPECTED, 2)


@EACH
def test_a_rate_limit_is_waited_out_for_as_long_as_it_says(cloud, kind):
    (reply,) = cloud(kind, faults=(CloudFault(kind="rate_limited", times=1, seconds=0.2),)).ask()
    assert (json.loads(reply.text), reply.attempts) == (EXPECTED, 2)


@EACH
@pytest.mark.parametrize(
    ("fault", "code", "fault_of"),
    [
        ("quota", "quota_exceeded", "infrastructure"),
        ("context", "context_length", "model"),
    ],
)
def test_what_no_waiting_ends_is_final_at_once(cloud, kind, fault, code, fault_of):
    (reply,) = cloud(kind, faults=(CloudFault(kind=fault),)).ask()
    assert (reply.error.code, reply.error.fault, reply.attempts) == (code, fault_of, 1)


@EACH
def test_a_model_that_the_provider_does_not_know_is_named_so(cloud, kind):
    (reply,) = cloud(kind).ask(model="unheard-of")
    assert reply.error.code == "unknown_model"
    assert reply.attempts == 1


@EACH
def test_a_parameter_that_the_model_refuses_is_named_and_never_dropped(cloud, kind):
    here = cloud(kind, models=(CloudModel(id="m", is_reasoning=True),))
    (reply,) = here.ask(params={"temperature": 0.1})
    assert reply.error.code == "parameter_refused"
    assert "`temperature`" in reply.error.message
    assert b"temperature" in here.app.seen[-1].body


@EACH
def test_a_parameter_that_the_provider_does_not_know_is_named(cloud, kind):
    (reply,) = cloud(kind).ask(params={"warp_factor": 9})
    assert reply.error.code == "parameter_refused"
    assert "`warp" in reply.error.message


@EACH
def test_the_limit_of_tokens_goes_by_the_providers_name_for_it(cloud, kind):
    here = cloud(kind)
    here.ask(params={"max_tokens": 77, "top_p": 0.5})
    body = json.loads(here.app.seen[-1].body)
    names = {"anthropic": "max_tokens", "openai": "max_completion_tokens"}
    if kind == "google":
        assert body["generationConfig"] == {"maxOutputTokens": 77, "topP": 0.5}
    else:
        assert (body[names[kind]], body["top_p"]) == (77, 0.5)
        assert kind == "anthropic" or "max_tokens" not in body


@EACH
def test_the_key_goes_into_its_header_and_nowhere_else(cloud, kind):
    here = cloud(kind)
    here.ask()
    seen = here.app.seen[-1]
    holding = [name for name, value in seen.headers.items() if f"key-{kind}" in value]
    assert holding == [
        {"anthropic": "x-api-key", "openai": "authorization", "google": "x-goog-api-key"}[kind]
    ]
    assert f"key-{kind}".encode() not in seen.body
    assert "key-" not in seen.path


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_calls_are_paced_so_that_no_429_comes(cloud, kind):
    here = cloud(kind, requests_per_minute=1200)
    here.app.drain(to=4)
    replies = here.ask(12, first=1)
    assert [reply.error for reply in replies] == [None] * 13
    assert here.app.refused_for_rate == 0
