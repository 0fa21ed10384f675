"""Blocking work (git, files, GitHub) beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a thread and wait for it.

    A cancelled caller still waits for the thread to end (every blocking call here bounds itself), so that
    no other work touches a clone or a file while the thread still does.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it as never retrieved
        raise


def in_daemon(work: Callable[[], None]) -> asyncio.Future[None]:
    """Run long blocking work in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        # Whoever awaited it was cancelled meanwhile.
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001 - raised again where the future is awaited
            error = raised
        with suppress(RuntimeError):  # the loop is closed, and the future no longer awaited
            # Settled on the loop: futures of asyncio are not for other threads.
            loop.call_soon_threadsafe(settle, error)

    Thread(target=run, daemon=True).start()
    return future
