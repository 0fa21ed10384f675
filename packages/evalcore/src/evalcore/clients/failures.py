"""Why a call gave no answer, and how to go on: what every dialect's failures have in common, without I/O.

What happens to a connection means the same in every dialect, and so do most statuses (`by_status`). A
dialect says what its own servers mean beyond that, by their words or by statuses of their own
(`openai/failures.py`). Which codes are acted on is listed in `dialect`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

import msgspec

from evalcore.clients.reply import CallError, Fault
from evalcore.structs import Frozen

Code = Literal[
    "backend_busy",
    "bad_gateway",
    "bad_request",
    "batch_expired",
    "connection_lost",
    "content_refused",
    "context_length",
    "empty_answer",
    "forbidden",
    "idle_timeout",
    "model_unavailable",
    "no_capacity",
    "no_choices",
    "no_content",
    "not_found",
    "parameter_refused",
    "quota_exceeded",
    "rate_limited",
    "refused_stream",
    "schema_refused",
    "schema_too_large",
    "server_error",
    "timeout",
    "too_large",
    "unauthorized",
    "unexpected_answer",
    "unknown_model",
    "unreachable",
    "unreadable_answer",
]
"""What went wrong. Stable: stored in replies.jsonl."""

CODE_WORDS: Final[Mapping[Code, str]] = {
    "backend_busy": "the model's backend is busy",
    "bad_gateway": "the server's backend failed",
    "bad_request": "the request was refused",
    "batch_expired": "the batch ended without an answer",
    "connection_lost": "the connection was cut",
    "content_refused": "the provider refuses to have the input answered",
    "context_length": "the input is too long for the model",
    "empty_answer": "the answer was empty",
    "forbidden": "not permitted",
    "idle_timeout": "the answer went silent",
    "model_unavailable": "the model is not served now",
    "no_capacity": "the server has no capacity",
    "no_choices": "the answer held no choice",
    "no_content": "the answer held no text",
    "not_found": "there is no such address on the server",
    "parameter_refused": "the model refuses a parameter",
    "quota_exceeded": "the quota or balance is used up",
    "rate_limited": "the rate limit is reached",
    "refused_stream": "the streamed answer was cut before it began",
    "schema_refused": "the model refuses the schema",
    "schema_too_large": "the provider does not compile the schema",
    "server_error": "the server failed",
    "timeout": "the time limit of the call was reached",
    "too_large": "the answer is too large",
    "unauthorized": "the key is not accepted",
    "unexpected_answer": "the server answered with an unexpected status",
    "unknown_model": "the provider does not know the model",
    "unreachable": "no connection to the server",
    "unreadable_answer": "the answer is not in the expected format",
}
"""Each code in words of our own: for logs that may hold none of a server's."""

Scope = Literal["call", "model", "provider"]
"""Whom a failure concerns: this call, every call to the model, or every call to the provider."""

# A server that is being restarted is back within four of these, before a call's five tries are used up.
WAIT_WHEN_UNREACHABLE: Final = 10.0
"""Seconds."""
WAIT_WHEN_BUSY: Final = 5.0
"""Seconds; for a 429 that gives no other time."""
# MindRouter has itself waited up to 150 s for a slot before it says so: asking again at once is of no use.
WAIT_AFTER_503: Final = 10.0
"""Seconds."""
LONGEST_RETRY_AFTER: Final = 300.0
"""Seconds; a server that asks for more is asked again after this."""
LONGEST_MESSAGE: Final = 300
"""Characters of what is shown of a server's words."""

_ADDRESS: Final = re.compile(r"\b[a-z][a-z0-9+.-]{0,15}://[^\s'\"<>]+", re.IGNORECASE)
# Possessive and bounded throughout: a server's words of digits and dots alone would else take quadratic time.
_HOST: Final = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[\d.-]{0,253}+[a-z])[a-z0-9](?:[a-z0-9-]{0,63}+\.){0,32}+[a-z0-9-]{1,63}+(?=:\d{2,5}\b))(?::\d{2,5})?\b",
    re.IGNORECASE,
)
# MindRouter's keys begin with `mr2_`, those of OpenAI and Anthropic with `sk-`; a refusal may quote a part of
# one.
_SECRET: Final = re.compile(r"\b(?:sk-|mr2_|Bearer\s+)[\w.\-*]+", re.IGNORECASE)


class Failure(Frozen, frozen=True):
    """Why an attempt gave no answer, and how to go on."""

    code: Code
    message: str
    """One line; see CallError. `with_words` makes a server's own words fit for it."""
    fault: Fault = "infrastructure"
    """`model` where the model itself is to blame: the reply then counts as wrong, not as missing."""
    retry: bool = False
    """Whether the call is tried again, as often and as long as the RetryPolicy allows."""
    scope: Scope = "call"
    """Which calls wait for `wait`.

    `call`: this one alone. `model` and `provider`: all calls to the model, or to the provider, are kept back
    by the circuit breaker; after the wait one of them is sent first, and the others follow its outcome.
    Such a failure with `retry` false ends all of them at once, for good.
    """
    wait: float = 0.0
    """Seconds to wait at least before the next attempt; a random wait comes on top (see Attempts)."""
    is_free: bool = False
    """Whether the attempt does not count as one of the call's tries, nor as the beginning of an outage.

    For a rate limit: the server is well, did no work for the request, and says when to come back.
    """
    at_most: int | None = None
    """How often one call may retry after this very failure, where less than the policy allows."""

    @property
    def error(self) -> CallError:
        """What is stored in the reply."""
        return CallError(fault=self.fault, code=self.code, message=self.message)


def by_status(status: int, words: str = "") -> Failure:
    """Say what an HTTP status other than 200 means in every dialect; `words` are what the server says of it.

    A dialect's own table comes first and ends here, so that it holds only what its servers do differently.
    """
    read = _BY_STATUS.get(status)
    if read is not None:
        return read(status, words)
    if status >= 500:  # noqa: PLR2004 - the servers' errors
        return server_error(words, status)
    return Failure(code="unexpected_answer", message=with_words(f"the server answered {status}", words))


def wait_as_asked(failure: Failure, headers: Mapping[str, str], now: datetime | None) -> Failure:
    """Return the failure with the wait that a Retry-After asks for, where that is longer than its own."""
    asked = retry_after_seconds(headers.get("retry-after"), now)
    if asked is None or not failure.retry:
        return failure
    # Never shorter than ours: a Retry-After of 0 would have all calls back at once. And bounded, since one of
    # days would hold the job until its deadline.
    return msgspec.structs.replace(failure, wait=max(failure.wait, min(asked, LONGEST_RETRY_AFTER)))


def _unauthorized(_status: int, _words: str) -> Failure:
    # the server's words may repeat the key
    return Failure(code="unauthorized", message="the key is not accepted (401)")


def _forbidden(_status: int, words: str) -> Failure:
    return Failure(code="forbidden", message=with_words("not permitted (403)", words))


def _not_found(_status: int, words: str) -> Failure:
    message = with_words("there is no such address on the server (404)", words)
    return Failure(code="not_found", message=message)


def _passing(status: int, words: str) -> Failure:
    # Request Timeout and Too Early: RFC 9110 (15.5.9) and RFC 8470 (5.2) let the same request be sent again
    return server_error(words, status)


def _refused_request(status: int, words: str) -> Failure:
    return Failure(code="bad_request", message=with_words(f"the request was refused ({status})", words))


def _too_many(_status: int, words: str) -> Failure:
    message = with_words("the model's backend is busy (429)", words)
    return Failure(code="backend_busy", message=message, retry=True, scope="model", wait=WAIT_WHEN_BUSY)


def _unavailable(_status: int, words: str) -> Failure:
    message = with_words("no capacity (503)", words)
    # Of this call alone: another may find a slot at the same moment.
    return Failure(code="no_capacity", message=message, retry=True, wait=WAIT_AFTER_503)


_BY_STATUS: Final[Mapping[int, Callable[[int, str], Failure]]] = {
    400: _refused_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    408: _passing,
    413: _refused_request,
    422: _refused_request,
    425: _passing,
    429: _too_many,
    503: _unavailable,
}


def server_error(words: str, status: int | None = None) -> Failure:
    """A failure inside the server; `words` are what it says of it, if anything."""
    what = "the server failed" if status is None else f"the server failed ({status})"
    return Failure(code="server_error", message=with_words(what, words), retry=True)


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


def parameter_refused(parameter: str, words: str) -> Failure:
    """A parameter that the model does not take: every call to it would be refused like this one."""
    message = with_words(f"the model refuses the parameter `{parameter[:60]}`", words)
    return Failure(code="parameter_refused", message=message, scope="model")


def schema_refused(words: str) -> Failure:
    """A schema that the model does not take."""
    message = with_words("the model refuses the schema", words)
    return Failure(code="schema_refused", message=message, scope="model")


def schema_too_large(words: str) -> Failure:
    """A schema that the provider does not compile, and takes in another way."""
    message = with_words("the provider does not compile the schema", words)
    # of this call alone: the same model answers where it is asked in the other way
    return Failure(code="schema_too_large", message=message)


def unknown_model(words: str) -> Failure:
    """A model that the provider does not know, or does not let this key use."""
    message = with_words("the provider does not know the model", words)
    return Failure(code="unknown_model", message=message, scope="model")


def overloaded(status: int, words: str) -> Failure:
    """A provider that is overloaded: all calls to it wait together."""
    message = with_words(f"the provider is overloaded ({status})", words)
    return Failure(code="no_capacity", message=message, retry=True, scope="provider", wait=WAIT_AFTER_503)


def rate_limited(words: str, wait: float | None = None) -> Failure:
    """A rate limit of one model; its server says when to come back, in seconds, or WAIT_WHEN_BUSY is used."""
    return Failure(
        code="rate_limited",
        message=with_words("the rate limit is reached (429)", words),
        retry=True,
        scope="model",
        wait=WAIT_WHEN_BUSY if wait is None else min(wait, LONGEST_RETRY_AFTER),
        is_free=True,
    )


def out_of_money(words: str, status: int) -> Failure:
    """A quota or a balance that is used up: no waiting ends it."""
    message = with_words(f"the provider's quota or balance is used up ({status})", words)
    return Failure(code="quota_exceeded", message=message, scope="provider")


def batch_expired(why: str) -> Failure:
    """A request of a batch that was not answered in the batch's time, or was taken back."""
    # Not retried: it would be a batch, and a day, of its own.
    return Failure(code="batch_expired", message=with_words("the batch ended without an answer", why))


def content_refused(words: str) -> Failure:
    """An input that the provider's policy refuses to have answered: the model's own outcome."""
    message = with_words("the provider refuses to have the input answered", words)
    return Failure(code="content_refused", message=message, fault="model")


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
    """A 200 that is no answer of its dialect."""
    return Failure(code="unreadable_answer", message="the answer is not in the expected format", retry=True)


def no_choices() -> Failure:
    """A 200 with an empty list of choices."""
    return Failure(code="no_choices", message="the answer held no choice", retry=True)


def too_large(limit: int) -> Failure:
    """An answer over the bound (in bytes); the model's own doing, and it would do it again."""
    message = f"the answer is over {limit // 2**20} MiB"
    return Failure(code="too_large", message=message, fault="model")


def gone_silent(seconds: float) -> Failure:
    """No byte of a begun answer came for so long: the connection or the server, not the model."""
    message = f"no byte for {seconds:g} s in the middle of the answer"
    return Failure(code="idle_timeout", message=message, retry=True)


def timed_out(seconds: float, *, is_answering: bool, had_silence: bool = False) -> Failure:
    """The time limit of one call was reached.

    A model that had begun to answer is too slow or does not stop: its own failure, unless the answer had
    silences. Where none had begun it is infrastructure's.
    """
    # A network makes silences as well: to keep the limit was not up to the model alone.
    if is_answering and had_silence:
        message = f"still answering after {seconds:g} s, with silences that may be the network's"
        return Failure(code="timeout", message=message, retry=True, at_most=1)
    if is_answering:
        message = f"still answering after {seconds:g} s"
        return Failure(code="timeout", message=message, fault="model")
    # Once more only: an abandoned call may hold its slot on the server to its end.
    return Failure(code="timeout", message=f"no answer within {seconds:g} s", retry=True, at_most=1)


def with_words(what: str, words: str) -> str:
    """Return the message of a failure: ours, then the server's own words made fit to be shown."""
    return safe_text(f"{what}: {words}" if words else what)


def safe_text(text: str) -> str:
    """One line of at most 300 characters, with control characters, addresses and keys taken out."""
    # a server's text may be megabytes: what cannot be shown is not searched either
    text = text[: LONGEST_MESSAGE * 4]
    text = _SECRET.sub("[key]", text)
    text = _ADDRESS.sub("[address]", text)
    text = _HOST.sub("[address]", text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def retry_after_seconds(value: str | None, now: datetime | None) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds, or an HTTP date; None where it is neither."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if now is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
