"""Throttles failed authentication for each client, and logs it; nobody is locked out.

Only refusals are delayed: a valid token is answered at once, whatever came from its address before. The
clients that are remembered are bounded in number, and so are the refusals delayed at one time, because
each of them holds a connection that somebody with a valid token may need.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from evalhook.config.networks import client_key, parse_address

FREE_FAILURES: Final = 3
"""Failures of a client that are answered at once."""
FIRST_DELAY: Final = 0.1
MAX_DELAY: Final = 2.0
FORGOTTEN_SECONDS: Final = 600.0
MAX_CLIENTS: Final = 4096
MAX_WAITING: Final = 64
"""Refusals delayed at one time; at most a tenth of the connections (see security.connections)."""
# One client cannot take all the places, beyond which its next guesses would be answered at once.
MAX_WAITING_OF_CLIENT: Final = 8
log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Failures:
    count: int
    last: float
    waiting: int = 0


class Throttle:
    """Counts failures by client and delays their refusals."""

    def __init__(self, *, monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._waiting = 0

    async def failed(self, client: str, reason: str) -> None:
        """Count and log one failure, and wait as long as its refusal is to be delayed."""
        failures = self._counted(_key(client))
        if _is_worth_a_line(failures.count):
            log.warning("authentication_failed", client=client, failures=failures.count, reason=reason)
        delay = delay_after(failures.count)
        # Beyond the bounds it is answered at once: held connections would hurt more than a guesser.
        if not delay or self._waiting >= MAX_WAITING or failures.waiting >= MAX_WAITING_OF_CLIENT:
            return
        self._waiting += 1
        failures.waiting += 1
        try:
            await self._sleep(delay)
        finally:
            self._waiting -= 1
            failures.waiting -= 1

    def _counted(self, key: str) -> _Failures:
        now = self._monotonic()
        # Taken out and put back at the end: those that failed longest ago are the first to be forgotten.
        failures = self._failures.pop(key, None)
        if failures is None or now - failures.last > FORGOTTEN_SECONDS:
            failures = _Failures(0, now)
        failures.count += 1
        failures.last = now
        self._failures[key] = failures
        while len(self._failures) > MAX_CLIENTS:
            self._failures.popitem(last=False)
        return failures


def delay_after(failures: int) -> float:
    """Return the seconds that the refusal of a client's n-th failure takes."""
    doublings = failures - FREE_FAILURES - 1
    # Far beyond the cap a power would only grow without bound.
    return 0.0 if doublings < 0 else min(FIRST_DELAY * 2.0 ** min(doublings, 30), MAX_DELAY)


def _key(client: str) -> str:
    address = parse_address(client)
    return client if address is None else client_key(address)


def _is_worth_a_line(count: int) -> bool:
    """Whether the n-th failure is logged: all of the first ones, then ever fewer, so no log is filled."""
    return count <= 10 or count & (count - 1) == 0 or count % 1000 == 0  # noqa: PLR2004 - a matter of taste
