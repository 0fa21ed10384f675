"""Ids of jobs and runs: UUIDv7, which sort by the time at which they were made."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Final

RANDOM_BYTES: Final = 10
"""Of a UUIDv7 besides its time."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def uuid7(unix_ms: int, random: bytes) -> str:
    """Make the id of a millisecond and ten random bytes; the caller brings clock and randomness."""
    value = (unix_ms & (2**48 - 1)) << 80 | int.from_bytes(random[:RANDOM_BYTES], "big")
    # Version 7 and the variant (RFC 9562, sections 4 and 5.7), in the place of random bits.
    value &= ~(0xF000 << 64) & ~(0xC000 << 48)
    value |= 0x7000 << 64 | 0x8000 << 48
    return str(uuid.UUID(int=value))


def time_of(run_id: str) -> str | None:
    """Return when a UUIDv7 was made (RFC 3339, UTC, whole seconds); None of any other id."""
    try:
        value = uuid.UUID(run_id)
    except ValueError:
        return None
    if value.version != 7:  # noqa: PLR2004 - the version that begins with its time
        return None
    try:
        made = datetime.fromtimestamp((value.int >> 80) // 1000, UTC)
    except (OverflowError, ValueError):  # a day that no calendar has
        return None
    return made.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_plain_id(text: str) -> bool:
    """Whether an id from elsewhere is one word that is no path, markup or command; ours are."""
    return _PLAIN.fullmatch(text) is not None
