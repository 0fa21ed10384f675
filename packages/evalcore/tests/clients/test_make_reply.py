"""One call's outcome as it is stored: answer or failure, with its times and its request's hash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from evalcore.clients.dialect import Request
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Call
from evalcore.clients.make_reply import make_reply
from evalcore.clients.reply import Answer, Reply, Usage
from evalcore.library.models import Model

CALL = Call("one", 3, Model("m", "p"), "system", "user", None)
BODY = b'{"seed": 10}'
BEGAN = datetime(2026, 7, 1, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))


def made(outcome: Answer | Failure) -> Reply:
    return make_reply(
        CALL,
        Request("/v1", BODY, seed=10),
        "request-1",
        outcome,
        started_at=BEGAN,
        finished_at=BEGAN.astimezone(UTC) + timedelta(seconds=2),
        latency=1.23456789,
        attempts=2,
        without_key=lambda text: text and text.replace("secret", "***"),
    )


def test_an_answer_is_stored_without_the_key_that_it_may_repeat() -> None:
    reply = made(Answer("my key is secret", "stop", Usage(3, 4)))
    assert (reply.text, reply.finish_reason, reply.usage) == ("my key is ***", "stop", Usage(3, 4))
    assert reply.error is None


def test_a_failure_is_stored_as_an_error_and_has_no_text() -> None:
    failure = Failure("timeout", "no answer within 720 s")
    reply = made(failure)
    assert (reply.text, reply.finish_reason, reply.usage) == (None, None, None)
    assert reply.error == failure.error


def test_the_call_its_request_and_its_attempts_are_told() -> None:
    reply = made(Answer(None, None, None))
    assert (reply.case, reply.replicate, reply.request_id, reply.attempts) == ("one", 3, "request-1", 2)
    assert (reply.request_sha256, reply.seed) == (sha256(BODY).hexdigest(), 10)


def test_times_are_utc_in_whole_milliseconds() -> None:
    reply = made(Answer("a", "stop", None))
    assert (reply.started_at, reply.finished_at) == ("2026-07-01T10:00:00.123Z", "2026-07-01T10:00:02.123Z")
    assert reply.latency_ms == 1234.568
