"""Blocking work beside the event loop: waited for even by a cancelled caller, or not at all."""

from __future__ import annotations

import asyncio
import threading

import pytest

from evalhook.threads import in_daemon, in_thread


def test_the_result_and_the_error_of_a_thread_are_the_callers() -> None:
    def fail() -> None:
        raise ValueError("from the thread")

    assert asyncio.run(in_thread(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ValueError, match="from the thread"):
        asyncio.run(in_thread(fail))


def test_a_cancelled_caller_waits_until_the_thread_has_ended() -> None:
    began, may_end, has_ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(30)
        has_ended.set()

    async def story() -> None:
        task = asyncio.create_task(in_thread(work))
        await asyncio.to_thread(began.wait, 30)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert has_ended.is_set()

    asyncio.run(story())


def test_a_daemons_error_is_raised_where_it_is_awaited() -> None:
    def fail() -> None:
        raise KeyError("x")

    async def story() -> None:
        await in_daemon(lambda: None)
        with pytest.raises(KeyError):
            await in_daemon(fail)

    asyncio.run(story())


def test_the_end_of_the_loop_does_not_wait_for_a_daemon() -> None:
    may_end, has_ended = threading.Event(), threading.Event()

    def work() -> None:
        may_end.wait(30)
        has_ended.set()

    async def story() -> None:
        in_daemon(work)

    asyncio.run(story())
    assert not has_ended.is_set()
    may_end.set()
    assert has_ended.wait(30)
