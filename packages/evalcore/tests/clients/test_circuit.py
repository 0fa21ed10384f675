"""What all calls to a model or a provider wait for together."""

from __future__ import annotations

from contextlib import suppress

import pytest

from evalcore.clients.circuit import CircuitBreaker, Pause
from evalcore.clients.failures import Failure

LIMIT = Failure(code="rate_limited", message="limit", retry=True, scope="provider", wait=60, is_free=True)
QUOTA = Failure(code="quota_exceeded", message="quota", scope="provider")
GATEWAY = Failure(code="bad_gateway", message="502", retry=True, scope="model", wait=30)
CUT = Failure(code="connection_lost", message="cut", retry=True)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock | None = None) -> CircuitBreaker:
    return CircuitBreaker(180.0, clock or Clock())


def test_nothing_waits_at_first() -> None:
    assert breaker().check("m") is None


def test_502_holds_back_its_model_alone() -> None:
    clock = Clock()
    shared = breaker(clock)
    assert shared.failed("m", GATEWAY, 30.5)
    assert shared.check("m") == Pause(seconds=30.5, failure=GATEWAY)
    assert shared.check("other") is None
    clock.now += 30.5
    assert shared.check("m") is None


def test_rate_limit_holds_back_every_model() -> None:
    shared = breaker()
    shared.failed("m", LIMIT, 60.5)
    assert shared.check("m") == shared.check("other") == Pause(seconds=60.5, failure=LIMIT)


def test_failure_of_one_call_holds_back_nobody() -> None:
    shared = breaker()
    assert shared.failed("m", CUT, 5.0)
    assert shared.check("m") is None


def test_longest_of_several_waits_holds() -> None:
    shared = breaker()
    shared.failed("m", GATEWAY, 30.75)
    shared.failed("m", GATEWAY, 30.25)
    assert shared.check("m") == Pause(seconds=30.75, failure=GATEWAY)


def test_call_that_gives_up_still_holds_back_the_others() -> None:
    shared = breaker()
    shared.failed("m", GATEWAY, None)
    assert shared.check("m") == Pause(seconds=30, failure=GATEWAY)


def test_used_up_quota_ends_every_call_of_the_provider() -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.failed("m", QUOTA, None)
    clock.now += 1e6
    assert shared.check("m") == shared.check("other") == QUOTA


def test_model_that_only_fails_is_given_up_after_the_outage_but_tried_when_its_hold_is_over() -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.succeeded("m")
    assert shared.failed("m", GATEWAY, 30.0)
    clock.now += 170.0
    assert shared.failed("m", GATEWAY, 30.0)
    clock.now += 11.0
    assert not shared.failed("m", GATEWAY, 30.0)
    assert shared.check("m") == GATEWAY
    clock.now += 30.0
    assert shared.check("m") is None


@pytest.mark.parametrize(
    ("failure", "bound"),
    [
        (GATEWAY, 45.0),
        (Failure(code="model_unavailable", message="404", retry=True, scope="model"), 45.0),
        (Failure(code="unreachable", message="refused", retry=True, scope="provider"), 45.0),
        (Failure(code="backend_busy", message="429", retry=True, scope="model"), 180.0),
    ],
)
def test_one_that_never_answered_is_given_45_seconds_unless_it_is_only_busy(
    failure: Failure, bound: float
) -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.failed("m", failure, 20.0)
    clock.now += bound
    assert shared.failed("m", failure, 20.0)
    clock.now += 1.0
    assert not shared.failed("m", failure, 20.0)


def test_an_answer_ends_the_outage() -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.failed("m", GATEWAY, 30.0)
    clock.now += 170.0
    shared.succeeded("m")
    clock.now += 170.0
    assert shared.failed("m", GATEWAY, 30.0)


def test_rate_limit_is_no_outage_however_long() -> None:
    clock = Clock()
    shared = breaker(clock)
    for _ in range(10):
        assert shared.failed("m", LIMIT, 60.0)
        clock.now += 60.0


def test_news_are_those_that_concern_the_model() -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.failed("other", GATEWAY, 30.0)
    assert not shared.has_news_since("m", 1000.0)
    shared.failed("other", LIMIT, 60.0)
    assert shared.has_news_since("m", 1000.0)
    assert not shared.has_news_since("m", 1000.1)


def test_after_the_wait_one_call_finds_out_for_all_whether_the_failing_is_over() -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.failed("m", GATEWAY, 30)
    clock.now += 30
    assert shared.check("m") is None
    with shared.sending("m"):
        assert shared.check("m") == Pause(seconds=1.0, failure=GATEWAY)
        assert shared.check("other") is None
        shared.succeeded("m")
        assert shared.check("m") is None
    assert shared.check("m") is None


def test_a_probe_that_is_cancelled_makes_way_for_the_next() -> None:
    clock = Clock()
    shared = breaker(clock)
    shared.failed("m", GATEWAY, 30)
    clock.now += 30
    with suppress(RuntimeError), shared.sending("m"):
        raise RuntimeError
    assert shared.check("m") is None
