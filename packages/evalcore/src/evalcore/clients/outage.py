"""Waiting out an outage: one call looks whether the model is back, the others wait for what it finds.

The client beneath tries each call a few times and then reports a failure. The failure alone does not show
whether the model has an outage or only this call fails, so the server's list of models is read after it:

- The server cannot be reached, or does not list the model: an outage, whatever was answered before.
- The server lists the model, and other calls to it were answered meanwhile: the call is made again. If that
  happens a second time, only this call fails, and its failure is its outcome.
- The server can be reached and the model has never answered: the failure is the outcome, without a wait.

Calls that wait hold no slot among the calls in flight, so that the other models go on at full speed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from evalcore.clients.interface import Call, Client, Served, YieldSlot
from evalcore.clients.reply import Reply
from evalcore.errors import ModelError, ProviderRefused
from evalcore.structs import Frozen

AWAY = frozenset(
    {"unreachable", "bad_gateway", "model_unavailable", "no_capacity", "backend_busy", "rate_limited"}
)
"""Failures of every call to the model; they end without anybody's doing."""
PERHAPS_AWAY = frozenset(
    {
        "connection_lost",
        "empty_answer",
        "idle_timeout",
        "refused_stream",
        "server_error",
        "timeout",
        "unreadable_answer",
    }
)
"""Failures that may concern one call alone: an outage only where the server cannot be reached at all."""
# One is not enough: during a call that was in flight when the server went away, others were answered before.
OWN_FAILURES = 2
"""The number of failures of one call, others being answered meanwhile, that make the failure its outcome."""
LOOK_FIRST_S = 10.0
LOOK_LAST_S = 60.0
"""The wait between two looks at the list of models, doubled from the first value up to the last."""
SAME_LOOK_S = 5.0
"""Looks for several models within this time share one request, where no call has failed since it."""


class OutagePolicy(Frozen, frozen=True):
    """How long an outage is waited out."""

    budget: float = 900.0
    """Seconds in which a model gives no answer at all, for one outage of it."""


class _ModelState:
    """What is known of one model."""

    def __init__(self, *, has_answered: bool) -> None:
        self.has_answered = has_answered
        self.answers = 0
        self.failing_since: float | None = None
        """When the first call began to be waited out; None once an answer came."""
        self.is_abandoned = False
        """Whether the time for this outage has passed; failures are then outcomes, until an answer comes."""
        self.is_up = asyncio.Event()
        self.is_up.set()


class _Look(Frozen, frozen=True):
    """What a look at the list of models found of one of them."""

    is_served: bool
    """Whether a call may be tried: the model is listed, or the key was refused, as a call will find."""
    was_reached: bool
    """Whether the server gave its list."""


class OutageClient:
    """A client whose calls wait out outages; see evalcore.clients.interface.Client."""

    def __init__(
        self,
        client: Client,
        policy: OutagePolicy,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        answered: Iterable[str] = (),
    ) -> None:
        self._client = client
        self._policy = policy
        self._monotonic = monotonic
        self._sleep = sleep
        self._states = {model: _ModelState(has_answered=True) for model in answered}
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._served: Served | None = None
        self._is_refused = False
        self._was_reached = False

    async def served(self) -> Served:
        """Say which models can be served now; raises ModelError."""
        served = await self._client.served()
        self._was_reached = True
        return served

    async def call(self, call: Call, yield_slot: YieldSlot) -> Reply:
        """Make one call, outages waited out."""
        state = self._states.setdefault(call.model.id, _ModelState(has_answered=False))
        own_failures = 0
        while True:
            if not state.is_up.is_set():
                async with yield_slot():
                    await state.is_up.wait()
            before = state.answers
            reply = await self._client.call(call, yield_slot)
            if not _is_failure(reply):
                self._note_answer(state)
                return reply
            failed_at = self._monotonic()
            # A gateway that was reached once is waited for though no call was answered yet: it went away in
            # between.
            if state.is_abandoned or not (state.has_answered or self._was_reached):
                return reply
            async with yield_slot():
                # A look from before the failure would show the server as it was: 14 of 80 calls were lost to
                # that.
                look = await self._look(call.model.id, since=failed_at)
            if not state.has_answered and look.was_reached:
                return reply  # the server is there, and the model never was
            if look.is_served and state.answers != before:
                # `answers` has grown while the call was in flight: the model answers others
                own_failures += 1
                if own_failures == OWN_FAILURES:
                    return reply
                continue
            # Where another call is looking already, this one waits for it at the top of the loop.
            if state.is_up.is_set():
                return await self._wait_out(state, call, yield_slot, reply)

    async def _wait_out(self, state: _ModelState, call: Call, yield_slot: YieldSlot, reply: Reply) -> Reply:
        """Look again and again, until the model answers this call or the time for this outage is over."""
        state.is_up.clear()
        try:
            # Kept from one wait to the next, until an answer: calls that fail one after another are one
            # outage, and thousands of them would else each have a budget of their own.
            if state.failing_since is None:
                state.failing_since = self._monotonic()
            end = state.failing_since + self._policy.budget
            wait = LOOK_FIRST_S
            while (left := end - self._monotonic()) > 0:
                async with yield_slot():
                    await self._sleep(min(wait, left))
                    look = await self._look(call.model.id)
                wait = min(2 * wait, LOOK_LAST_S)
                if not look.is_served:
                    continue
                reply = await self._client.call(call, yield_slot)
                if not _is_failure(reply):
                    self._note_answer(state)
                    return reply
                # Of the codes in AWAY: the backend is gone though the gateway still lists it, for up to 90 s.
                if reply.error is None or reply.error.code not in PERHAPS_AWAY:
                    continue
                async with yield_slot():
                    look = await self._look(call.model.id, since=self._monotonic())
                if look.is_served:
                    return reply  # the server is there: the others may find out whether it is this call
            state.is_abandoned = True
            return reply
        finally:
            # Whatever the outcome, and where this call is cancelled: the next one that fails looks.
            state.is_up.set()

    def _note_answer(self, state: _ModelState) -> None:
        state.answers += 1
        state.has_answered = True
        state.failing_since = None
        state.is_abandoned = False

    async def _look(self, model_id: str, since: float = float("-inf")) -> _Look:
        """Look whether the server lists the model; a look that began before `since` does not count."""
        async with self._looking:
            if self._looked_at < since or self._monotonic() - self._looked_at >= SAME_LOOK_S:
                looked_at = self._monotonic()
                self._served, self._is_refused = None, False
                try:
                    self._served = await self.served()
                except ProviderRefused:
                    # it is there and wants another key: a call finds that out for all
                    self._is_refused = True
                except ModelError:
                    pass
                self._looked_at = looked_at
            # Still under the lock: the next one's look begins while this call waits for its slot, and is not
            # what this call saw.
            is_listed = self._served is not None and model_id in self._served.models
            return _Look(is_served=self._is_refused or is_listed, was_reached=self._served is not None)


def _is_failure(reply: Reply) -> bool:
    """Whether a reply may be an outage's doing; any other says that the model is there."""
    error = reply.error
    return error is not None and error.fault == "infrastructure" and error.code in AWAY | PERHAPS_AWAY
