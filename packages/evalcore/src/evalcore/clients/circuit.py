"""What all calls to a model, or to a provider, wait for together: rate limits, outages, a used-up quota."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evalcore.clients.failures import Failure
from evalcore.structs import Frozen

LOOK_EVERY_S = 1.0
"""How often those that wait for another's probe look whether it has ended."""


STRANGER_S = 45.0
"""How long one that never answered is waited for: a tripped breaker lets it back after 20 to 30 s."""
NOT_THERE = frozenset({"unreachable", "bad_gateway", "model_unavailable"})
"""Failures that say: not there. One that is only busy is known to be there."""


class Pause(Frozen, frozen=True):
    """A wait that is not over yet."""

    seconds: float
    failure: Failure
    """What brought it about."""


class _Gate:
    """One model's, or the provider's: closed until a moment, or for good."""

    def __init__(self) -> None:
        self.until = float("-inf")
        self.failing_since: float | None = None
        self.failure: Failure | None = None
        self.has_answered = False
        self.is_shut = False
        self.is_probed = False
        """Whether a call is out that finds out for all whether the failing is over."""
        self.noted_at = float("-inf")

    @property
    def is_failing(self) -> bool:
        return self.failing_since is not None


class Pauses:
    """Shared by all calls through one client. Times are in seconds of the given clock."""

    def __init__(self, outage: float, clock: Callable[[], float]) -> None:
        self._outage = outage
        self._clock = clock
        self._provider = _Gate()
        self._models: dict[str, _Gate] = {}

    def look(self, model_id: str) -> Failure | Pause | None:
        """Say whether a call may be sent now.

        None: it may. A Pause: look again after it. A Failure: it is not worth sending, and this is
        why (the quota is used up, or the model has been failing for too long).
        """
        now = self._clock()
        for gate in (self._provider, self._model(model_id)):
            if gate.failure is None:
                continue
            if gate.is_shut or (now < gate.until and self._is_given_up(gate, now)):
                return gate.failure
            if now < gate.until:
                return Pause(seconds=gate.until - now, failure=gate.failure)
            if gate.is_failing and gate.is_probed:
                return Pause(seconds=LOOK_EVERY_S, failure=gate.failure)
        return None

    @contextmanager
    def sending(self, model_id: str) -> Iterator[None]:
        """Hold this around a request that `look` let pass: where its model fails, it is the only one."""
        probed = [gate for gate in (self._provider, self._model(model_id)) if gate.is_failing]
        for gate in probed:
            gate.is_probed = True
        try:
            yield
        finally:
            for gate in probed:
                gate.is_probed = False

    def failed(self, model_id: str, failure: Failure, wait: float | None) -> bool:
        """Note a failure that concerns others too; says whether waiting for its end is still worth it.

        `wait` is in seconds; None when the call that failed is not tried again.
        """
        if failure.scope == "call":
            return True
        gate = self._provider if failure.scope == "provider" else self._model(model_id)
        now = self._clock()
        gate.failure = failure
        gate.noted_at = now
        gate.is_shut = gate.is_shut or not failure.retry
        gate.until = max(gate.until, now + (failure.wait if wait is None else wait))
        # a rate limit is no outage: the server is well, and says when to come back
        if gate.failing_since is None and not failure.is_free:
            gate.failing_since = now
        return not self._is_given_up(gate, now)

    def has_news_since(self, model_id: str, moment: float) -> bool:
        """Whether a failure that concerns the model's calls has been noted at or after `moment`."""
        return max(self._provider.noted_at, self._model(model_id).noted_at) >= moment

    def succeeded(self, model_id: str) -> None:
        """Note that a model has answered: neither it nor its provider is out."""
        for gate in (self._provider, self._model(model_id)):
            gate.failing_since = None
            gate.has_answered = True

    def _is_given_up(self, gate: _Gate, now: float) -> bool:
        if gate.failing_since is None or gate.failure is None:
            return False
        is_stranger = not gate.has_answered and gate.failure.code in NOT_THERE
        patience = min(STRANGER_S, self._outage) if is_stranger else self._outage
        return now - gate.failing_since > patience

    def _model(self, model_id: str) -> _Gate:
        gate = self._models.get(model_id)
        if gate is None:
            gate = self._models[model_id] = _Gate()
        return gate
