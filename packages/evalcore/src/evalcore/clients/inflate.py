"""Bodies that were compressed though we ask for none, unpacked a bounded piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator

import httpx

PIECE = 2**16
"""Bytes; a megabyte on the wire can be a gigabyte unpacked, and whoever reads decides when it is enough."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def inflated(body: AsyncIterable[bytes], encoding: str) -> AsyncIterable[bytes]:
    """The body unpacked; as it is where the encoding is another, or several on top of each other.

    Reading raises httpx.DecodingError where it is not what it says.
    """
    return _unpacked(body) if encoding.strip().lower() in _ENCODINGS else body


async def _unpacked(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
    async for data in body:
        rest = data
        while rest:
            try:
                piece = decompressor.decompress(rest, PIECE)
            except zlib.error as error:
                message = "the body is not compressed as it says"
                raise httpx.DecodingError(message) from error
            if piece:
                yield piece
            rest = decompressor.unconsumed_tail
