"""Which call is made next: one limit over all models, one per model, replicate by replicate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager

from evalcore.library.component import Case


class RunQueue:
    """One run's calls that are still to be made, and how many of them are in flight."""

    def __init__(self, pending: Iterator[tuple[int, Case]], limit: int) -> None:
        self._pending = pending
        self._limit = limit
        self.in_flight = 0
        # One call ahead of the iterator, which cannot be asked whether it has another.
        self.next: tuple[int, Case] | None = next(pending, None)

    @property
    def is_ready(self) -> bool:
        """Whether a call can be started now."""
        return self.next is not None and self.in_flight < self._limit

    @property
    def is_done(self) -> bool:
        """Whether every call has ended."""
        return self.next is None and not self.in_flight

    def stop(self) -> None:
        """Start no further call; those in flight end."""
        self._pending, self.next = iter(()), None

    def take(self) -> tuple[int, Case]:
        """Start the next call. Only where `is_ready`."""
        if self.next is None:
            message = "no call is left in this queue"
            raise LookupError(message)
        taken, self.next = self.next, next(self._pending, None)
        self.in_flight += 1
        return taken


class Dispatcher:
    """Starts calls as slots fall free, always of the queue that is furthest behind.

    Queues may be added while it runs; `close` says that none will follow. Once `may_start` returns False,
    calls in flight end and no others begin; `run` then does not return by itself and is to be cancelled.
    Memory grows with the calls in flight, never with the calls planned.
    """

    def __init__(
        self,
        limit: int,
        start: Callable[[Coroutine[None, None, None]], object],
        may_start: Callable[[], bool] = lambda: True,
    ) -> None:
        self._limit = limit
        self._start = start
        self._may_start = may_start
        self._queues: dict[RunQueue, Callable[[int, Case], Coroutine[None, None, None]]] = {}
        self._in_flight = 0
        self._returning: deque[asyncio.Future[None]] = deque()
        self._is_open = True
        self._changed = asyncio.Event()

    def add(self, queue: RunQueue, call: Callable[[int, Case], Coroutine[None, None, None]]) -> None:
        """Add a run's calls; `call` makes one of them."""
        self._queues[queue] = call
        self._changed.set()

    def close(self) -> None:
        """Say that no queue will be added any more."""
        self._is_open = False
        self._changed.set()

    @asynccontextmanager
    async def yielded_slot(self) -> AsyncIterator[None]:
        """Give up a call's slot for the time of a long wait, and wait for a free one at its end."""
        slot = asyncio.get_running_loop().create_future()
        self._in_flight -= 1
        self._changed.set()
        try:
            yield
            self._returning.append(slot)
            self._changed.set()
            await slot
        finally:
            if not slot.done() or slot.cancelled():
                # The call is cancelled or fails without having got a slot back. `_follow` will release one
                # at its end all the same, so it is counted here. (A slot that was granted just before the
                # cancellation has been counted by `_return_slot`.)
                self._in_flight += 1

    async def run(self) -> None:
        """Start every call of every queue; return when all have ended and no queue can follow."""
        while True:
            self._start_ready()
            if not self._is_open and not self._queues:
                return
            await self._changed.wait()
            # Cleared before the next look at the queues: what changes during that look sets it again.
            self._changed.clear()

    def _start_ready(self) -> None:
        for queue in [queue for queue in self._queues if queue.is_done]:
            del self._queues[queue]
        # Before new calls: one that only waited goes on, instead of falling behind all that have not begun.
        while self._in_flight < self._limit and self._returning:
            self._return_slot(self._returning.popleft())
        while self._in_flight < self._limit:
            ready = [queue for queue in self._queues if queue.is_ready]
            # asked last: whoever allows a call may count on it
            if not ready or not self._may_start():
                return
            # The lowest replicate first, so that a job cut short has asked every model alike.
            queue = min(ready, key=_replicate)
            replicate, case = queue.take()
            self._in_flight += 1
            self._start(self._follow(queue, replicate, case))

    def _return_slot(self, slot: asyncio.Future[None]) -> None:
        if not slot.done():
            slot.set_result(None)
            self._in_flight += 1

    async def _follow(self, queue: RunQueue, replicate: int, case: Case) -> None:
        try:
            # Made here: a task that is cancelled before its first step would leave it never awaited.
            await self._queues[queue](replicate, case)
        finally:
            queue.in_flight -= 1
            self._in_flight -= 1
            self._changed.set()


def _replicate(queue: RunQueue) -> int:
    return queue.next[0] if queue.next is not None else 0
