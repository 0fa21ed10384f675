"""The circuit breaker: rate limits, outages and a used-up quota, which all calls wait for together.

One circuit for the provider and one for each model. A failure that concerns others too opens it for a
while; the first call after that is a trial, and the others wait for what it finds out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from evalcore.clients.failures import Failure
from evalcore.structs import Frozen

TRIAL_LOOK_S: Final = 1.0
"""How often those that wait for another call's trial look whether it has ended."""
# MindRouter's own breaker lets a model back after 20 to 30 s: longer than that it is not there at all.
NEVER_ANSWERED_S: Final = 45.0
"""How long one that never answered is waited for."""
NOT_THERE: Final = frozenset({"unreachable", "bad_gateway", "model_unavailable"})
"""Failures that say: not there. One that is only busy is known to be there."""


class Pause(Frozen, frozen=True):
    """A wait that is not over yet."""

    seconds: float
    failure: Failure
    """What brought it about."""


class _Circuit:
    """One model's, or the provider's."""

    def __init__(self) -> None:
        self.open_until = float("-inf")
        """Until then no call is sent."""
        self.failing_since: float | None = None
        self.failure: Failure | None = None
        self.has_answered = False
        self.is_open_for_good = False
        """After a failure that no waiting ends, such as a used-up quota."""
        self.has_trial = False
        """Whether a call is out that finds out for all whether the failing is over."""
        # When a failure was last noted: a call that was refused without a reason asks only if none was since
        # it was sent.
        self.noted_at = float("-inf")

    @property
    def is_failing(self) -> bool:
        return self.failing_since is not None


class CircuitBreaker:
    """Shared by all calls through one client. Times are in seconds of the given clock.

    `outage` is how long a model or provider that only fails is waited for.
    """

    def __init__(self, outage: float, clock: Callable[[], float]) -> None:
        self._outage = outage
        self._clock = clock
        self._provider = _Circuit()
        self._models: dict[str, _Circuit] = {}

    def check(self, model_id: str) -> Failure | Pause | None:
        """Say whether a call may be sent now.

        None: it may. A Pause: check again after it. A Failure: it is not worth sending, and this is
        why (the quota is used up, or the model has been failing for too long).
        """
        now = self._clock()
        for circuit in (self._provider, self._model(model_id)):
            if circuit.failure is None:
                continue
            is_open = now < circuit.open_until
            # A hopeless one ends calls only while it is open: after that one call may find that it is back.
            if circuit.is_open_for_good or (is_open and self._is_hopeless(circuit, now)):
                return circuit.failure
            if is_open:
                return Pause(seconds=circuit.open_until - now, failure=circuit.failure)
            if circuit.is_failing and circuit.has_trial:
                # The first after an outage goes alone: all together would overload a server that has only
                # just come back, and each would lose a try where it has not.
                return Pause(seconds=TRIAL_LOOK_S, failure=circuit.failure)
        return None

    @contextmanager
    def sending(self, model_id: str) -> Iterator[None]:
        """Hold this around a request that `check` let pass: where its model fails, it is the trial."""
        tried = [circuit for circuit in (self._provider, self._model(model_id)) if circuit.is_failing]
        for circuit in tried:
            circuit.has_trial = True
        try:
            yield
        finally:
            for circuit in tried:
                circuit.has_trial = False

    def failed(self, model_id: str, failure: Failure, wait: float | None) -> bool:
        """Note a failure that concerns others too; returns whether waiting for its end is still worth it.

        `wait` is in seconds; None when the call that failed is not tried again.
        """
        if failure.scope == "call":
            return True
        circuit = self._provider if failure.scope == "provider" else self._model(model_id)
        now = self._clock()
        circuit.failure = failure
        circuit.noted_at = now
        circuit.is_open_for_good = circuit.is_open_for_good or not failure.retry
        # A shorter wait that is asked for later does not end a longer one: both reasons still hold.
        circuit.open_until = max(circuit.open_until, now + (failure.wait if wait is None else wait))
        # a rate limit is no outage: the server is well, and says when to come back
        if circuit.failing_since is None and not failure.is_free:
            circuit.failing_since = now
        return not self._is_hopeless(circuit, now)

    def final_failure(self) -> Failure | None:
        """Return what ends every call of the provider, such as a used-up quota; None where nothing does."""
        return self._provider.failure if self._provider.is_open_for_good else None

    def has_news_since(self, model_id: str, moment: float) -> bool:
        """Whether a failure that concerns the model's calls has been noted at or after `moment`."""
        return max(self._provider.noted_at, self._model(model_id).noted_at) >= moment

    def succeeded(self, model_id: str) -> None:
        """Note that a model has answered: neither it nor its provider is out."""
        for circuit in (self._provider, self._model(model_id)):
            # `open_until` stays: the answer may have been under way when the rate limit was reached.
            circuit.failing_since = None
            circuit.has_answered = True

    def _is_hopeless(self, circuit: _Circuit, now: float) -> bool:
        """Whether it has been failing for longer than it is waited for."""
        if circuit.failing_since is None or circuit.failure is None:
            return False
        is_unknown = not circuit.has_answered and circuit.failure.code in NOT_THERE
        bound = min(NEVER_ANSWERED_S, self._outage) if is_unknown else self._outage
        return now - circuit.failing_since > bound

    def _model(self, model_id: str) -> _Circuit:
        circuit = self._models.get(model_id)
        if circuit is None:
            circuit = self._models[model_id] = _Circuit()
        return circuit
