"""The clock, waiting and randomness that an evaluation is given: the real ones here, others in tests."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from evalcore.ids import RANDOM_BYTES, uuid7
from evalcore.structs import Frozen


class Effects(Frozen, frozen=True):
    """What an evaluation needs of the world besides models and files."""

    now: Callable[[], datetime]
    """The wall clock, in UTC."""
    monotonic: Callable[[], float]
    """Seconds, never set back."""
    sleep: Callable[[float], Awaitable[None]]
    new_id: Callable[[], str]
    """A fresh UUIDv7."""


def real_effects() -> Effects:
    """Return the machine's own clock, sleep and randomness."""
    return Effects(now=_now, monotonic=time.monotonic, sleep=asyncio.sleep, new_id=_new_id)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(RANDOM_BYTES))
