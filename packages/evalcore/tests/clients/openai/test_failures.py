"""Every failure that the servers answer with: whose it is, whether and when it is tried again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.failures import Failure, timed_out
from evalcore.clients.openai.failures import classify, stated_failure
from evalcore.structs import JsonObject, JsonValue

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CONTEXT = "This model's maximum context length is 2048 tokens. However, you requested 4030 tokens."


def failed(status: int, body: JsonValue, headers: dict[str, str] | None = None) -> Failure:
    return classify(status, headers or {}, json.dumps(body).encode(), NOW)


def backend(message: str, code: str | int, kind: str = "invalid_request_error") -> JsonObject:
    """A backend's JSON as the gateway hands it on."""
    return {"detail": {"error": {"message": message, "type": kind, "code": code}}}


# Each row: what is answered; then the code, whose fault, whether to retry, for whom, after how long.
ROWS: list[tuple[str, int, JsonValue, tuple[str, str, bool, str, float]]] = [
    ("no key", 401, {"detail": "Missing API key."}, ("unauthorized", "infrastructure", False, "call", 0)),
    ("wrong key", 401, {"detail": "Invalid API key"}, ("unauthorized", "infrastructure", False, "call", 0)),
    (
        "key without the scope",
        403,
        {"detail": "This credential is not permitted to perform that action"},
        ("forbidden", "infrastructure", False, "call", 0),
    ),
    (
        "foreign origin",
        403,
        {"error": {"message": "CSRF origin check failed", "type": "forbidden"}},
        ("forbidden", "infrastructure", False, "call", 0),
    ),
    ("bad JSON", 400, {"detail": "Invalid JSON body"}, ("bad_request", "infrastructure", False, "call", 0)),
    (
        "parameter out of range",
        400,
        {"detail": "Invalid request format: 1 validation error\ntemperature\n  Input should be less"},
        ("bad_request", "infrastructure", False, "call", 0),
    ),
    (
        "too long for the context",
        400,
        backend(CONTEXT, "context_length_exceeded"),
        ("context_length", "model", False, "call", 0),
    ),
    (
        "too long for the context, vLLM's words",
        400,
        backend("This model's maximum context length is 8192 tokens, but you asked for more", 400),
        ("context_length", "model", False, "call", 0),
    ),
    (
        "a backend's own 400",
        400,
        backend("bad thing", 400),
        ("bad_request", "infrastructure", False, "call", 0),
    ),
    ("wrong path", 404, {"detail": "Not Found"}, ("not_found", "infrastructure", False, "call", 0)),
    (
        "model away or unknown",
        404,
        backend("The model 'm' does not exist", "model_not_found"),
        ("model_unavailable", "infrastructure", True, "model", 15),
    ),
    (
        "backends lost meanwhile",
        404,
        {"detail": "Model 'm' not found"},
        ("model_unavailable", "infrastructure", True, "model", 15),
    ),
    (
        "wrong method",
        405,
        {"detail": "Method Not Allowed"},
        ("unexpected_answer", "infrastructure", False, "call", 0),
    ),
    ("body too large", 413, "<html>", ("bad_request", "infrastructure", False, "call", 0)),
    (
        "structured output without content",
        422,
        {"detail": "Structured output was requested but the model returned nothing"},
        ("no_content", "model", False, "call", 0),
    ),
    (
        "data policy",
        422,
        {"error": {"message": "blocked", "type": "dlp_policy_violation", "code": "dlp_blocked"}},
        ("content_refused", "infrastructure", False, "call", 0),
    ),
    (
        "validation of the framework",
        422,
        {"detail": [{"type": "missing", "loc": ["body", "file"], "msg": "Field required"}]},
        ("bad_request", "infrastructure", False, "call", 0),
    ),
    (
        "rate limit",
        429,
        {"detail": "Rate limit exceeded: 30 requests per minute (current: 30)"},
        ("rate_limited", "infrastructure", True, "provider", 60),
    ),
    (
        "token quota",
        429,
        {"detail": "Token quota exceeded"},
        ("quota_exceeded", "infrastructure", False, "provider", 0),
    ),
    (
        "OpenAI's quota",
        429,
        {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
        ("quota_exceeded", "infrastructure", False, "provider", 0),
    ),
    (
        "a backend's own 429",
        429,
        backend("overloaded", 429, "TooManyRequests"),
        ("backend_busy", "infrastructure", True, "model", 5),
    ),
    (
        "500",
        500,
        {"error": {"message": "Internal server error", "type": "server_error"}},
        ("server_error", "infrastructure", True, "call", 0),
    ),
    (
        "502",
        502,
        {"detail": "All 3 backend attempts failed. Last error: All connection attempts failed"},
        ("bad_gateway", "infrastructure", True, "model", 30),
    ),
    (
        "no slot",
        503,
        {"detail": "No backend capacity available (waited 150.0s)"},
        ("no_capacity", "infrastructure", True, "call", 10),
    ),
    (
        "no backend",
        503,
        {"detail": "No healthy backends available"},
        ("model_unavailable", "infrastructure", True, "model", 15),
    ),
    (
        "wrong letter case",
        503,
        {"detail": "No suitable backend: All backends failed constraints: model_not_available"},
        ("model_unavailable", "infrastructure", True, "model", 15),
    ),
    ("a proxy's 504", 504, "<html>", ("server_error", "infrastructure", True, "call", 0)),
    ("Anthropic's overload", 529, {}, ("server_error", "infrastructure", True, "call", 0)),
    ("redirect", 307, "", ("unexpected_answer", "infrastructure", False, "call", 0)),
    ("created", 201, {"id": 1}, ("unexpected_answer", "infrastructure", False, "call", 0)),
]


@pytest.mark.parametrize(
    ("status", "body", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_every_answer_has_one_meaning(
    status: int, body: JsonValue, expected: tuple[str, str, bool, str, float]
) -> None:
    failure = failed(status, body)
    got = (failure.code, failure.fault, failure.retry, failure.scope, failure.wait)
    assert got == expected


def test_rate_limit_costs_no_try_but_a_busy_backend_does() -> None:
    assert failed(429, {"detail": "Rate limit exceeded: 3 requests per minute"}).is_free
    assert not failed(429, backend("overloaded", 429)).is_free


def test_words_of_a_502_are_not_shown() -> None:
    body = {"detail": "Last error: Server error '503' for url 'http://gpu-7.internal:8000/v1/chat'"}
    assert "internal" not in failed(502, body).message


def test_key_repeated_by_the_server_is_not_shown() -> None:
    assert "sk-" not in failed(401, {"error": {"message": "Incorrect API key: sk-abc***xyz"}}).message
    assert "mr2_" not in failed(400, {"detail": "bad header Bearer mr2_secret"}).message


def test_addresses_in_a_400_are_not_shown() -> None:
    words = (
        "upstream http://10.0.0.7:8000/v1 and gpu-7.cluster.local:8000 and 192.168.1.4 refused the field x"
    )
    message = failed(400, {"detail": words}).message
    assert message.endswith("refused the field x")
    for part in ("10.0.0.7", "gpu-7", "8000", "192.168"):
        assert part not in message


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503, 418])
def test_message_is_one_short_line(status: int) -> None:
    message = failed(status, {"detail": "a\x1b[31m\nb\x00 " * 5000}).message
    assert len(message) <= 300
    assert message.isprintable()


@pytest.mark.parametrize(
    "body",
    [
        b'{"detail": "\xff"}',
        b'{"detail": {"error": "\xff"}}',
        b'{"error": {"message": "\xff"}}',
        b"",
        b"<html>Bad Gateway</html>",
        b"\xff\xfe",
        b'"text"',
        b"[]",
        b'{"detail": 5}',
        b'{"error": []}',
    ],
)
def test_unreadable_error_is_told_by_its_status(body: bytes) -> None:
    assert classify(500, {}, body).code == "server_error"
    assert classify(502, {}, body).code == "bad_gateway"
    assert classify(400, {}, body).code == "bad_request"


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_answer_at_all_is_classified(status: int, body: bytes) -> None:
    assert classify(status, {}, body).message


@given(st.binary(max_size=100))
def test_any_error_object_is_classified(error: bytes) -> None:
    assert stated_failure(error).message


def test_error_object_without_a_status_is_a_server_error() -> None:
    assert stated_failure(b'{"message": "boom", "code": "weird"}').code == "server_error"
    assert stated_failure(b'{"message": "boom", "code": 17}').code == "server_error"


def test_context_error_inside_a_stream_is_the_models() -> None:
    message = f"{{'error': {{'message': \"{CONTEXT}\", 'code': 'context_length_exceeded'}}}}"
    error = json.dumps({"message": message, "type": "backend_error", "code": 400}).encode()
    assert stated_failure(error).code == "context_length"
    assert stated_failure(error).fault == "model"


def test_data_policy_inside_a_stream_is_told_apart() -> None:
    message = "{'error': {'message': 'blocked', 'type': 'dlp_policy_violation', 'code': 'dlp_blocked'}}"
    error = json.dumps({"message": message, "code": 422}).encode()
    assert stated_failure(error).code == "content_refused"


@pytest.mark.parametrize("name", ["x", "error", "detail"])
def test_error_nested_without_end_is_told_by_its_status(name: str) -> None:
    nested = b"[" * 100_000 + b"]" * 100_000
    assert classify(500, {}, b'{"%s": %s}' % (name.encode(), nested)).code == "server_error"
    assert classify(500, {}, b'{"error": {"code": %s}}' % nested).code == "server_error"


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("20", 20.0),
        ("2.5", 10.0),  # less than what we wait anyway
        (format_datetime(NOW + timedelta(seconds=45), usegmt=True), 45.0),
        (format_datetime(NOW - timedelta(seconds=45), usegmt=True), 10.0),
        ("86400", 300.0),  # bounded
        ("soon", 10.0),
        ("-5", 10.0),
    ],
)
def test_retry_after_is_honoured_within_bounds(value: str, wait: float) -> None:
    assert failed(503, {"detail": "busy"}, {"retry-after": value}).wait == wait


def test_retry_after_does_not_revive_a_final_failure() -> None:
    assert not failed(400, {"detail": "no"}, {"retry-after": "5"}).retry


def test_silence_is_infrastructures_and_tried_once_more() -> None:
    failure = timed_out(2.0, is_answering=False)
    assert (failure.code, failure.fault, failure.at_most) == ("timeout", "infrastructure", 1)
    assert failure.message == "no answer within 2 s"


def test_answer_that_does_not_end_is_the_models_and_final() -> None:
    failure = timed_out(720.0, is_answering=True)
    assert (failure.code, failure.fault, failure.retry) == ("timeout", "model", False)


# What the servers say of an input that is longer than the model's context: each in its own words.
TOO_LONG = {
    "vLLM": "The decoder prompt (length 5012) is longer than the maximum model length of 4096. Make sure "
    "that `max_model_len` is no smaller than the number of text tokens.",
    "vLLM, older": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    "vLLM, input": "Input length (5000) exceeds model's maximum context length (4096).",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "llama.cpp, counted": "request (5012 tokens) exceeds the available context size (4096 tokens)",
    "llama-cpp-python": "Requested tokens (5012) exceed context window of 4096",
    "TGI": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` "
    "tokens and 20 `max_new_tokens`",
    "TGI, inputs": "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
    "SGLang": "The input (5012 tokens) is longer than the model's context length (4096 tokens).",
    "SGLang, asked": "Requested token count exceeds the model's maximum context length of 4096 tokens.",
    "Mistral": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
    "context length",
    "Mistral, older": "Prompt contains 65673 tokens, too large for model with 32768 max tokens",
    "Mistral, code 3051": "Too many tokens in prompt: max tokens limit exceeded",
    "Gemini": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Anthropic": "prompt is too long: 200251 tokens > 200000 maximum",
    "Anthropic, both": "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "OpenAI": "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "Ollama": "the input length exceeds the context length",
    "TensorRT-LLM": "Prompt length (5012) exceeds maximum input length (4096)",
    "Bedrock": "Input is too long for requested model.",
    "Groq": "Please reduce the length of the messages or completion.",
    "exllama": "Prompt length 5012 is greater than max_seq_len 4096",
    "DashScope": "Range of input length should be [1, 30720]",
    "LM Studio": "Trying to keep the first 5012 tokens when context the overflows. However, the model is "
    "loaded with context length of only 4096 tokens",
}


@pytest.mark.parametrize("words", TOO_LONG.values(), ids=TOO_LONG.keys())
@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_too_long_for_the_context_is_the_models_failure_in_whatever_words(words: str, status: int) -> None:
    bodies: list[JsonValue] = [
        backend(words, status, "BadRequestError"),
        {"detail": words},
        {"error": words, "error_type": "validation"},
        {"error": {"message": words, "type": None, "code": None, "param": None}},
        {"object": "error", "message": words, "type": "BadRequestError", "param": None, "code": status},
        {"detail": {"object": "error", "message": words, "code": status}},
        [{"error": {"code": status, "message": words, "status": "INVALID_ARGUMENT"}}],
    ]
    for body in bodies:
        failure = failed(status, body)
        assert (failure.code, failure.fault, failure.retry) == ("context_length", "model", False), body
        assert words[:40] in failure.message


@pytest.mark.parametrize(
    "sign",
    [
        {"type": "exceed_context_size_error"},
        {"type": "context_length_exceeded"},
        {"code": "context_length_exceeded"},
        {"code": "context_window_exceeded"},
        {"code": "3051"},
        {"code": 3051},
    ],
)
def test_the_kind_and_the_code_tell_it_where_the_words_do_not(sign: JsonObject) -> None:
    for body in ({"error": {"message": "no", **sign}}, {"object": "error", "message": "no", **sign}):
        assert failed(400, body).code == "context_length"


@pytest.mark.parametrize(
    "words",
    [
        "the context of the request is not valid",
        "max_tokens must be at least 1",
        "too many requests",
        "length of schema name is over 64",
        "unknown field: context_size_hint",
        "Request too large for model `m`: tokens per minute (TPM): Limit 6000",
    ],
)
def test_other_refusals_are_not_taken_for_it(words: str) -> None:
    assert failed(400, backend(words, 400)).code == "bad_request"


@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "message": "bad thing", "code": 400},
        {"message": "bad thing", "http_status_code": 400},
        {"error": {"message": "bad thing", "code": 4.5, "type": ["x"]}},
        {"error": {"message": {"text": "bad thing"}}},
        {"error": {"detail": "bad thing"}},
        {"error": {"msg": "bad thing"}},
        {"errors": ["bad thing"]},
        {"detail": [{"type": "missing", "loc": ["body"], "msg": "bad thing"}]},
        {"detail": {"message": "bad thing"}},
        {"type": "error", "error": {"type": "invalid_request_error", "message": "bad thing"}},
        ["bad thing"],
        "bad thing",
    ],
)
def test_a_refusals_words_are_never_lost(body: JsonValue) -> None:
    assert "bad thing" in failed(400, body).message


def test_a_refusal_in_plain_text_keeps_its_words_and_a_page_of_html_does_not() -> None:
    assert "bad thing" in classify(400, {}, b"bad thing\n", NOW).message
    assert classify(400, {}, b"\xef\xbb\xbf" + b'{"detail": "bad thing"}', NOW).message.endswith("bad thing")
    for page in (b"<html><body>bad thing", b"  <!DOCTYPE html>bad thing", b"\xff\xfebad thing"):
        assert "bad thing" not in classify(400, {}, page, NOW).message


FIELDS = st.sampled_from(["error", "message", "code", "type", "detail", "object", "msg"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner), max_leaves=12))
def test_any_json_in_an_error_is_read_without_a_crash(body: JsonValue) -> None:
    assert failed(400, body).code in {"bad_request", "context_length", "content_refused", "no_content"}
