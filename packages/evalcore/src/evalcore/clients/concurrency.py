"""How many calls to one model may be out at once: fewer after a refusal for load, then gradually more.

Additive increase, multiplicative decrease, as in TCP (RFC 5681, section 3.1): a refusal halves the
number, each round of answers adds one, until the model's own `concurrency` is reached again. It needs
no clock: what was sent before the last cut cannot cut again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from evalcore.clients.circuit import NOT_THERE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import Lent

OVERLOAD = frozenset({"rate_limited", "backend_busy", "no_capacity"})
"""Failures that say: fewer at once. After those of NOT_THERE a model is met again by one call first."""


class _Lane:
    """One model's calls."""

    def __init__(self) -> None:
        self.limit: float | None = None
        """None: never refused, or recovered."""
        self.out = 0
        self.round = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.out >= int(self.limit)

    def wake(self) -> None:
        free = len(self.waiting) if self.limit is None else max(0, int(self.limit) - self.out)
        while free > 0 and self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1


class Pace:
    """Shared by all calls through one client; only ever touched from the event loop."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    def limit(self, model_id: str) -> int | None:
        """How many calls may be out now; None while the model's pace is its own."""
        lane = self._lanes.get(model_id)
        return None if lane is None or lane.limit is None else int(lane.limit)

    @asynccontextmanager
    async def turn(self, model_id: str, lent: Lent) -> AsyncIterator[int]:
        """Wait for a place among the model's calls and hold it; gives the round that the call belongs to."""
        lane = self._lanes.setdefault(model_id, _Lane())
        while lane.is_full:
            waiter = asyncio.get_running_loop().create_future()
            lane.waiting.append(waiter)
            try:
                async with lent():
                    await waiter
            except asyncio.CancelledError:
                lane.wake()  # the place may have been given to this very call
                raise
        lane.out += 1
        try:
            yield lane.round
        finally:
            lane.out -= 1
            lane.wake()

    def failed(self, model_id: str, failure: Failure, round_: int) -> None:
        """Slow down after a refusal for load; once for all that were out together."""
        lane = self._lanes[model_id]
        if failure.code not in OVERLOAD | NOT_THERE or round_ != lane.round:
            return
        lane.round += 1
        was = lane.out if lane.limit is None else min(lane.out, lane.limit)
        lane.limit = 1.0 if failure.code in NOT_THERE else max(1.0, was / 2)

    def succeeded(self, model_id: str, most: int) -> None:
        """Speed up by one call a round, up to `most`."""
        lane = self._lanes[model_id]
        if lane.limit is None:
            return
        lane.limit += 1 / lane.limit
        if lane.limit >= most:
            lane.limit = None
        lane.wake()
