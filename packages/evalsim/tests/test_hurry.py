"""Time that passes faster: everything that goes by the event loop's clock, and nothing else."""

from __future__ import annotations

import asyncio
import time

import pytest

from evalsim.hurry import HurriedLoop


def run(factor, work):
    loop = HurriedLoop(factor)
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


def test_an_hour_of_sleep_is_over_at_once():
    async def work():
        await asyncio.sleep(3600)

    began = time.monotonic()
    run(100_000, work)
    assert time.monotonic() - began < 30


def test_the_clock_runs_as_many_times_as_fast():
    async def work():
        loop = asyncio.get_running_loop()
        hurried, real = loop.time(), time.monotonic()
        await asyncio.sleep(200)
        return (loop.time() - hurried) / (time.monotonic() - real)

    assert run(10_000, work) == pytest.approx(10_000, rel=0.2)


def test_sleeps_end_in_their_order():
    async def work():
        ended = []

        async def sleeper(seconds):
            await asyncio.sleep(seconds)
            ended.append(seconds)

        await asyncio.gather(*map(sleeper, (300, 100, 200)))
        return ended

    assert run(2_000, work) == [100, 200, 300]


def test_a_time_limit_is_hurried_too():
    async def work():
        async with asyncio.timeout(600):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(10_000, work)
