"""What came back for one call: a model's answer, and the reply that is stored of it in replies.jsonl."""

from __future__ import annotations

from typing import Literal

from evalcore.structs import Frozen

Fault = Literal["model", "infrastructure"]
"""Whose failure it is. A model's counts as an unparsable reply (accuracy 0); infrastructure's is left out."""


class CallError(Frozen, frozen=True):
    """Why a call gave no usable reply.

    `code` is one of the codes of evalcore.clients.failures; `message` is one line, bounded, safe to
    show to users (no internal host names, no secrets).
    """

    fault: Fault
    code: str
    message: str


class Usage(Frozen, frozen=True):
    """Tokens as the provider counted them."""

    prompt: int
    completion: int


class Answer(Frozen, frozen=True):
    """A whole answer of a model, as its dialect has read it."""

    text: str | None
    """None where the answer had no content."""
    finish_reason: str | None
    """Why the model stopped: `length` where the answer was cut at the token limit, which is counted.

    Any other word is stored as the provider wrote it and compared with nothing. None where there is none.
    """
    usage: Usage | None
    """None where the provider did not count."""


class Reply(Frozen, frozen=True):
    """One call's outcome, stored whether it succeeded or not.

    `started_at` is RFC 3339 UTC with milliseconds and `Z`: when the first attempt was sent.
    `latency_ms` is the time of the last attempt alone, from sending to the last byte.
    `finished_at` is when the outcome was known. `attempts` counts the requests sent.
    """

    case: str
    replicate: int
    """From 0."""
    request_id: str
    """Our X-Request-ID."""
    request_sha256: str
    """SHA-256 of the request body's bytes."""
    text: str | None
    """The answer's text; None where no reply came, or it had no content."""
    finish_reason: str | None
    """As in Answer; None where no reply came."""
    usage: Usage | None
    started_at: str
    finished_at: str
    latency_ms: float
    attempts: int
    error: CallError | None = None
    seed: int | None = None
    """The seed in the request: the model's `seed` + the replicate's index.

    None where none is configured, or the provider's dialect sends none.
    """

    unstreamed: bool = False
    """Whether the last attempt was sent without streaming though the model's setting asks for it."""

    @property
    def is_infrastructure_failure(self) -> bool:
        """Whether no reply came through no fault of the model's."""
        return self.error is not None and self.error.fault == "infrastructure"
