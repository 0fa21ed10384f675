"""Why a call gave no answer, and what to do about it: every failure of the servers, without I/O.

`docs/mindrouter.md` gives the table behind this module, with the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from evalcore.clients.error_bodies import (
    Stated,
    read_error,
    read_error_object,
    retry_after_seconds,
    safe_text,
    unquoted,
)
from evalcore.clients.reply import CallError, Fault, Usage
from evalcore.structs import Frozen

Code = Literal[
    "backend_busy",
    "bad_gateway",
    "bad_request",
    "connection_lost",
    "content_refused",
    "context_length",
    "empty_answer",
    "forbidden",
    "model_unavailable",
    "no_capacity",
    "no_choices",
    "no_content",
    "not_found",
    "quota_exceeded",
    "rate_limited",
    "refused_stream",
    "server_error",
    "timeout",
    "too_large",
    "unauthorized",
    "unexpected_answer",
    "unreachable",
    "unreadable_answer",
]
"""What went wrong. Stable: kept in replies.jsonl."""

Scope = Literal["call", "model", "provider"]
"""Whom a failure concerns: this call, every call to the model, or every call to the provider."""

RATE_WINDOW = 60.0
"""Seconds of MindRouter's fixed window of requests per minute."""
HOLD_AFTER_502 = 30.0
"""Seconds; a backend taken off by the circuit breaker came back after 20-30 s."""
HOLD_AFTER_404 = 15.0
"""Seconds; half of the above, since the breaker may have tripped some time ago."""
WAIT_AFTER_503 = 10.0
"""Seconds; the gateway has itself waited up to 150 s for a slot."""
WAIT_WHEN_BUSY = 5.0
"""Seconds; for a 429 that a backend sends."""
WAIT_WHEN_UNREACHABLE = 10.0
"""Seconds; a server that is being restarted is back within four of these."""
LONGEST_RETRY_AFTER = 300.0
"""Seconds; a server that asks for more is asked again after this."""


class Answer(Frozen, frozen=True):
    """A whole answer of a model. `text` is None where it had no content."""

    text: str | None
    finish_reason: str | None
    usage: Usage | None


class Failure(Frozen, frozen=True):
    """Why an attempt gave no answer, and how to go on."""

    code: Code
    message: str
    fault: Fault = "infrastructure"
    retry: bool = False
    scope: Scope = "call"
    wait: float = 0.0
    """Seconds to wait at least before the next attempt of everybody in `scope`."""
    is_free: bool = False
    """Whether waiting it out costs no try (the server counted nothing, and said so)."""
    at_most: int | None = None
    """How often one call may retry after this very failure, where less than the policy allows."""

    @property
    def error(self) -> CallError:
        """What is kept in the reply."""
        return CallError(fault=self.fault, code=self.code, message=self.message)


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> Failure:
    """Say what an HTTP answer that is not 200 means; `now` reads a Retry-After that is a date."""
    failure = _by_status(status, read_error(body))
    asked = retry_after_seconds(headers.get("retry-after"), now)
    if asked is None or not failure.retry:
        return failure
    wait = max(failure.wait, min(asked, LONGEST_RETRY_AFTER))
    return msgspec.structs.replace(failure, wait=wait)


def stated_failure(error: bytes) -> Failure:
    """Say what an error object inside an HTTP 200 means; its `code` is a status where it is a number."""
    stated = read_error_object(error)
    stated = msgspec.structs.replace(stated, message=unquoted(stated.message))
    if isinstance(stated.code, int) and 400 <= stated.code <= 599:  # noqa: PLR2004 - the HTTP errors
        # the backend's own JSON arrives as text here, so that only the wording is left to go by
        return _by_status(stated.code, stated)
    return server_error(stated.message)


def _by_status(status: int, stated: Stated) -> Failure:
    """The table of docs/mindrouter.md."""
    read = _BY_STATUS.get(status)
    if read is not None:
        return read(status, stated)
    if status >= 500:  # noqa: PLR2004 - the servers' errors
        return server_error(stated.message, status)
    told = _told(f"the server answered {status}", stated.message)
    return Failure(code="unexpected_answer", message=told)


def _unauthorized(_status: int, _stated: Stated) -> Failure:
    # the server's text may repeat the key
    return Failure(code="unauthorized", message="the key is not accepted (401)")


def _forbidden(_status: int, stated: Stated) -> Failure:
    return Failure(code="forbidden", message=_told("not permitted (403)", stated.message))


def _passing(status: int, stated: Stated) -> Failure:
    return server_error(stated.message, status)


def _refused_request(status: int, stated: Stated) -> Failure:
    words = stated.message.lower()
    if _is_context_length(stated.code, words):
        told = _told("the input is too long for the model's context", stated.message)
        return Failure(code="context_length", message=told, fault="model")
    if status == 422 and "structured output" in words:  # noqa: PLR2004 - content null, on MindRouter
        told = "the model gave no content for the structured output asked of it"
        return Failure(code="no_content", message=told, fault="model")
    if stated.kind == "dlp_policy_violation" or stated.code == "dlp_blocked" or "dlp" in words:
        return Failure(code="content_refused", message="the gateway's data policy refused the request")
    return Failure(code="bad_request", message=_told(f"the request was refused ({status})", stated.message))


def _is_context_length(code: str | int | None, words: str) -> bool:
    return (
        code == "context_length_exceeded"
        or "context_length_exceeded" in words
        or "context length" in words
        or "context window" in words
        or "maximum context" in words
        or "prompt is too long" in words
    )


def _not_found(_status: int, stated: Stated) -> Failure:
    words = stated.message.lower()
    if stated.code == "model_not_found" or "model" in words:
        return model_unavailable("the model is not served now (404)")
    told = _told("there is no such address on the server (404)", stated.message)
    return Failure(code="not_found", message=told)


def _too_many(_status: int, stated: Stated) -> Failure:
    words = stated.message.lower()
    if stated.code == "insufficient_quota" or "token quota" in words:
        told = "the token quota is used up (429)"
        return Failure(code="quota_exceeded", message=told, scope="provider")
    if not stated.is_object and "rate limit" in words:
        told = _told("too many requests a minute (429)", stated.message)
        return Failure(
            code="rate_limited", message=told, retry=True, scope="provider", wait=RATE_WINDOW, is_free=True
        )
    told = _told("the model's backend is busy (429)", stated.message)
    return Failure(code="backend_busy", message=told, retry=True, scope="model", wait=WAIT_WHEN_BUSY)


def _unavailable(_status: int, stated: Stated) -> Failure:
    if "no suitable backend" in stated.message.lower() or "no healthy backend" in stated.message.lower():
        return model_unavailable("no backend serves the model now (503)")
    told = _told("no capacity (503)", stated.message)
    return Failure(code="no_capacity", message=told, retry=True, wait=WAIT_AFTER_503)


def model_unavailable(message: str) -> Failure:
    """A model that is not there now; a tripped circuit breaker looks just like it."""
    return Failure(code="model_unavailable", message=message, retry=True, scope="model", wait=HOLD_AFTER_404)


def _bad_gateway(_status: int, _stated: Stated) -> Failure:
    """A 502. Its text names internal hosts and is therefore not shown."""
    message = "the gateway's attempts on the model's backend failed (502)"
    return Failure(code="bad_gateway", message=message, retry=True, scope="model", wait=HOLD_AFTER_502)


def server_error(words: str, status: int | None = None) -> Failure:
    """A failure inside the server, told of or not."""
    what = "the server failed" if status is None else f"the server failed ({status})"
    return Failure(code="server_error", message=_told(what, words), retry=True)


def connection_lost(*, is_answering: bool) -> Failure:
    """A connection that was cut."""
    where = "in the middle of the answer" if is_answering else "before any answer"
    return Failure(code="connection_lost", message=f"the connection was cut {where}", retry=True)


def unreachable() -> Failure:
    """A connection that was not made."""
    message = "no connection to the server"
    return Failure(
        code="unreachable", message=message, retry=True, scope="provider", wait=WAIT_WHEN_UNREACHABLE
    )


def refused_stream() -> Failure:
    """A streamed 200 without a single event: how MindRouter refuses a stream, without saying why."""
    return Failure(code="refused_stream", message="the streamed answer was cut before it began", retry=True)


def empty_answer() -> Failure:
    """A 200 with an empty body."""
    return Failure(code="empty_answer", message="the answer was empty", retry=True)


def incomplete_answer() -> Failure:
    """A stream that ended without a finish reason or without its end mark."""
    return connection_lost(is_answering=True)


def unreadable_answer() -> Failure:
    """A 200 that is no answer of this dialect."""
    return Failure(code="unreadable_answer", message="the answer is not in the expected format", retry=True)


def no_choices() -> Failure:
    """A 200 with an empty list of choices."""
    return Failure(code="no_choices", message="the answer held no choice", retry=True)


def too_large(limit: int) -> Failure:
    """An answer over the bound; the model's own doing, and it would do it again."""
    message = f"the answer is over {limit // 2**20} MiB"
    return Failure(code="too_large", message=message, fault="model")


def timed_out(seconds: float, *, is_answering: bool) -> Failure:
    """The time limit of one call was reached.

    A model that had begun to answer is too slow or does not stop: its own failure. One that had
    not is tried once more, since what we gave up on may hold its slot on the server to the end.
    """
    if is_answering:
        message = f"still answering after {seconds:g} s"
        return Failure(code="timeout", message=message, fault="model")
    return Failure(code="timeout", message=f"no answer within {seconds:g} s", retry=True, at_most=1)


def _told(what: str, words: str) -> str:
    return safe_text(f"{what}: {words}" if words else what)


_BY_STATUS: dict[int, Callable[[int, Stated], Failure]] = {
    400: _refused_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    408: _passing,
    413: _refused_request,
    422: _refused_request,
    425: _passing,
    429: _too_many,
    502: _bad_gateway,
    503: _unavailable,
}
