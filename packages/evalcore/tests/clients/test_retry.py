"""When a failed call is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.clients.failures import Failure
from evalcore.clients.retry import Attempts, RetryPolicy

CUT = Failure(code="connection_lost", message="cut", retry=True)
LIMIT = Failure(code="rate_limited", message="limit", retry=True, scope="provider", wait=60, is_free=True)
SILENCE = Failure(code="timeout", message="silence", retry=True, at_most=1)
FINAL = Failure(code="unauthorized", message="no")


def attempts(luck: float = 0.5, policy: RetryPolicy | None = None) -> Attempts:
    return Attempts(policy or RetryPolicy(), lambda: luck)


def test_final_failure_is_not_tried_again() -> None:
    assert attempts().wait_after(FINAL, 0.0) is None


def test_tries_are_bounded() -> None:
    tried = attempts()
    waits = [tried.wait_after(CUT, 0.0) for _ in range(5)]
    assert waits[-1] is None
    assert None not in waits[:-1]


def test_waits_double_up_to_the_cap() -> None:
    tried = attempts(luck=1.0, policy=RetryPolicy(tries=9))
    assert [tried.wait_after(CUT, 0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_jitter_is_full(luck: float, earlier: int) -> None:
    tried = attempts(luck=luck, policy=RetryPolicy(tries=9))
    for _ in range(earlier):
        tried.wait_after(CUT, 0.0)
    assert tried.wait_after(CUT, 0.0) == pytest.approx(luck * min(30.0, 2.0**earlier))


def test_wait_is_at_least_the_failures_own() -> None:
    gateway = Failure(code="bad_gateway", message="502", retry=True, scope="model", wait=30)
    assert attempts(luck=0.0).wait_after(gateway, 0.0) == 30.0
    assert attempts(luck=0.5).wait_after(gateway, 0.0) == 30.5


def test_time_budget_ends_the_trying() -> None:
    assert attempts(luck=0.0).wait_after(CUT, 1800.0) == 0.0
    assert attempts(luck=0.5).wait_after(CUT, 1800.0) is None


def test_rate_limit_costs_no_try_and_is_bounded_by_the_budget_alone() -> None:
    tried = attempts(luck=0.0)
    assert {tried.wait_after(LIMIT, 60.0 * minute) for minute in range(30)} == {60.0}
    assert tried.wait_after(LIMIT, 1799.0) is None
    assert tried.wait_after(CUT, 0.0) is not None


def test_silence_is_tried_again_once() -> None:
    tried = attempts()
    assert tried.wait_after(SILENCE, 720.0) is not None
    assert tried.wait_after(CUT, 721.0) is not None
    assert tried.wait_after(SILENCE, 1440.0) is None
