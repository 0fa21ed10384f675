"""The concurrency limit: how many calls to one model may be in flight; never more than its setting.

The limit falls after a refusal for load and then rises gradually: additive increase, multiplicative
decrease, as in TCP (RFC 5681, section 3.1). A refusal halves it, and each round of answers (as many answers
as the limit) adds one, until the model's own `concurrency` is reached again. No clock is needed: each call
carries the number of the epoch in which it was sent, a cut begins a new epoch, and a refusal from an earlier
epoch does not cut again.

The limit falls before any refusal, too, where calls only wait for each other. That is so where the gateway
says that calls to the model wait, or where latencies have grown and a test with half as many calls gives as
many answers per second. By Little's law the answers per second are the calls in flight over their mean
latency. If halving the calls leaves that unchanged, the other half was waiting in a queue, and kept other
users waiting.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from evalcore.clients.circuit import NOT_THERE
from evalcore.clients.failures import Failure
from evalcore.clients.interface import YieldSlot

OVERLOAD: Final = frozenset({"rate_limited", "backend_busy", "no_capacity"})
"""Failures that halve the limit. Those of NOT_THERE set it to one call."""
# Both are required: by the factor alone fast answers would seem slow after a few milliseconds more, by the
# time alone the usual spread of long ones would be a queue.
GROWN: Final = 1.5
GROWN_BY_SECONDS: Final = 0.5
"""Latency has grown where a round's mean is above the least latency by this factor and by this time."""
# Below 1 since the mean of a few latencies scatters; without a queue, half the calls give half the answers.
AS_FAST: Final = 0.75
"""The share of the answers per second which half the calls must reach for the rest to have been queued."""
SETTLED_ROUNDS: Final = 10
"""The number of rounds for which the limit stays halved after a queue was found."""
ROUNDS_BETWEEN_TESTS: Final = 8
"""The number of rounds after a test that found no queue before the next one; doubled each time."""
FEWEST: Final = 4
"""The least number of latencies whose mean is used."""


class _ModelLimit:
    """One model's limit, and its calls."""

    def __init__(self) -> None:
        self.limit: float | None = None
        """None where it was never cut, or has recovered. A fraction, since each answer adds a part of one."""
        self.in_flight = 0
        self.epoch = 0
        """The number of cuts so far."""
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.answers_to_stay = 0
        """The number of answers that must come before the limit is raised again."""
        self.latencies: list[float] = []
        """Of the answers of this round, in seconds."""
        self.least = float("inf")
        """The least latency of all answers, in seconds."""
        self.rate_before: float | None = None
        """During a test with half the calls, the answers per second before it; None at other times."""
        self.answers_to_test = 0
        """The number of answers that must come before the next test."""
        self.tests_without_queue = 0

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.in_flight >= int(self.limit)

    def wake(self) -> None:
        free = len(self.waiting) if self.limit is None else max(0, int(self.limit) - self.in_flight)
        while free > 0 and self.waiting:
            waiter = self.waiting.popleft()
            # A call that was cancelled while it waited takes no place.
            if not waiter.done():
                waiter.set_result(None)
                free -= 1

    def cut(self, limit: float) -> None:
        """Lower the limit, and begin an epoch: calls in flight were sent under the old limit."""
        self.limit = limit
        self.epoch += 1
        self.latencies = []
        self.rate_before = None

    def halve(self, level: float) -> None:
        """Halve the limit for SETTLED_ROUNDS, because of a queue that the gateway reports."""
        self.cut(max(1.0, level / 2))
        self.answers_to_stay = SETTLED_ROUNDS * int(self.limit or 1)

    def measure(self, latency: float, level: int) -> None:
        """Record the latency of an answer; at the end of a round, begin or end a test.

        `level` is how many calls may be in flight now.
        """
        self.latencies.append(latency)
        self.least = min(self.least, latency)
        self.answers_to_test -= 1
        # A round is as many answers as calls may be in flight: then each of the calls side by side is in the
        # mean.
        if len(self.latencies) < max(FEWEST, level):
            return
        mean, self.latencies = math.fsum(self.latencies) / len(self.latencies), []
        # Little's law: calls in flight over their mean latency.
        rate = level / max(mean, 1e-9)
        if self.rate_before is not None:
            self._end_test(is_queue=rate >= AS_FAST * self.rate_before, level=level)
        elif level > 1 and self.answers_to_test <= 0 and self._has_grown(mean):
            self.cut(max(1.0, level / 2))
            self.rate_before = rate

    def _has_grown(self, mean: float) -> bool:
        return mean > GROWN * self.least and mean > self.least + GROWN_BY_SECONDS

    def _end_test(self, *, is_queue: bool, level: int) -> None:
        self.rate_before = None
        if is_queue:
            self.tests_without_queue = 0
            self.answers_to_stay = SETTLED_ROUNDS * level
        else:
            # The level is the half that was tested: back at once to the number of before the test, which
            # is also the number of answers in each of the rounds until the next one.
            before = 2 * level
            self.limit = float(before)
            self.answers_to_test = ROUNDS_BETWEEN_TESTS * 2**self.tests_without_queue * before
            # A model whose latencies vary by themselves is tested ever more rarely, since a test is a round
            # at half the speed.
            self.tests_without_queue += 1

    def recover(self, most: int) -> None:
        """Raise the limit by one call a round, up to `most`, unless a queue or a test keeps it down."""
        if self.limit is None:
            return
        self.answers_to_stay -= 1
        if self.rate_before is None and self.answers_to_stay < 0:
            # as many answers as the limit make a round, and add one together
            self.limit += 1 / self.limit
        if self.limit >= most:
            self.limit = None
        self.wake()


class ConcurrencyLimit:
    """Shared by all calls through one client; only ever touched from the event loop."""

    def __init__(self) -> None:
        self._models: dict[str, _ModelLimit] = {}

    def current(self, model_id: str) -> int | None:
        """How many calls may be in flight; None while only the model's `concurrency` bounds them."""
        model = self._models.get(model_id)
        return None if model is None or model.limit is None else int(model.limit)

    @asynccontextmanager
    async def acquire(self, model_id: str, yield_slot: YieldSlot) -> AsyncIterator[int]:
        """Wait until the model's limit allows one more call, and count it; gives the call's epoch."""
        model = self._models.setdefault(model_id, _ModelLimit())
        # A woken call counts only once it runs, so that more may be woken than there are places: each looks
        # again.
        while model.is_full:
            waiter = asyncio.get_running_loop().create_future()
            model.waiting.append(waiter)
            try:
                async with yield_slot():
                    await waiter
            except asyncio.CancelledError:
                model.wake()  # this call may have been woken before it was cancelled: wake another instead
                raise
        model.in_flight += 1
        try:
            yield model.epoch
        finally:
            model.in_flight -= 1
            model.wake()

    def failed(self, model_id: str, failure: Failure, epoch: int) -> None:
        """Lower the limit after a refusal for load; once for all calls that were in flight together."""
        model = self._models[model_id]
        if failure.code not in OVERLOAD | NOT_THERE or epoch != model.epoch:
            return
        # Half of what was in flight: that may be less than the limit, and was too much all the same.
        was = model.in_flight if model.limit is None else min(model.in_flight, model.limit)
        model.cut(1.0 if failure.code in NOT_THERE else max(1.0, was / 2))

    def queued(self, model_id: str, most: int) -> None:
        """Halve the limit where the gateway says that calls to the model wait, ours or others'."""
        model = self._models.setdefault(model_id, _ModelLimit())
        level = min(most, most if model.limit is None else model.limit)
        if level > 1:
            model.halve(level)

    def succeeded(self, model_id: str, most: int, latency: float, epoch: int) -> None:
        """Record an answer's latency, in seconds; raise the limit by one call a round, up to `most`."""
        model = self._models[model_id]
        # The latency of a call of an earlier epoch is that of more calls than there are now.
        if epoch == model.epoch:
            model.measure(latency, most if model.limit is None else min(most, int(model.limit)))
        model.recover(most)
