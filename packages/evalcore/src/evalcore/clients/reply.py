"""What came back for one call: a model's answer, and the reply that is stored of it in replies.jsonl."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from evalcore.library.models import Price
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


TokenCount = Annotated[int, Meta(ge=0, le=2**53)]
"""Tokens as a provider states them. Beyond the upper bound some readers of JSON lose digits."""


class Usage(Frozen, frozen=True, omit_defaults=True):
    """Tokens as the provider counted them."""

    prompt: int
    """All of the input, what came out of a cache or was put into one included."""
    completion: int
    """All of the output, thinking included."""
    cache_read: int = 0
    """Of `prompt`, what came out of the provider's cache."""
    cache_write: int = 0
    """Of `prompt`, what was put into the cache."""
    thinking: int = 0
    """Of `completion`, what the model thought."""

    def cost(self, price: Price) -> float:
        """Return what so many tokens cost by the call, in USD."""
        return price.of(
            self.prompt,
            self.completion,
            cache_read=self.cache_read,
            cache_write=self.cache_write,
            thinking=self.thinking,
        )


REFUSED: Final = frozenset({"refusal", "content_filter"})
"""Finish reasons of an answer that the model, or a filter before it, declined to give."""


class Answer(Frozen, frozen=True):
    """A whole answer of a model, as its dialect has read it."""

    text: str | None
    """None where the answer had no content."""
    finish_reason: str | None
    """Why the model stopped: `length` where the answer was cut at the token limit, which is counted.

    `refusal` where the model declined to answer, `content_filter` where the provider's filter stopped it:
    its text is then None (see REFUSED). Any other word is stored as the dialect has it and compared with
    nothing. None where there is none.
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

    batched: bool = False
    """Whether it was answered as a part of a batch, at half the price."""

    @property
    def is_infrastructure_failure(self) -> bool:
        """Whether no reply came through no fault of the model's."""
        return self.error is not None and self.error.fault == "infrastructure"
