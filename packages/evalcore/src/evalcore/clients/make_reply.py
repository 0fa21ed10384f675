"""One call's outcome put into the reply that is stored, however the call was made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from evalcore.clients.dialect import Request
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call
from evalcore.clients.reply import Answer, Reply


def make_reply(
    call: Call,
    request: Request,
    request_id: str,
    outcome: Answer | Failure,
    *,
    started_at: datetime,
    finished_at: datetime,
    latency: float,
    attempts: int,
    without_key: Callable[[str | None], str | None],
) -> Reply:
    """Put a reply together; `latency` is in seconds, `without_key` masks the key in the answer's text."""
    answer = outcome if isinstance(outcome, Answer) else None
    return Reply(
        case=call.case,
        replicate=call.replicate,
        request_id=request_id,
        request_sha256=sha256(request.body).hexdigest(),
        # A server may repeat the request's headers in its answer, and replies are stored and handed on as
        # artifacts.
        text=without_key(answer.text) if answer else None,
        finish_reason=answer.finish_reason if answer else None,
        usage=answer.usage if answer else None,
        started_at=_rfc3339(started_at),
        finished_at=_rfc3339(finished_at),
        latency_ms=round(latency * 1000, 3),
        attempts=attempts,
        error=outcome.error if isinstance(outcome, Failure) else None,
        seed=request.seed,
    )


def _rfc3339(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
