"""A model that refuses for load is asked by fewer calls at once, and gradually by more again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, nullcontext
from random import Random
from statistics import fmean

from evalcore.clients.concurrency import ConcurrencyLimit
from evalcore.clients.failures import Failure
from evalsim.testing import Clock

BUSY = Failure(code="backend_busy", message="busy", retry=True, scope="model")
GONE = Failure(code="model_unavailable", message="gone", retry=True, scope="model")
CUT = Failure(code="connection_lost", message="cut", retry=True)


async def out_together(limit: ConcurrencyLimit, calls: int, failure: Failure | None) -> None:
    """So many calls out at once, which all end alike."""
    async with AsyncExitStack() as stack:
        epochs = [await stack.enter_async_context(limit.acquire("m", nullcontext)) for _ in range(calls)]
        for epoch in epochs:
            if failure is None:
                limit.succeeded("m", 8, 1.0, epoch)
            else:
                limit.failed("m", failure, epoch)


def test_refusals_of_calls_that_were_out_together_halve_the_number_once() -> None:
    limit = ConcurrencyLimit()
    asyncio.run(out_together(limit, 8, BUSY))
    assert limit.current("m") == 4
    asyncio.run(out_together(limit, 4, BUSY))
    assert limit.current("m") == 2
    assert limit.current("other") is None


def test_answers_bring_the_speed_back_one_call_a_round() -> None:
    limit = ConcurrencyLimit()
    asyncio.run(out_together(limit, 8, BUSY))
    seen = []
    while (current := limit.current("m")) is not None:
        seen.append(current)
        asyncio.run(out_together(limit, current, None))
    assert seen == [4, 4, 5, 6, 7]


def test_a_model_that_was_away_is_met_again_by_one_call() -> None:
    limit = ConcurrencyLimit()
    asyncio.run(out_together(limit, 8, GONE))
    assert limit.current("m") == 1


def test_failures_that_are_no_sign_of_load_change_nothing() -> None:
    limit = ConcurrencyLimit()
    asyncio.run(out_together(limit, 8, CUT))
    assert limit.current("m") is None


def test_calls_over_the_limit_wait_for_a_place_and_a_cancelled_one_takes_none() -> None:
    async def tell() -> None:
        limit, order = ConcurrencyLimit(), []

        async def call(name: str) -> None:
            async with limit.acquire("m", nullcontext):
                order.append(name)

        await out_together(limit, 2, GONE)
        async with limit.acquire("m", nullcontext):
            waiting = [asyncio.create_task(call(name)) for name in "abc"]
            await asyncio.sleep(0)
            assert order == []
            waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert order == ["b", "c"]

    asyncio.run(tell())


def answered_by(slots: int, most: int, calls: int = 200, *, spread: float = 0.0) -> tuple[list[int], float]:
    """Calls of 3 s each to a backend with so many slots: how many were out at each answer, and the time."""

    async def tell() -> tuple[list[int], float]:
        limit, clock, draw = ConcurrencyLimit(), Clock(), Random(1)
        places, backend = asyncio.Semaphore(most), asyncio.Semaphore(slots)
        out: list[int] = []
        at_once = [0]

        async def one() -> None:
            async with places, limit.acquire("m", nullcontext) as epoch:
                at_once[0] += 1
                began = clock.now
                async with backend:
                    await clock.sleep(3 * draw.uniform(1 - spread, 1 + spread))
                out.append(at_once[0])
                at_once[0] -= 1
                limit.succeeded("m", most, clock.now - began, epoch)

        await clock.run(*(asyncio.create_task(one()) for _ in range(calls)))
        return out, clock.now

    return asyncio.run(tell())


def test_calls_that_only_wait_for_each_other_become_fewer_before_any_refusal() -> None:
    out, seconds = answered_by(slots=4, most=8)
    assert fmean(out[50:]) < 6
    assert seconds < 1.1 * 200 / 4 * 3


def test_calls_that_are_answered_side_by_side_stay_as_many() -> None:
    out, seconds = answered_by(slots=8, most=8)
    assert max(out) == 8
    assert seconds == 75
    _, seconds = answered_by(slots=8, most=8, calls=800, spread=0.8)
    assert seconds < 1.1 * 800 / 8 * 3


def test_a_queue_that_the_gateway_tells_of_halves_the_calls_for_a_while() -> None:
    limit = ConcurrencyLimit()
    limit.queued("m", 4)
    assert limit.current("m") == 2
    limit.queued("m", 4)
    limit.queued("m", 4)
    assert limit.current("m") == 1
    for _ in range(5):
        asyncio.run(out_together(limit, 1, None))
    assert limit.current("m") == 1
    for _ in range(60):
        asyncio.run(out_together(limit, limit.current("m") or 8, None))
    assert limit.current("m") is None
