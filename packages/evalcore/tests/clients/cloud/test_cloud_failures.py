"""What each provider's refusals mean, by their own words: whose failure, for whom, and what to do."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.registry import dialect_of
from evalcore.library.models import BUILT_IN

NOW = datetime(2026, 11, 28, tzinfo=UTC)
KINDS = ("anthropic", "openai", "google")


def read(kind, status, body, headers=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return dialect_of(BUILT_IN[kind]).read_failure(status, headers or {}, data, NOW)


def anthropic(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def openai(message, code=None, param=None, kind="invalid_request_error"):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def google(code, status, message, *details):
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


BAD = "invalid_request_error"
CASES = [
    ("anthropic", 400, anthropic(BAD, "prompt is too long: 3 tokens > 2 maximum"), "context_length", "call"),
    (
        "anthropic",
        400,
        anthropic(BAD, "max_tokens: 9 > 8, which is the maximum"),
        "parameter_refused",
        "model",
    ),
    ("anthropic", 400, anthropic(BAD, "seed: Extra inputs are not permitted"), "parameter_refused", "model"),
    ("anthropic", 400, anthropic(BAD, "`temperature` may only be set to 1"), "parameter_refused", "model"),
    ("anthropic", 400, anthropic(BAD, "thinking.budget_tokens: too low"), "parameter_refused", "model"),
    ("anthropic", 400, anthropic(BAD, "messages: at least one is required"), "bad_request", "call"),
    ("anthropic", 400, anthropic(BAD, "Your credit balance is too low"), "quota_exceeded", "provider"),
    ("anthropic", 400, anthropic(BAD, "The compiled grammar is too large."), "schema_too_large", "call"),
    ("anthropic", 400, anthropic(BAD, "output_config.format.schema: bad"), "schema_refused", "model"),
    ("anthropic", 401, anthropic("authentication_error", "invalid x-api-key"), "unauthorized", "call"),
    ("anthropic", 402, anthropic("billing_error", "pay"), "quota_exceeded", "provider"),
    ("anthropic", 403, anthropic("permission_error", "no"), "forbidden", "call"),
    ("anthropic", 404, anthropic("not_found_error", "model: x"), "unknown_model", "model"),
    ("anthropic", 429, anthropic("rate_limit_error", "slow"), "rate_limited", "model"),
    ("anthropic", 500, anthropic("api_error", "oops"), "server_error", "call"),
    ("anthropic", 504, anthropic("timeout_error", "late"), "server_error", "call"),
    ("anthropic", 529, anthropic("overloaded_error", "Overloaded"), "no_capacity", "provider"),
    ("openai", 400, openai("too long", "context_length_exceeded", "messages"), "context_length", "call"),
    ("openai", 400, openai("no", "unsupported_value", "temperature"), "parameter_refused", "model"),
    ("openai", 400, openai("no", "invalid_value", "max_completion_tokens"), "parameter_refused", "model"),
    ("openai", 400, openai("Invalid schema", None, "response_format"), "schema_refused", "model"),
    (
        "openai",
        400,
        openai("'messages' must contain the word 'json' in some form", None, "messages"),
        "parameter_refused",
        "model",
    ),
    ("openai", 400, openai("flagged", "invalid_prompt"), "content_refused", "call"),
    ("openai", 400, openai("odd", None, "messages[0].content"), "bad_request", "call"),
    ("openai", 401, openai("no", "invalid_api_key"), "unauthorized", "call"),
    ("openai", 404, openai("The model `x` does not exist", "model_not_found"), "unknown_model", "model"),
    ("openai", 429, openai("pay", "insufficient_quota"), "quota_exceeded", "provider"),
    ("openai", 429, openai("off", "billing_not_active"), "quota_exceeded", "provider"),
    ("openai", 429, openai("slow", "rate_limit_exceeded"), "rate_limited", "model"),
    ("openai", 429, openai("Request too large for x on TPM", "rate_limit_exceeded"), "rate_limited", "call"),
    ("openai", 503, openai("Slow down", None, None, "server_error"), "no_capacity", "provider"),
    (
        "google",
        400,
        google(400, "INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"}),
        "unauthorized",
        "call",
    ),
    (
        "google",
        400,
        google(
            400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed 9"
        ),
        "context_length",
        "call",
    ),
    (
        "google",
        400,
        google(400, "INVALID_ARGUMENT", "Unknown name \"topX\" at 'generation_config': Cannot find field."),
        "parameter_refused",
        "model",
    ),
    (
        "google",
        400,
        google(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model."),
        "parameter_refused",
        "model",
    ),
    (
        "google",
        400,
        google(400, "INVALID_ARGUMENT", "GenerateContentRequest.generation_config.response_json_schema: bad"),
        "schema_refused",
        "model",
    ),
    ("google", 400, google(400, "INVALID_ARGUMENT", "contents is not specified"), "bad_request", "call"),
    ("google", 400, google(400, "FAILED_PRECONDITION", "enable billing"), "quota_exceeded", "provider"),
    ("google", 404, google(404, "NOT_FOUND", "models/x is not found"), "unknown_model", "model"),
    ("google", 429, google(429, "RESOURCE_EXHAUSTED", "slow"), "rate_limited", "model"),
    (
        "google",
        429,
        google(429, "RESOURCE_EXHAUSTED", "x", {"violations": [{"quotaId": "GenerateRequestsPerDayX"}]}),
        "quota_exceeded",
        "model",
    ),
    ("google", 503, google(503, "UNAVAILABLE", "overloaded"), "no_capacity", "provider"),
    ("google", 504, google(504, "DEADLINE_EXCEEDED", "late"), "server_error", "call"),
]
FINAL = {
    "parameter_refused",
    "schema_refused",
    "unknown_model",
    "quota_exceeded",
    "unauthorized",
    "bad_request",
}


@pytest.mark.parametrize(("kind", "status", "body", "code", "scope"), CASES)
def test_what_a_refusal_means(kind, status, body, code, scope):
    failure = read(kind, status, body)
    assert (failure.code, failure.scope) == (code, scope)
    assert not (failure.code in FINAL and failure.retry)
    assert failure.fault == ("model" if code in {"context_length", "content_refused"} else "infrastructure")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_proxy_is_read_by_its_status(kind):
    assert read(kind, 502, b"<html>Bad gateway</html>").code == "server_error"


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_a_rate_limit_waits_as_long_as_its_header_says(kind):
    body = anthropic("rate_limit_error", "slow") if kind == "anthropic" else openai("slow")
    failure = read(kind, 429, body, {"retry-after": "17"})
    assert (failure.wait, failure.is_free) == (17.0, True)


def test_a_rate_limit_of_googles_waits_as_long_as_its_retry_info_says():
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    failure = read("google", 429, google(429, "RESOURCE_EXHAUSTED", "slow", info))
    assert (failure.wait, failure.is_free) == (34.5, True)


def test_a_parameter_is_named_as_the_provider_names_it():
    body = openai("Unsupported value", "unsupported_value", "temperature")
    assert "`temperature`" in read("openai", 400, body).message


@pytest.mark.parametrize("kind", KINDS)
@given(status=st.integers(400, 599), body=st.binary(max_size=200))
def test_whatever_comes_is_a_failure(kind, status, body):
    assert read(kind, status, body).message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "type", "code", "param", "details", "reason", "status"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", KINDS)
@given(status=st.integers(400, 599), body=JSON)
def test_whatever_json_comes_is_a_failure(kind, status, body):
    assert read(kind, status, body).message


@pytest.mark.parametrize("kind", KINDS)
@given(body=JSON | st.binary(max_size=100))
def test_whatever_a_200_holds_is_an_answer_or_a_failure(kind, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    dialect_of(BUILT_IN[kind]).read_answer(data)


@pytest.mark.parametrize("kind", KINDS)
@given(
    parts=st.lists(st.binary(max_size=60) | JSON.map(lambda v: b"data: " + json.dumps(v).encode() + b"\n\n"))
)
def test_whatever_a_stream_holds_is_an_answer_or_a_failure(kind, parts):
    reader = dialect_of(BUILT_IN[kind]).read_stream()
    for part in parts:
        if reader.feed(part):
            break
    reader.end()
