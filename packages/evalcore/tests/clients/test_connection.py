"""Compressed bodies are unpacked piece by piece: what is small on the wire cannot fill the memory."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

from evalcore.clients.connection import PIECE, inflated


def test_a_bomb_is_unpacked_only_as_far_as_it_is_read() -> None:
    bomb = gzip.compress(bytes(2**26))

    async def wire() -> AsyncIterator[bytes]:
        yield bomb

    async def sizes(wanted: int) -> list[int]:
        found: list[int] = []
        async for piece in inflated(wire(), "gzip"):
            found.append(len(piece))
            if len(found) == wanted:
                break
        return found

    assert asyncio.run(sizes(3)) == [PIECE] * 3
