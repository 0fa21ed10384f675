"""UUIDv7 (RFC 9562, section 5.7): ids that sort by the time they were made."""

from __future__ import annotations

import uuid

RANDOM_BYTES = 10


def uuid7(unix_ms: int, random: bytes) -> str:
    """Make the id of a millisecond and ten random bytes; the caller brings clock and randomness."""
    value = (unix_ms & (2**48 - 1)) << 80 | int.from_bytes(random[:RANDOM_BYTES], "big")
    value &= ~(0xF000 << 64) & ~(0xC000 << 48)
    value |= 0x7000 << 64 | 0x8000 << 48
    return str(uuid.UUID(int=value))
