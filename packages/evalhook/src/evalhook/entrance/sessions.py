"""Who is signed in to the status page: random ids, held in memory alone, so a restart signs everybody out.

So does a change of the shared tokens: a session is worth no more than the token that opened it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Final

LIFETIME_SECONDS: Final = 12 * 3600
MOST_SESSIONS: Final = 64


class Sessions:
    """A bounded number of sessions, each with an end."""

    def __init__(
        self,
        *,
        era: Callable[[], bytes] = bytes,
        monotonic: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._era = era
        self._monotonic = monotonic
        self._new_id = new_id
        # Kept as digests, so that looking one up takes no time that depends on its characters.
        self._ends: dict[bytes, tuple[float, bytes]] = {}

    def open(self) -> str:
        """Begin one and return its id; where there are too many, the oldest ends."""
        self._drop_ended()
        while len(self._ends) >= MOST_SESSIONS:
            del self._ends[next(iter(self._ends))]
        session = self._new_id()
        self._ends[_digest(session)] = (self._monotonic() + LIFETIME_SECONDS, self._era())
        return session

    def is_open(self, session: str) -> bool:
        """Whether an id is of a session that has not ended."""
        found = self._ends.get(_digest(session))
        return found is not None and self._monotonic() < found[0] and found[1] == self._era()

    def close(self, session: str) -> None:
        """End one."""
        self._ends.pop(_digest(session), None)

    def _drop_ended(self) -> None:
        now = self._monotonic()
        self._ends = {digest: kept for digest, kept in self._ends.items() if now < kept[0]}


def _digest(session: str) -> bytes:
    return sha256(session.encode()).digest()
