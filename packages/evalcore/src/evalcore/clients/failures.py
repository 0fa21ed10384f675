"""Why a call gave no answer, and how to go on: what every dialect's failures have in common, without I/O.

A dialect says what its servers' answers mean (`openai/failures.py`); what happens to a connection means
the same in all of them and stands here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from evalcore.clients.reply import CallError, Fault
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
    "idle_timeout",
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
"""What went wrong. Stable: stored in replies.jsonl."""

Scope = Literal["call", "model", "provider"]
"""Whom a failure concerns: this call, every call to the model, or every call to the provider."""

WAIT_WHEN_UNREACHABLE: Final = 10.0
"""Seconds; a server that is being restarted is back within four of these."""
LONGEST_MESSAGE: Final = 300
"""Characters of what is shown of a server's words."""

_ADDRESS: Final = re.compile(r"\b[a-z][a-z0-9+.-]{0,15}://[^\s'\"<>]+", re.IGNORECASE)
_HOST: Final = re.compile(
    r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|(?=[\d.-]{0,253}+[a-z])[a-z0-9](?:[a-z0-9-]{0,63}+\.){0,32}+[a-z0-9-]{1,63}+(?=:\d{2,5}\b))(?::\d{2,5})?\b",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(r"\b(?:sk-|mr2_|Bearer\s+)[\w.\-*]+", re.IGNORECASE)


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
        """What is stored in the reply."""
        return CallError(fault=self.fault, code=self.code, message=self.message)


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
    silences, which a network makes as well. One that had not begun is tried once more only, since the
    abandoned call may hold its slot on the server to the end.
    """
    if is_answering and had_silence:
        message = f"still answering after {seconds:g} s, with silences that may be the network's"
        return Failure(code="timeout", message=message, retry=True, at_most=1)
    if is_answering:
        message = f"still answering after {seconds:g} s"
        return Failure(code="timeout", message=message, fault="model")
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
