"""What a failing server of the OpenAI dialect means, MindRouter's answers above all; without I/O.

`docs/mindrouter.md` gives the table behind this module, with the reasons. What stands here is what these
servers do beyond `evalcore.clients.failures.by_status`, most of it known by the words they use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from evalcore.clients.context_length import context_length, is_context_length
from evalcore.clients.error_bodies import Stated, read_error, read_words, unquoted
from evalcore.clients.failures import Failure, by_status, server_error, wait_as_asked, with_words

RATE_WINDOW = 60.0
"""Seconds of MindRouter's fixed window of requests per minute."""
HOLD_AFTER_502 = 30.0
"""Seconds; a backend taken off by the circuit breaker came back after 20-30 s."""
HOLD_AFTER_404 = 15.0
"""Seconds; half of the above, since the breaker may have tripped some time ago."""


def classify(status: int, headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> Failure:
    """Say what an HTTP answer that is not 200 means; `now` reads a Retry-After that is a date."""
    return wait_as_asked(_by_status(status, read_words(body)), headers, now)


def stated_failure(error: bytes) -> Failure:
    """Say what an error inside an HTTP 200 means; its `code` is a status where it is a number."""
    stated = read_error(error) or Stated(is_object=True)
    stated = msgspec.structs.replace(stated, message=unquoted(stated.message))
    if isinstance(stated.code, int) and 400 <= stated.code <= 599:  # noqa: PLR2004 - the HTTP errors
        # the backend's own JSON arrives as text here, so that only the wording is left to go by
        return _by_status(stated.code, stated)
    return context_length(stated) if is_context_length(stated) else server_error(stated.message)


def _by_status(status: int, stated: Stated) -> Failure:
    """The table of docs/mindrouter.md."""
    read = _BY_STATUS.get(status)
    if read is not None:
        return read(status, stated)
    if is_context_length(stated):
        # llama.cpp and others have called it a 500
        return context_length(stated)
    return by_status(status, stated.message)


def _refused_request(status: int, stated: Stated) -> Failure:
    words = stated.message.lower()
    if is_context_length(stated):
        return context_length(stated)
    if status == 422 and "structured output" in words:  # noqa: PLR2004 - content null, on MindRouter
        message = "the model gave no content for the structured output asked of it"
        return Failure(code="no_content", message=message, fault="model")
    if stated.kind == "dlp_policy_violation" or stated.code == "dlp_blocked" or "dlp" in words:
        return Failure(code="content_refused", message="the gateway's data policy refused the request")
    return by_status(status, stated.message)


def _not_found(status: int, stated: Stated) -> Failure:
    words = stated.message.lower()
    if stated.code == "model_not_found" or "model" in words:
        return model_unavailable("the model is not served now (404)")
    return by_status(status, stated.message)


def _too_many(status: int, stated: Stated) -> Failure:
    words = stated.message.lower()
    if stated.code == "insufficient_quota" or "token quota" in words:
        message = "the token quota is used up (429)"
        return Failure(code="quota_exceeded", message=message, scope="provider")
    if not stated.is_object and "rate limit" in words:
        message = with_words("too many requests a minute (429)", stated.message)
        return Failure(
            code="rate_limited", message=message, retry=True, scope="provider", wait=RATE_WINDOW, is_free=True
        )
    return by_status(status, stated.message)


def _unavailable(status: int, stated: Stated) -> Failure:
    if "no suitable backend" in stated.message.lower() or "no healthy backend" in stated.message.lower():
        return model_unavailable("no backend serves the model now (503)")
    return by_status(status, stated.message)


def model_unavailable(message: str) -> Failure:
    """A model that is not there now; a tripped circuit breaker looks just like it."""
    return Failure(code="model_unavailable", message=message, retry=True, scope="model", wait=HOLD_AFTER_404)


def _bad_gateway(_status: int, _stated: Stated) -> Failure:
    """A 502. Its text names internal hosts and is therefore not shown."""
    message = "the gateway's attempts on the model's backend failed (502)"
    return Failure(code="bad_gateway", message=message, retry=True, scope="model", wait=HOLD_AFTER_502)


_BY_STATUS: dict[int, Callable[[int, Stated], Failure]] = {
    400: _refused_request,
    404: _not_found,
    413: _refused_request,
    422: _refused_request,
    429: _too_many,
    502: _bad_gateway,
    503: _unavailable,
}
