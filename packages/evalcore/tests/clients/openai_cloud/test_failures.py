"""What OpenAI's documented errors mean, by status, code, parameter and words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from evalcore.clients.failures import LONGEST_RETRY_AFTER, WAIT_WHEN_BUSY, Failure
from evalcore.clients.openai_cloud.failures import NO_MONEY, classify
from evalcore.structs import JsonValue

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def read(
    status: int,
    message: str = "words",
    code: JsonValue = None,
    param: JsonValue = None,
    kind: str = "invalid_request_error",
    **headers: str,
) -> Failure:
    body = json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}}).encode()
    return classify(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


@pytest.mark.parametrize(
    ("status", "code", "read_as", "retry"),
    [
        (400, None, "bad_request", False),
        (401, "invalid_api_key", "unauthorized", False),
        (403, "unsupported_country_region_territory", "forbidden", False),
        (404, "model_not_found", "unknown_model", False),
        (422, None, "bad_request", False),
        (429, "rate_limit_exceeded", "rate_limited", True),
        (500, None, "server_error", True),
        (503, None, "no_capacity", True),
    ],
)
def test_each_documented_status_has_a_meaning_and_only_what_passes_is_tried_again(
    status: int, code: str | None, read_as: str, *, retry: bool
) -> None:
    failure = read(status, code=code)
    assert (failure.code, failure.retry) == (read_as, retry)


@pytest.mark.parametrize("code", sorted(NO_MONEY))
@pytest.mark.parametrize("status", [400, 403, 429])
def test_a_balance_that_is_used_up_ends_every_call_whatever_the_status(code: str, status: int) -> None:
    for failure in (read(status, code=code), read(status, kind=code)):
        assert (failure.code, failure.scope, failure.retry) == ("quota_exceeded", "provider", False)


def test_an_address_that_is_not_there_is_no_model_that_is_not_there() -> None:
    assert read(404, "Invalid URL (POST /v2/chat)").code == "not_found"
    assert read(404, "The model `x` does not exist or you do not have access to it.").code == "unknown_model"


def test_a_request_over_the_limit_by_itself_is_not_tried_again_and_stops_no_other() -> None:
    failure = read(429, "Request too large for gpt-x on tokens per min (TPM): Limit 10, Requested 20.")
    assert (failure.code, failure.scope, failure.retry) == ("rate_limited", "call", False)


@pytest.mark.parametrize(
    ("header", "wait"),
    [("2", 2.0), ("99999", LONGEST_RETRY_AFTER), ("", WAIT_WHEN_BUSY), ("soon", WAIT_WHEN_BUSY)],
)
def test_a_rate_limit_waits_as_its_header_says_within_bounds(header: str, wait: float) -> None:
    failure = read(429, code="rate_limit_exceeded", retry_after=header)
    assert (failure.wait, failure.is_free, failure.scope) == (wait, True, "model")


def test_an_input_over_the_context_is_the_models_own_failure() -> None:
    for failure in (
        read(400, code="context_length_exceeded", param="messages"),
        read(400, "This model's maximum context length is 128000 tokens."),
    ):
        assert (failure.code, failure.fault, failure.retry) == ("context_length", "model", False)


@pytest.mark.parametrize("code", ["content_policy_violation", "invalid_prompt", "content_filter"])
def test_an_input_that_a_policy_refuses_is_the_models_own_outcome(code: str) -> None:
    failure = read(400, code=code)
    assert (failure.code, failure.fault, failure.scope) == ("content_refused", "model", "call")


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Invalid schema for response_format 'answer': In context=(), ...", "response_format"),
        ("Invalid schema for response_format 'answer'", None),
        ("words", "response_format.json_schema.schema"),
    ],
)
def test_a_schema_that_is_not_taken_ends_the_models_run(message: str, param: str | None) -> None:
    failure = read(400, message, param=param)
    assert (failure.code, failure.scope) == ("schema_refused", "model")


@pytest.mark.parametrize(
    ("code", "param", "name"),
    [
        ("unsupported_parameter", "max_tokens", "max_tokens"),
        ("unsupported_value", "temperature", "temperature"),
        ("unknown_parameter", "top_x", "top_x"),
        (None, "reasoning.effort", "reasoning.effort"),
        ("integer_above_max_value", "seed", "seed"),
        ("unknown_parameter", None, "unknown"),
    ],
)
def test_a_parameter_that_is_refused_is_named(code: str | None, param: str | None, name: str) -> None:
    failure = read(400, code=code, param=param)
    assert (failure.code, failure.scope, failure.retry) == ("parameter_refused", "model", False)
    assert f"`{name}`" in failure.message


def test_json_that_is_asked_for_without_the_word_names_the_setting() -> None:
    message = "'messages' must contain the word 'json' in some form, to use 'response_format'"
    assert "structured_output: json_object" in read(400, message, param="messages").message


@pytest.mark.parametrize("param", ["messages", "messages[0].content", "model", "", None])
def test_what_names_the_input_and_no_parameter_concerns_this_call_alone(param: str | None) -> None:
    failure = read(400, param=param)
    assert (failure.code, failure.scope) == ("bad_request", "call")


def test_a_refused_key_is_not_repeated() -> None:
    assert "sk-" not in read(401, "Incorrect API key provided: sk-proj-abc***xyz").message
    assert "sk-" not in read(403, "Project of sk-proj-abc is archived").message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{",
        b"<html>",
        b"[" * 9000,
        b"\xff",
        b'{"error": 7}',
        b'{"error": {"param": 7, "code": 8, "type": [], "message": {}}}',
    ],
)
def test_an_error_without_readable_words_is_still_one(body: bytes) -> None:
    assert classify(503, {}, body, NOW).code == "no_capacity"
    assert classify(429, {}, body, NOW).code == "rate_limited"
    assert classify(400, {}, body, NOW).code == "bad_request"
