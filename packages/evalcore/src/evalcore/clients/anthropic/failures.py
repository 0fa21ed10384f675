"""What a failing answer of Anthropic means: `{type: error, error: {type, message}, request_id}`; without I/O.

https://platform.claude.com/docs/en/api/errors
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from evalcore.clients.context_length import context_length, is_context_length
from evalcore.clients.error_bodies import Stated, read_error, read_words
from evalcore.clients.failures import (
    Failure,
    by_status,
    out_of_money,
    overloaded,
    parameter_refused,
    rate_limited,
    retry_after_seconds,
    schema_refused,
    schema_too_large,
    server_error,
    unknown_model,
    wait_as_asked,
)

OVERLOADED: Final = 529
_STATUS_OF: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": OVERLOADED,
}
"""In a stream the kind alone says what the status would have been."""
_NO_MONEY: Final = ("credit balance", "billing", "usage limits")
_TOO_LARGE: Final = (
    "compiled grammar is too large",
    "grammar compilation timed out",
    "schema is too complex",
)
_TOO_MANY: Final = re.compile(r"too many (?:optional|union|strict)", re.IGNORECASE)
_SCHEMA: Final = re.compile(r"output_config\.format|output_format|input_schema|json schema", re.IGNORECASE)
_NAMED_FIRST: Final = re.compile(r"([a-z_]+)(?:\.[\w.]+)?: ")
_NAMED: Final = re.compile(r"`([a-z_]+)(?:\.[\w.]+)?`")
_CONTENT: Final = frozenset({"messages", "system", "model", "prompt", "error"})
"""What is named and is no parameter of models.yaml's."""


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime | None) -> Failure:
    """Say what an HTTP answer that is not 200 means."""
    failure = _by_status(status, read_words(body), retry_after_seconds(headers.get("retry-after"), now))
    return wait_as_asked(failure, headers, now)


def stated_failure(error: bytes) -> Failure:
    """Say what an error inside an HTTP 200 means."""
    stated = read_error(error) or Stated()
    status = _STATUS_OF.get(stated.kind)
    return server_error(stated.message) if status is None else _by_status(status, stated, None)


def _by_status(status: int, stated: Stated, wait: float | None) -> Failure:
    words = stated.message
    match status:
        case 400:
            return _bad_request(status, stated)
        case 402:
            return out_of_money(words, status)
        case 404:
            return unknown_model(words)
        case 429:
            return rate_limited(words, wait)
        case 503 | 529:
            return overloaded(status, words)
        case _:
            return by_status(status, words)


def _bad_request(status: int, stated: Stated) -> Failure:
    words, lower = stated.message, stated.message.lower()
    if is_context_length(stated):
        return context_length(stated)
    if any(sign in lower for sign in _NO_MONEY):
        return out_of_money(words, status)
    if any(sign in lower for sign in _TOO_LARGE) or _TOO_MANY.search(words):
        return schema_too_large(words)
    if _SCHEMA.search(words):
        return schema_refused(words)
    named = _NAMED_FIRST.match(words) or _NAMED.search(words)
    if named is not None and named[1] not in _CONTENT:
        return parameter_refused(named[1], words)
    return by_status(status, words)
