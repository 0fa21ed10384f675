"""What Anthropic's documented errors mean, by status, by kind in a stream, and by their words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from evalcore.clients.anthropic.failures import classify, stated_failure
from evalcore.clients.failures import LONGEST_RETRY_AFTER, WAIT_AFTER_503, WAIT_WHEN_BUSY, Failure

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def error(kind: str, message: str) -> bytes:
    stated = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return json.dumps(stated).encode()


def refused(message: str) -> Failure:
    return classify(400, {}, error("invalid_request_error", message), NOW)


DOCUMENTED = [
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (500, "api_error"),
    (504, "timeout_error"),
    (529, "overloaded_error"),
]


@pytest.mark.parametrize(("status", "kind"), DOCUMENTED)
def test_an_error_in_a_stream_means_what_it_means_by_its_status(status: int, kind: str) -> None:
    body = error(kind, "words")
    assert stated_failure(body) == classify(status, {}, body, NOW)


@pytest.mark.parametrize(("status", "kind"), DOCUMENTED)
def test_only_what_passes_is_tried_again(status: int, kind: str) -> None:
    failure = classify(status, {}, error(kind, "words"), NOW)
    assert failure.retry == (status in {429, 500, 504, 529})


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 215000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199000 + 16384 > 200000",
    ],
)
def test_an_input_over_the_context_is_the_models_own_failure_though_a_parameter_is_named(message) -> None:
    failure = refused(message)
    assert (failure.code, failure.fault, failure.retry) == ("context_length", "model", False)


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
    ],
)
def test_a_balance_that_is_used_up_ends_every_call_to_the_provider(message: str) -> None:
    failure = refused(message)
    assert (failure.code, failure.scope, failure.retry) == ("quota_exceeded", "provider", False)


@pytest.mark.parametrize(
    "message",
    [
        "The compiled grammar is too large, which would cause performance issues.",
        "Grammar compilation timed out.",
        "Schema is too complex for compilation.",
        "output_config.format.schema: Too many optional parameters (30)",
        "Schemas contains too many union types",
    ],
)
def test_a_schema_over_the_limits_is_asked_for_in_another_way(message: str) -> None:
    assert refused(message).code == "schema_too_large"


@pytest.mark.parametrize(
    "message",
    [
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be set to false",
        "output_format.schema: Schema type 'x' is not supported",
        "tools.0.custom.input_schema: JSON schema is invalid",
    ],
)
def test_a_schema_that_is_not_taken_ends_the_models_run(message: str) -> None:
    failure = refused(message)
    assert (failure.code, failure.scope) == ("schema_refused", "model")


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("temperature: range: 0..1", "temperature"),
        ("thinking.budget_tokens: Input should be greater than 1024", "thinking"),
        ("seed: Extra inputs are not permitted", "seed"),
        ("`temperature` and `top_p` cannot both be specified for this model.", "temperature"),
        ("`thinking.type` must be `adaptive`", "thinking"),
    ],
)
def test_a_parameter_that_is_refused_is_named(message: str, name: str) -> None:
    failure = refused(message)
    assert (failure.code, failure.scope, failure.retry) == ("parameter_refused", "model", False)
    assert f"`{name}`" in failure.message


@pytest.mark.parametrize(
    "message",
    ["messages: text content blocks must be non-empty", "system: text is empty", "model: x", "something"],
)
def test_what_names_the_input_and_no_parameter_concerns_this_call_alone(message: str) -> None:
    failure = refused(message)
    assert (failure.code, failure.scope, failure.retry) == ("bad_request", "call", False)


def test_a_refused_key_is_not_repeated_from_the_servers_words() -> None:
    body = error("authentication_error", "invalid x-api-key sk-ant-api03-secret")
    assert "secret" not in classify(401, {}, body, NOW).message
    assert (
        "secret" not in classify(403, {}, error("permission_error", "key sk-ant-api03-secret"), NOW).message
    )


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("100000", LONGEST_RETRY_AFTER),
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", WAIT_WHEN_BUSY),
        ("-5", WAIT_WHEN_BUSY),
        ("1e9", WAIT_WHEN_BUSY),
    ],
)
def test_a_rate_limit_waits_as_its_header_says_within_bounds(header: str, wait: float) -> None:
    failure = classify(429, {"retry-after": header}, error("rate_limit_error", "slow"), NOW)
    assert (failure.code, failure.wait, failure.is_free) == ("rate_limited", wait, True)


def test_an_overloaded_provider_is_waited_for_by_all_its_calls_and_no_shorter_for_a_short_header() -> None:
    for header, wait in [("1", WAIT_AFTER_503), ("60", 60.0)]:
        failure = classify(529, {"retry-after": header}, error("overloaded_error", "Overloaded"), NOW)
        assert (failure.code, failure.scope, failure.wait) == ("no_capacity", "provider", wait)


def test_what_is_final_is_not_waited_for_though_a_header_asks_it() -> None:
    assert classify(401, {"retry-after": "60"}, b"", NOW).wait == 0.0


@pytest.mark.parametrize("body", [b"", b"null", b"{", b"<html>", b"[" * 9000, b"\xff\xfe", b'{"error": 7}'])
def test_an_error_without_readable_words_is_still_one(body: bytes) -> None:
    assert stated_failure(body).code == "server_error"
    assert classify(529, {}, body, NOW).code == "no_capacity"
