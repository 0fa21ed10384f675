"""The concurrency limit: how many calls to one model may be out at once.

Fewer after a refusal for load, then gradually more: additive increase, multiplicative decrease, as in
TCP (RFC 5681, section 3.1). A refusal halves the number, each round of answers adds one, until the
model's own `concurrency` is reached again. It needs no clock: what was sent before the last cut cannot
cut again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from evalcore.clients.circuit import NOT_THERE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import YieldSlot

OVERLOAD: Final = frozenset({"rate_limited", "backend_busy", "no_capacity"})
"""Failures that say: fewer at once. After those of NOT_THERE a model is met again by one call first."""


class _ModelLimit:
    """One model's limit, and its calls."""

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


class ConcurrencyLimit:
    """Shared by all calls through one client; only ever touched from the event loop."""

    def __init__(self) -> None:
        self._models: dict[str, _ModelLimit] = {}

    def current(self, model_id: str) -> int | None:
        """How many calls may be out now; None while nothing but the model's `concurrency` bounds them."""
        model = self._models.get(model_id)
        return None if model is None or model.limit is None else int(model.limit)

    @asynccontextmanager
    async def acquire(self, model_id: str, yield_slot: YieldSlot) -> AsyncIterator[int]:
        """Wait until the model's limit allows one more call, and hold it; gives the call's round."""
        model = self._models.setdefault(model_id, _ModelLimit())
        while model.is_full:
            waiter = asyncio.get_running_loop().create_future()
            model.waiting.append(waiter)
            try:
                async with yield_slot():
                    await waiter
            except asyncio.CancelledError:
                model.wake()  # this very call may have been woken, and another must be in its stead
                raise
        model.out += 1
        try:
            yield model.round
        finally:
            model.out -= 1
            model.wake()

    def failed(self, model_id: str, failure: Failure, round_: int) -> None:
        """Lower the limit after a refusal for load; once for all that were out together."""
        model = self._models[model_id]
        if failure.code not in OVERLOAD | NOT_THERE or round_ != model.round:
            return
        model.round += 1
        was = model.out if model.limit is None else min(model.out, model.limit)
        model.limit = 1.0 if failure.code in NOT_THERE else max(1.0, was / 2)

    def succeeded(self, model_id: str, most: int) -> None:
        """Raise the limit by one call a round, up to `most`."""
        model = self._models[model_id]
        if model.limit is None:
            return
        model.limit += 1 / model.limit
        if model.limit >= most:
            model.limit = None
        model.wake()
