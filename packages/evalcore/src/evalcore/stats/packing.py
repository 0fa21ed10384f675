"""A polynomial with whole coefficients as one whole number, each in a field of so many bits of its own."""

from __future__ import annotations

import struct
from collections.abc import Sequence

WORD = 64
# Fields of whole words, or of half a word, are unpacked by `struct` at machine speed.
_STRUCT_CODES = {32: "I", 64: "Q"}
"""Of whole numbers of so many bits."""


def packed(counts: Sequence[int], width: int) -> int:
    """Put counts into fields of `width` bits, whole bytes; the first one lowest."""
    code, size = _STRUCT_CODES.get(width), width // 8
    if code is not None:
        return int.from_bytes(struct.pack(f"<{len(counts)}{code}", *counts), "little")
    return int.from_bytes(b"".join([count.to_bytes(size, "little") for count in counts]), "little")


def unpacked(number: int, width: int) -> Sequence[int]:
    """Return the counts in fields of `width` bits, whole bytes; the lowest first."""
    code, size = _STRUCT_CODES.get(width), width // 8
    count = -(-number.bit_length() // width)
    data = number.to_bytes(count * size, "little")
    if code is not None:
        # At machine speed, where the machine has words of this width: half of a ranking's time was here.
        return struct.unpack(f"<{count}{code}", data)
    return [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]
