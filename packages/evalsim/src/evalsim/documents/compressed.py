"""Zeros without end in few bytes: what bombs are made of."""

from __future__ import annotations

import struct
import zlib

BLOCK = 2**20


def deflated_zeros(size: int) -> bytes:
    """A zlib stream of `size` zero bytes, rounded up to whole MiB; made without ever holding them."""
    blocks = -(-size // BLOCK)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    # after a full flush nothing refers to what came before, so that the block may be repeated
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (blocks * BLOCK % 65521) << 16 | 1
    return b"\x78\xda" + block * blocks + b"\x03\x00" + struct.pack(">I", checksum)
