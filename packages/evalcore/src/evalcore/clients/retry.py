"""When a failed call is tried again: decisions only. The clock, the randomness and the sleeping are given."""

from __future__ import annotations

from collections.abc import Callable

from evalcore.clients.failures import Failure
from evalcore.structs import Frozen


class RetryPolicy(Frozen, frozen=True):
    """How long a call is tried. Every bound is on by default."""

    tries: int = 5
    """Attempts of one call, those not counted that a server refused for its rate limit."""
    budget: float = 1800.0
    """Seconds after its first attempt in which a call may begin another."""
    base: float = 1.0
    """Seconds; the first wait is drawn from [0, base)."""
    cap: float = 30.0
    """Seconds; the longest wait that is drawn."""
    outage: float = 180.0
    """Seconds after which a model or provider that only fails is waited for no longer."""


class Attempts:
    """What one call has been through; it decides whether and when there is another attempt."""

    def __init__(self, policy: RetryPolicy, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._counted = 0
        self._same: dict[str, int] = {}

    def wait_after(self, failure: Failure, elapsed: float) -> float | None:
        """Seconds to wait before the next attempt, or None when this failure is the call's outcome.

        `elapsed` counts from the first attempt, in seconds. The wait is the failure's own plus full
        jitter: uniform in [0, min(cap, base * 2**n)) for the n-th retry.
        """
        if not failure.retry:
            return None
        self._same[failure.code] = self._same.get(failure.code, 0) + 1
        # Counted by code: a call that fell silent may still be tried again after another failure.
        if failure.at_most is not None and self._same[failure.code] > failure.at_most:
            return None
        if not failure.is_free:
            self._counted += 1
        if self._counted >= self._policy.tries:
            return None
        # a failure that costs no try is no reason to come back ever later
        doublings = 0 if failure.is_free else self._counted - 1
        # Full jitter, so that calls that failed together do not come back together:
        # https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        wait = failure.wait + self._random() * min(self._policy.cap, self._policy.base * 2.0**doublings)
        return wait if elapsed + wait <= self._policy.budget else None
