"""What a failing answer of Google means: `{error: {code, message, status, details}}`; without I/O.

https://cloud.google.com/apis/design/errors, https://ai.google.dev/gemini-api/docs/troubleshooting
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from evalcore.clients.context_length import context_length, is_context_length
from evalcore.clients.dialect import UNREADABLE
from evalcore.clients.error_bodies import Stated
from evalcore.clients.failures import (
    Failure,
    by_status,
    out_of_money,
    overloaded,
    parameter_refused,
    rate_limited,
    retry_after_seconds,
    schema_refused,
    server_error,
    unknown_model,
    wait_as_asked,
)
from evalcore.decoding import decode_json
from evalcore.structs import Frozen

_SCHEMA: Final = re.compile(r"response_?(?:json_?)?schema|\bschema\b", re.IGNORECASE)
_UNKNOWN_NAME: Final = re.compile(r'Unknown name "(\w+)"')
_FIELD: Final = re.compile(r"(?:generation_?config|GenerateContentRequest)\.([\w.]+)", re.IGNORECASE)
_PARAMETERS: Final = re.compile(
    r"\b(temperature|top_?[pk]|seed|max_?output_?tokens|thinking_?(?:config|budget|level)|stop_?sequences"
    r"|presence_?penalty|frequency_?penalty|(?:thinking|penalty|logprobs)\b)",
    re.IGNORECASE,
)
_NO_MONEY: Final = ("billing", "prepay", "credits")


class _Violation(Frozen, frozen=True, rename="camel"):
    field: str = ""
    quota_id: str = ""


class _Detail(Frozen, frozen=True, rename="camel"):
    reason: str = ""
    retry_delay: str = ""
    violations: tuple[_Violation, ...] = ()
    field_violations: tuple[_Violation, ...] = ()


class _Error(Frozen, frozen=True):
    code: int = 0
    message: str = ""
    status: str = ""
    details: tuple[_Detail, ...] = ()


class _Body(Frozen, frozen=True):
    error: _Error = _Error()


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime | None) -> Failure:
    """Say what an HTTP answer that is not 200 means."""
    wait = retry_after_seconds(headers.get("retry-after"), now)
    return wait_as_asked(_by_status(status, _read(body), wait), headers, now)


def stated_failure(body: bytes) -> Failure:
    """Say what an error inside an HTTP 200 means; its code is the status."""
    error = _read(body)
    return _by_status(error.code, error, None) if error.code >= 400 else server_error(error.message)  # noqa: PLR2004


def _read(body: bytes) -> _Error:
    try:
        if body.lstrip().startswith(b"["):
            # a stream that is refused has its error in a list
            bodies = decode_json(body, list[_Body])
            return bodies[0].error if bodies else _Error()
        return decode_json(body, _Body).error
    except UNREADABLE:
        return _Error()


def _by_status(status: int, error: _Error, wait: float | None) -> Failure:
    words = error.message
    match status:
        case 400:
            return _bad_request(status, error)
        case 404:
            return unknown_model(words)
        case 429:
            return _too_many(error, wait)
        case 503:
            return overloaded(status, words)
        case _:
            return by_status(status, words)


def _bad_request(status: int, error: _Error) -> Failure:
    words = error.message
    if any(detail.reason in {"API_KEY_INVALID", "API_KEY_EXPIRED"} for detail in error.details):
        # the key is refused with a 400 here; the words may repeat it
        return by_status(401)
    if is_context_length(Stated(message=words)):
        return context_length(Stated(message=words))
    if error.status == "FAILED_PRECONDITION" and any(sign in words.lower() for sign in _NO_MONEY):
        return out_of_money(words, status)
    fields = [violation.field for detail in error.details for violation in detail.field_violations]
    if _SCHEMA.search(" ".join([words, *fields])):
        return schema_refused(words)
    named = _UNKNOWN_NAME.search(words) or _FIELD.search(words)
    if named is None:
        named = next((found for field in fields if (found := _FIELD.search(field))), None)
    named = named or _PARAMETERS.search(words)
    return by_status(status, words) if named is None else parameter_refused(named[1], words)


def _too_many(error: _Error, wait: float | None) -> Failure:
    quotas = [violation.quota_id for detail in error.details for violation in detail.violations]
    if any("PerDay" in quota for quota in quotas) or any(
        sign in error.message.lower() for sign in _NO_MONEY[1:]
    ):
        # a day's quota comes back tomorrow, a balance when somebody pays
        return msgspec.structs.replace(out_of_money(error.message, 429), scope="model")
    delays = [seconds for detail in error.details if (seconds := _duration(detail.retry_delay)) is not None]
    return rate_limited(error.message, max(delays) if delays else wait)


def _duration(text: str) -> float | None:
    """Read a duration as protobuf's JSON has it: `34s`, `1.5s`."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", text)
    return float(found[1]) if found else None
