"""What Google's errors mean, by status, by their details and by their words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from evalcore.clients.failures import LONGEST_RETRY_AFTER, WAIT_WHEN_BUSY, Failure
from evalcore.clients.google.failures import classify, stated_failure
from evalcore.structs import JsonObject

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
RETRY = "type.googleapis.com/google.rpc.RetryInfo"


def error(code: int, status: str, message: str = "words", *details: JsonObject) -> bytes:
    stated = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    return json.dumps(stated).encode()


def refused(message: str, *details: JsonObject, status: str = "INVALID_ARGUMENT") -> Failure:
    return classify(400, {}, error(400, status, message, *details), NOW)


def too_many(*details: JsonObject, message: str = "Resource has been exhausted", **headers: str) -> Failure:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(429, named, error(429, "RESOURCE_EXHAUSTED", message, *details), NOW)


DOCUMENTED = [
    (400, "INVALID_ARGUMENT", "bad_request"),
    (403, "PERMISSION_DENIED", "forbidden"),
    (404, "NOT_FOUND", "unknown_model"),
    (429, "RESOURCE_EXHAUSTED", "rate_limited"),
    (500, "INTERNAL", "server_error"),
    (503, "UNAVAILABLE", "no_capacity"),
    (504, "DEADLINE_EXCEEDED", "server_error"),
]


@pytest.mark.parametrize(("code", "status", "read"), DOCUMENTED)
def test_an_error_in_a_stream_means_what_it_means_by_its_status(code: int, status: str, read: str) -> None:
    body = error(code, status)
    assert stated_failure(body).code == read
    assert stated_failure(body) == classify(code, {}, body, NOW)


@pytest.mark.parametrize(("code", "status", "read"), DOCUMENTED)
def test_only_what_passes_is_tried_again(code: int, status: str, read: str) -> None:
    failure = classify(code, {}, error(code, status), NOW)
    assert failure.retry == (read in {"rate_limited", "server_error", "no_capacity"})


def test_a_refused_stream_has_its_error_in_a_list() -> None:
    body = b"[" + error(404, "NOT_FOUND", "models/x is not found") + b"]"
    assert classify(404, {}, body, NOW) == classify(404, {}, body[1:-1], NOW)
    assert stated_failure(b"[]").code == "server_error"


@pytest.mark.parametrize("reason", ["API_KEY_INVALID", "API_KEY_EXPIRED"])
def test_a_refused_key_is_known_by_its_reason_and_never_repeated(reason: str) -> None:
    failure = refused("API key AIzaSySecret not valid", {"reason": reason})
    assert (failure.code, failure.retry) == ("unauthorized", False)
    assert "AIza" not in failure.message


def test_an_input_over_the_context_is_the_models_own_failure() -> None:
    failure = refused("The input token count (2000) exceeds the maximum number of tokens allowed (1000).")
    assert (failure.code, failure.fault) == ("context_length", "model")


def test_a_balance_that_is_used_up_ends_every_call_to_the_provider() -> None:
    failure = refused("Please enable billing on project x.", status="FAILED_PRECONDITION")
    assert (failure.code, failure.scope, failure.retry) == ("quota_exceeded", "provider", False)


def test_a_place_that_is_not_served_is_no_matter_of_money() -> None:
    failure = refused("User location is not supported for the API use.", status="FAILED_PRECONDITION")
    assert failure.code == "bad_request"


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("Invalid value at 'generation_config.response_json_schema'", []),
        ("words", ["generation_config.response_schema.properties[a]"]),
        ("A schema in GenerationConfig in the request exceeds the maximum allowed nesting depth.", []),
        ("The specified schema produces a constraint that has too many states for serving.", []),
    ],
)
def test_a_schema_that_is_not_taken_ends_the_models_run(message: str, fields: list[str]) -> None:
    violations = [{"field": field, "description": "x"} for field in fields]
    failure = refused(message, {"fieldViolations": violations})
    assert (failure.code, failure.scope) == ("schema_refused", "model")


@pytest.mark.parametrize(
    ("message", "field", "name"),
    [
        ("Invalid JSON payload received. Unknown name \"topX\" at 'generation_config'", None, "topX"),
        ("* GenerateContentRequest.generation_config.temperature: must be in [0, 2]", None, "temperature"),
        ("words", "generationConfig.topK", "topK"),
        ("Penalty is not enabled for models/x", None, "Penalty"),
        ("max_output_tokens must be positive", None, "max_output_tokens"),
        ("The thinking budget 5 is invalid", None, "thinking"),
    ],
)
def test_a_parameter_that_is_refused_is_named(message: str, field: str | None, name: str) -> None:
    details: list[JsonObject] = [] if field is None else [{"fieldViolations": [{"field": field}]}]
    failure = refused(message, *details)
    assert (failure.code, failure.scope, failure.retry) == ("parameter_refused", "model", False)
    assert name in failure.message


# how long a limit lasts


@pytest.mark.parametrize(
    ("delay", "wait"),
    [("34s", 34.0), ("1.5s", 1.5), ("0s", 0.0), ("99999s", LONGEST_RETRY_AFTER)],
)
def test_a_rate_limit_waits_as_its_details_say_within_bounds(delay: str, wait: float) -> None:
    failure = too_many({"@type": RETRY, "retryDelay": delay})
    assert (failure.code, failure.wait, failure.scope) == ("rate_limited", wait, "model")


@pytest.mark.parametrize("delay", ["", "34", "-5s", "1e9s", "soon", "34s34s"])
def test_a_delay_that_is_none_is_not_read(delay: str) -> None:
    assert too_many({"@type": RETRY, "retryDelay": delay}).wait == WAIT_WHEN_BUSY


def test_of_several_delays_the_longest_counts() -> None:
    details: list[JsonObject] = [{"retryDelay": "3s"}, {"retryDelay": "30s"}, {"retryDelay": "7s"}]
    assert too_many(*details).wait == 30.0


def test_a_header_counts_where_the_details_say_nothing_or_less() -> None:
    assert too_many(retry_after="12").wait == 12.0
    assert too_many({"retryDelay": "3s"}, retry_after="12").wait == 12.0
    assert too_many({"retryDelay": "40s"}, retry_after="12").wait == 40.0


def test_the_quota_of_a_day_ends_the_models_run_and_no_other_models() -> None:
    quota = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    failure = too_many({"violations": [{"quotaId": quota}]}, {"retryDelay": "30s"})
    assert (failure.code, failure.scope, failure.retry) == ("quota_exceeded", "model", False)


def test_the_quota_of_a_minute_is_waited_for() -> None:
    violations = [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}]
    assert too_many({"violations": violations}).retry


def test_a_prepaid_balance_that_is_used_up_is_no_rate_limit() -> None:
    assert too_many(message="Your prepayment credits are depleted.").code == "quota_exceeded"


def test_the_word_billing_in_the_words_of_a_rate_limit_is_only_advice() -> None:
    failure = too_many(message="You exceeded your current quota, please check your plan and billing details.")
    assert (failure.code, failure.retry) == ("rate_limited", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{",
        b"[{",
        b"<html>",
        b"[" * 9000,
        b"\xff\xfe",
        b'{"error": 7}',
        b'{"error": {"code": "x"}}',
    ],
)
def test_an_error_without_readable_words_is_still_one(body: bytes) -> None:
    assert stated_failure(body).code == "server_error"
    assert classify(503, {}, body, NOW).code == "no_capacity"
    assert classify(429, {}, body, NOW).wait == WAIT_WHEN_BUSY
