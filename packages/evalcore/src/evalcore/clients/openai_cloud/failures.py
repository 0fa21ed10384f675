"""What a failing answer of OpenAI's own service means: `{error: {message, type, param, code}}`; without I/O.

https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evalcore.clients.context_length import context_length, is_context_length
from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.error_bodies import Stated, read_words
from evalcore.clients.failures import (
    Failure,
    by_status,
    content_refused,
    out_of_money,
    overloaded,
    parameter_refused,
    rate_limited,
    retry_after_seconds,
    schema_refused,
    unknown_model,
    wait_as_asked,
    with_words,
)
from evalcore.decoding import decode_json
from evalcore.structs import Frozen

NO_MONEY: Final = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "access_terminated",
        "quota_exceeded",
    }
)
_PARAMETER: Final = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_POLICY: Final = frozenset({"content_policy_violation", "invalid_prompt", "content_filter"})
_CONTENT: Final = ("messages", "model")
"""What `param` may name that is no parameter of models.yaml's."""


class _Error(Frozen, frozen=True):
    param: str | None = None


class _Body(Frozen, frozen=True):
    error: _Error | None = None


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime | None) -> Failure:
    """Say what an HTTP answer that is not 200 means."""
    wait = retry_after_seconds(headers.get("retry-after"), now)
    return wait_as_asked(_by_status(status, read_words(body), _param(body), wait), headers, now)


def _param(body: bytes) -> str:
    try:
        read = decode_json(body, _Body)
    except UNREADABLE:
        return ""
    return (read.error.param or "") if read.error is not None else ""


def _by_status(status: int, stated: Stated, param: str, wait: float | None) -> Failure:  # noqa: PLR0911 - a table
    if stated.code in NO_MONEY or stated.kind in NO_MONEY:
        return out_of_money(stated.message, status)
    match status:
        case 400 | 422:
            return _bad_request(status, stated, param)
        case 404 if stated.code == "model_not_found" or "model" in stated.message.lower():
            return unknown_model(stated.message)
        case 429 if "request too large" in stated.message.lower():
            # over the limit by itself, so that no waiting helps
            message = with_words("one request is over the account's rate limit (429)", stated.message)
            return Failure(code="rate_limited", message=message)
        case 429:
            return rate_limited(stated.message, wait)
        case 503:
            return overloaded(status, stated.message)
        case _:
            return by_status(status, stated.message)


def _bad_request(status: int, stated: Stated, param: str) -> Failure:  # noqa: PLR0911 - a table
    words, lower = stated.message, stated.message.lower()
    if is_context_length(stated):
        return context_length(stated)
    if stated.code in _POLICY:
        return content_refused(words)
    if param.startswith("response_format") or "invalid schema for response_format" in lower:
        return schema_refused(words)
    if "must contain the word 'json'" in lower:
        return parameter_refused("structured_output: json_object", words)
    name = param.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if name and name not in _CONTENT:
        return parameter_refused(param, words)
    if stated.code in _PARAMETER:
        return parameter_refused(name or "unknown", words)
    return by_status(status, words)
