"""The concurrency limit: how many calls to one model may be out at once; never more than its setting.

Fewer after a refusal for load, then gradually more: additive increase, multiplicative decrease, as in
TCP (RFC 5681, section 3.1). A refusal halves the number, each round of answers adds one, until the
model's own `concurrency` is reached again. It needs no clock: what was sent before the last cut cannot
cut again.

Fewer before a refusal, too, where calls only wait for each other: where the gateway says that calls to
the model wait, and where latencies have grown and half as many calls are answered as fast together. By
Little's law the answers per second are the calls that are out over their mean latency; where halving the
calls leaves that as it is, the other half stood in a queue, and kept others waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import fmean
from typing import Final

from evalcore.clients.circuit import NOT_THERE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import YieldSlot

OVERLOAD: Final = frozenset({"rate_limited", "backend_busy", "no_capacity"})
"""Failures that say: fewer at once. After those of NOT_THERE a model is met again by one call first."""
GROWN: Final = 1.5
GROWN_BY_SECONDS: Final = 0.5
"""A round's mean latency that is so much above the least latency seen may be a queue's."""
AS_FAST: Final = 0.75
"""So much of the answers per second, with half the calls, shows that the other half waited."""
SETTLED_ROUNDS: Final = 10
"""So many rounds of answers the calls stay fewer where a queue was found."""
TRIAL_ROUNDS: Final = 8
"""So many rounds pass before a trial that found no queue is repeated; doubled each time."""
FEWEST: Final = 4
"""Latencies whose mean says anything."""


class _ModelLimit:
    """One model's limit, and its calls."""

    def __init__(self) -> None:
        self.limit: float | None = None
        """None: never cut, or recovered."""
        self.out = 0
        self.round = 0
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.answers_to_stay = 0
        """So many answers are waited for before the limit is raised again."""
        self.latencies: list[float] = []
        """Of this round."""
        self.least = float("inf")
        self.rate_before: float | None = None
        """While half as many calls are tried: the answers per second of before."""
        self.answers_to_trial = 0
        self.trials_in_vain = 0

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

    def cut(self, limit: float) -> None:
        """Lower the limit; what is out now says nothing of it."""
        self.limit = limit
        self.round += 1
        self.latencies = []
        self.rate_before = None

    def halve(self, level: float) -> None:
        """Cut to a half for a queue that was seen, for a while."""
        self.cut(max(1.0, level / 2))
        self.answers_to_stay = SETTLED_ROUNDS * int(self.limit or 1)

    def measure(self, latency: float, level: int) -> None:
        """Take the latency of an answer at this level; begin or end a trial where a round is full."""
        self.latencies.append(latency)
        self.least = min(self.least, latency)
        self.answers_to_trial -= 1
        if len(self.latencies) < max(FEWEST, level):
            return
        mean, self.latencies = fmean(self.latencies), []
        rate = level / max(mean, 1e-9)
        if self.rate_before is not None:
            self._end_trial(is_queue=rate >= AS_FAST * self.rate_before, level=level)
        elif level > 1 and self.answers_to_trial <= 0 and self._has_grown(mean):
            self.cut(max(1.0, level / 2))
            self.rate_before = rate

    def _has_grown(self, mean: float) -> bool:
        return mean > GROWN * self.least and mean > self.least + GROWN_BY_SECONDS

    def _end_trial(self, *, is_queue: bool, level: int) -> None:
        self.rate_before = None
        if is_queue:
            self.trials_in_vain = 0
            self.answers_to_stay = SETTLED_ROUNDS * level
        else:
            self.limit = 2.0 * level
            self.answers_to_trial = TRIAL_ROUNDS * 2**self.trials_in_vain * 2 * level
            self.trials_in_vain += 1

    def recover(self, most: int) -> None:
        """Raise the limit by one call a round, up to `most`, unless a queue or a trial keeps it down."""
        if self.limit is None:
            return
        self.answers_to_stay -= 1
        if self.rate_before is None and self.answers_to_stay < 0:
            self.limit += 1 / self.limit
        if self.limit >= most:
            self.limit = None
        self.wake()


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
        was = model.out if model.limit is None else min(model.out, model.limit)
        model.cut(1.0 if failure.code in NOT_THERE else max(1.0, was / 2))

    def queued(self, model_id: str, most: int) -> None:
        """Lower the limit where the gateway says that calls to the model wait, ours or others'."""
        model = self._models.setdefault(model_id, _ModelLimit())
        level = min(most, most if model.limit is None else model.limit)
        if level > 1:
            model.halve(level)

    def succeeded(self, model_id: str, most: int, latency: float, round_: int) -> None:
        """Take an answer's latency, in seconds; raise the limit by one call a round, up to `most`."""
        model = self._models[model_id]
        if round_ == model.round:
            model.measure(latency, most if model.limit is None else min(most, int(model.limit)))
        model.recover(most)
